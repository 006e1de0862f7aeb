"""Handlers of the caller, which turn the failure of a run into a final output.

Each kind of failure has one handler. The run validates its result like any final output, and output
guardrails and hooks run as usual. If the handler returns `None`, the run raises the exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from typing_extensions import TypedDict

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import MaxTurnsExceeded, ModelBehaviorError, ModelRefusalError
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.user_code.callbacks import MaybeAwaitable

if TYPE_CHECKING:
    from agentgraph.items.responses import ModelResponse, TResponseInputItem
    from agentgraph.items.run_items import RunItem

__all__ = [
    "RECOVERABLE",
    "RunErrorData",
    "RunErrorHandler",
    "RunErrorHandlerInput",
    "RunErrorHandlerResult",
    "RunErrorHandlers",
]


@names_types(
    ModelResponse="agentgraph.items.responses:ModelResponse",
    RunItem="agentgraph.items.run_items:RunItem",
    TResponseInputItem="openai.types.responses:ResponseInputItemParam",
)
@dataclass
class RunErrorData:
    """The data of a run up to its failure.

    Attributes:
        input: The run's input, as text or as input items.
        new_items: The run items of the finished turns.
        history: The input and the items, in the form of a model's input.
        output: The items alone, in that form.
        raw_responses: The model's responses, oldest first.
        last_agent: The active agent.
    """

    input: str | list[TResponseInputItem]
    new_items: list[RunItem]
    history: list[TResponseInputItem]
    output: list[TResponseInputItem]
    raw_responses: list[ModelResponse]
    last_agent: AnyAgent


@dataclass
class RunErrorHandlerInput(Generic[TContext]):
    """The argument of a handler.

    Attributes:
        error: The failure.
        context: The run's context.
        run_data: The data of the run up to the failure.
    """

    error: MaxTurnsExceeded | ModelRefusalError | ModelBehaviorError
    context: RunContextWrapper[TContext]
    run_data: RunErrorData


@dataclass
class RunErrorHandlerResult:
    """The result of a handler.

    Attributes:
        final_output: The run's final output in place of the failure.
        include_in_history: Whether the output becomes a message of the conversation.
    """

    final_output: Any
    include_in_history: bool = True


RunErrorHandler: TypeAlias = Callable[
    [RunErrorHandlerInput[TContext]],
    MaybeAwaitable[RunErrorHandlerResult | dict[str, Any] | Any | None],
]
"""Returns a result, a dictionary of its fields, a bare final output, or `None`."""


class RunErrorHandlers(TypedDict, Generic[TContext], total=False):
    """The handlers of a run, by kind of failure.

    Attributes:
        max_turns: The run used up its turns.
        model_refusal: The model declined to answer.
        invalid_final_output: The final output does not satisfy the agent's output type.
    """

    max_turns: RunErrorHandler[TContext]
    model_refusal: RunErrorHandler[TContext]
    invalid_final_output: RunErrorHandler[TContext]


RECOVERABLE: Final = tuple(RunErrorHandlers.__annotations__)
"""The kinds of failure that have a handler."""
