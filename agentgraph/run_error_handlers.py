"""Turning a failure into a final output, when the caller has an answer to it.

A handler is named by the kind of failure. What it returns is validated like any final output, and
output guardrails and hooks run as usual; `None` lets the exception go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias

from typing_extensions import TypedDict

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
    """What a run had done when it failed.

    Attributes:
        input: The run's input, as text or as input items.
        new_items: The run items of the finished turns.
        history: The input and the items in the form in which a model would be given them.
        output: The items alone in that form.
        raw_responses: The model's responses, oldest first.
        last_agent: The agent that was active.
    """

    input: str | list[TResponseInputItem]
    new_items: list[RunItem]
    history: list[TResponseInputItem]
    output: list[TResponseInputItem]
    raw_responses: list[ModelResponse]
    last_agent: Any


@dataclass
class RunErrorHandlerInput(Generic[TContext]):
    """What a handler is given.

    Attributes:
        error: The failure.
        context: The run's context.
        run_data: What the run had done.
    """

    error: MaxTurnsExceeded | ModelRefusalError | ModelBehaviorError
    context: RunContextWrapper[TContext]
    run_data: RunErrorData


@dataclass
class RunErrorHandlerResult:
    """What a handler answers.

    Attributes:
        final_output: The run's final output in place of the failure.
        include_in_history: Whether it becomes a message of the conversation.
    """

    final_output: Any
    include_in_history: bool = True


RunErrorHandler: TypeAlias = Callable[
    [RunErrorHandlerInput[TContext]],
    MaybeAwaitable[RunErrorHandlerResult | dict[str, Any] | Any | None],
]
"""Answers a failure: with a result, a dictionary of its fields, a bare final output, or `None`."""


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
"""The kinds of failure that a handler can answer."""
