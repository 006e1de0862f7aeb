"""The schema of an agent's final output, and the conversion of the model's JSON into a value.

Rule: a schema is derived once per type. A type whose schema is already an object (a pydantic model,
a mapping) is used unchanged. Any other type is wrapped as `{"response": T}`, because structured
outputs require an object at the root.
"""

from __future__ import annotations

import abc
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin

from typing_extensions import TypedDict

from agentgraph.exceptions import ModelBehaviorError, UserError
from agentgraph.schemas.strict import ensure_strict_json_schema

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["AgentOutputSchema", "AgentOutputSchemaBase", "output_schema_of"]

_WRAPPER_KEY: Final = "response"


class AgentOutputSchemaBase(abc.ABC):
    """Describes an agent's output to the model, and reads the model's answer."""

    @abc.abstractmethod
    def is_plain_text(self) -> bool:
        """Whether the output is the model's plain text, not JSON."""

    @abc.abstractmethod
    def name(self) -> str:
        """Return a readable name of the output type."""

    @abc.abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema that the model's answer must satisfy.

        Raises:
            UserError: The output is plain text.
        """

    @abc.abstractmethod
    def is_strict_json_schema(self) -> bool:
        """Whether the schema is in the strict subset that structured outputs enforce."""

    @abc.abstractmethod
    def validate_json(self, json_str: str) -> Any:
        """Read the model's answer as a value of the output type.

        Args:
            json_str: The text of the model's last message.

        Raises:
            ModelBehaviorError: The text is not JSON or does not satisfy the schema.
        """


class _Derivation(NamedTuple):
    """The parts that pydantic derives from a type; all schemas of the type share them."""

    adapter: TypeAdapter[Any]
    is_wrapped: bool
    json_schema: dict[str, Any]


_Derivations = dict[tuple[Any, bool], _Derivation]
_DERIVATIONS: Final[_Derivations] = {}
"""The derivations of types that name no class of the program."""
_ATTRIBUTE: Final = "__agentgraph_derivations__"
_MAX_DERIVATIONS: Final = 64
_DEFINED_IN_PYTHON: Final = 1 << 9
"""The flag of classes created at run time, not built into C (`Py_TPFLAGS_HEAPTYPE`)."""


class AgentOutputSchema(AgentOutputSchemaBase):
    """The output schema of any type that pydantic can describe.

    Args:
        output_type: The type of the final output; `str` and `None` stand for plain text.
        strict_json_schema: Whether to derive the strict form, with which the model's JSON is valid
            by construction. Turn it off for types with free-form keys.

    Raises:
        UserError: The type has no JSON schema or, in strict mode, no strict one.

    Attributes:
        output_type: The type as the caller passed it.
    """

    output_type: type[Any] | Any

    def __init__(self, output_type: type[Any] | Any, strict_json_schema: bool = True) -> None:
        self.output_type = output_type
        self._strict = strict_json_schema
        self._derivation: _Derivation | None = None
        if not self.is_plain_text():
            self._derivation = _derive(output_type, strict_json_schema)

    def is_plain_text(self) -> bool:
        return self.output_type is None or self.output_type is str

    def name(self) -> str:
        return _name_of(self.output_type)

    def is_strict_json_schema(self) -> bool:
        return self._strict

    def json_schema(self) -> dict[str, Any]:
        if self._derivation is None:
            raise UserError("The output is plain text, so it has no JSON schema.")
        return self._derivation.json_schema

    def validate_json(self, json_str: str) -> Any:
        if self._derivation is None:
            raise UserError("The output is plain text; there is no JSON to validate.")
        adapter, is_wrapped, _ = self._derivation
        try:
            # A model that writes "1" for a number violates a strict schema.
            value = adapter.validate_json(json_str, strict=self._strict)
        except ValueError as error:
            # The message of pydantic quotes the model's text, which must not reach logs.
            raise ModelBehaviorError(
                f"The model's output is not valid JSON for {self.name()}: {_summary(error)}."
            ) from None
        return value[_WRAPPER_KEY] if is_wrapped else value

    @property
    def _is_wrapped(self) -> bool:
        """Whether the schema wraps the output in an object with one key."""
        return self._derivation is not None and self._derivation.is_wrapped

    def __repr__(self) -> str:
        return f"AgentOutputSchema({self.name()}, strict_json_schema={self._strict})"


def _derive(output_type: object, strict: bool) -> _Derivation:
    """Return the derivation of a type, computed once for the lifetime of the type.

    A derivation refers to its type, so it is stored on a class that the type names and is collected
    together with that class.
    """
    derivations = _derivations_on(_own_class_in(output_type))
    key = output_type, strict
    try:
        derivation = derivations.get(key)
    except TypeError:
        # A type need not be hashable: `Annotated` may contain a mapping.
        return _derive_anew(output_type, strict)
    if derivation is None:
        derivation = _derive_anew(output_type, strict)
        while len(derivations) >= _MAX_DERIVATIONS:
            # Copy the keys: an iterator fails if another thread changes the dictionary meanwhile.
            derivations.pop([*derivations, key][0], None)
        derivations[key] = derivation
    return derivation


def _own_class_in(annotation: object) -> type[Any] | None:
    """Find the first class of the program among the classes that an annotation names."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if annotation.__flags__ & _DEFINED_IN_PYTHON else None
    target = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    parts = (get_origin(annotation), *get_args(annotation), target)
    classes = (_own_class_in(part) for part in parts if part is not None)
    return next((one for one in classes if one is not None), None)


def _derivations_on(owner: type[Any] | None) -> _Derivations:
    if owner is None:
        return _DERIVATIONS
    derivations: _Derivations | None = vars(owner).get(_ATTRIBUTE)
    if derivations is None:
        derivations = {}
        try:
            setattr(owner, _ATTRIBUTE, derivations)
        except (AttributeError, TypeError):
            return _DERIVATIONS  # a class that takes no attributes is not the program's own
    return derivations


def _derive_anew(output_type: Any, strict: bool) -> _Derivation:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    is_wrapped = not _is_object_type(output_type)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(_wrap(output_type) if is_wrapped else output_type)
        schema = adapter.json_schema()
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise UserError(
            f"The output type {_name_of(output_type)} cannot be described to a model: {error}"
        ) from error
    if strict:
        try:
            schema = ensure_strict_json_schema(schema)
        except (UserError, ValueError) as error:
            raise UserError(
                f"The output type {_name_of(output_type)} has no strict JSON schema: {error} "
                "To use the type as it is, write "
                f"AgentOutputSchema({_name_of(output_type)}, strict_json_schema=False)."
            ) from error
    return _Derivation(adapter, is_wrapped, schema)


def _wrap(output_type: object) -> Any:
    return TypedDict("OutputType", {_WRAPPER_KEY: output_type})  # type: ignore[operator]


def _is_object_type(output_type: object) -> bool:
    from pydantic import BaseModel

    origin = get_origin(output_type) or output_type
    return isinstance(origin, type) and issubclass(origin, (BaseModel, dict))


def _name_of(annotation: object) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is None:
        return getattr(annotation, "__name__", None) or str(annotation)
    # `X | Y` and `Union[X, Y]` are one type with two origins.
    base = "Union" if origin is UnionType else getattr(origin, "__name__", str(origin))
    inner = [_name_of(arg) if _is_annotation(arg) else repr(arg) for arg in args]
    return f"{base}[{', '.join(inner)}]"


def _is_annotation(arg: object) -> bool:
    return isinstance(arg, type) or get_origin(arg) is not None or hasattr(arg, "__name__")


def _summary(error: ValueError) -> str:
    """Name the places where validation failed and the rules, without quoting the text."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return type(error).__name__
    places = [
        f"{'.'.join(map(str, issue['loc'])) or 'the whole text'} ({issue['type']})"
        for issue in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    text = "; ".join(places[:5])
    return text if len(places) <= 5 else f"{text}; and {len(places) - 5} more"


def output_schema_of(
    declared: type[Any] | UnionType | AgentOutputSchemaBase | None,
) -> AgentOutputSchemaBase | None:
    """The schema of an agent's final output, from its `output_type`; ``None`` for plain text."""
    if declared is None or declared is str:
        return None
    if isinstance(declared, AgentOutputSchemaBase):
        return declared
    return AgentOutputSchema(declared)
