"""A question to a person as a step of a workflow."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from agentgraph.exceptions import AgentDefinitionError, UserError

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

__all__ = ["QuestionStep"]


class QuestionStep:
    """A question to a person, made by `Workflow.ask`.

    A run that comes to it is suspended; `RunState.answer` gives the answer, which is the output of
    the step.

    Attributes:
        name: Its name, unique among the questions of the workflow.
        question: The text that the person reads.
        answer: The type of the answer.
    """

    def __init__(self, name: str, question: str, answer: object) -> None:
        self.name = name
        self.question = question
        self.answer = answer

    def __repr__(self) -> str:
        return f"QuestionStep({self.name!r}, {self.question!r}, answer={self.answer_name})"

    @property
    def answer_name(self) -> str:
        """The type of the answer, in words."""
        return getattr(self.answer, "__name__", None) or str(self.answer)

    def check(self) -> None:
        """Refuse a type of which no JSON can be an answer.

        Raises:
            AgentDefinitionError: The type has no JSON schema.
        """
        _ = self.schema

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer.

        Raises:
            AgentDefinitionError: The type has none.
        """
        from pydantic.errors import PydanticUserError
        from pydantic_core import SchemaError

        try:
            return self._adapter.json_schema()
        except (PydanticUserError, SchemaError, TypeError, ValueError, NameError) as error:
            reason = str(error).partition("\n")[0]
            raise AgentDefinitionError(
                f"the answer to question {self.name!r} has the type {self.answer_name}, which has"
                f" no JSON schema: {reason}"
            ) from error

    def written(self, answer: object) -> str:
        """An answer as JSON text.

        Args:
            answer: A value of the type, or plain data of its form.

        Raises:
            UserError: It does not fit the type.
        """
        from pydantic import ValidationError
        from pydantic_core import PydanticSerializationError

        try:
            value = self._adapter.validate_python(answer)
            text = self._adapter.dump_json(value, by_alias=True, warnings="error").decode()
            self._adapter.validate_json(text)
        except ValidationError as error:
            self._refuse(error)
        except (PydanticSerializationError, UnicodeError) as error:
            raise UserError(
                f"The answer to question {self.name!r} has no JSON form: {error}."
            ) from error
        return text

    def read(self, text: str) -> object:
        """The answer of a JSON text.

        Raises:
            UserError: It does not fit the type, which has changed since the answer was written.
        """
        from pydantic import ValidationError

        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            self._refuse(error)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        from pydantic import TypeAdapter

        return TypeAdapter(self.answer)  # type: ignore[arg-type]

    def _refuse(self, error: ValidationError) -> NoReturn:
        problems = "; ".join(
            ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"])))
            for one in error.errors(include_url=False, include_input=False)
        )
        raise UserError(
            f"The answer to question {self.name!r} ({self.question}) does not fit"
            f" {self.answer_name}: {problems}."
        ) from error
