"""The script of a scripted model: its steps, the forms of a step, and the errors about them.

A step is checked and copied when it enters the script: the error points to the line that adds it
and not to the middle of a run, and what the test or a run changes later changes no reply.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from typing_extensions import TypedDict

import agentgraph
from agentgraph.items.responses import ModelResponse
from agentgraph.models.copies import copied
from agentgraph.models.model_call import ModelCall
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseOutputItem, ResponseStreamEvent
    from pydantic import TypeAdapter

    from agentgraph.retry import ModelRetryAdvice

__all__ = [
    "DEFAULT_RESPONSE_ID",
    "InvalidModelStep",
    "ModelResponder",
    "ModelScriptError",
    "ModelScriptItem",
    "ModelStep",
    "ModelStepReason",
    "ModelStepSpec",
    "ModelStreamFactory",
    "UnconsumedModelSteps",
    "UnexpectedModelCall",
    "model_step",
]

DEFAULT_RESPONSE_ID = "resp-789"
"""The response id of a step without one (the published SDK's value, so that tests port over)."""

ModelStepReason: TypeAlias = Literal[
    "invalid_input",
    "unsupported_field",
    "invalid_error",
    "invalid_responder",
    "invalid_stream_events",
    "conflicting_outcomes",
    "invalid_retry_advice",
]

ModelStreamFactory: TypeAlias = Callable[[ModelCall], "AsyncIterator[ResponseStreamEvent]"]


class ModelScriptError(Exception):
    """The script and the calls of a model do not fit together."""


class InvalidModelStep(ModelScriptError):
    """A step cannot be part of a script.

    Attributes:
        reason: The kind of fault.
        input_index: The index of the step in the sequence that was added.
    """

    def __init__(self, message: str, *, reason: ModelStepReason, input_index: int) -> None:
        super().__init__(message)
        self.reason = reason
        self.input_index = input_index


class UnexpectedModelCall(ModelScriptError):
    """The model was called after the end of its script.

    Attributes:
        call: The request of the surplus call.
        call_index: The call's number, from zero.
    """

    def __init__(self, message: str, *, call: ModelCall, call_index: int) -> None:
        super().__init__(message)
        self.call = call
        self.call_index = call_index


class UnconsumedModelSteps(ModelScriptError):
    """A test ended before the script did.

    Attributes:
        remaining_steps: How many steps no call used.
    """

    def __init__(self, message: str, *, remaining_steps: int) -> None:
        super().__init__(message)
        self.remaining_steps = remaining_steps


@dataclass
class ModelStep:
    """The outcome of one call of a scripted model.

    At most one of `error`, `responder` and `stream_events` may be set; without any of them the step
    replies with `output`.

    Attributes:
        output: The reply's output items: objects of the `openai` client, or their dictionaries.
        usage: The reply's usage; an empty one means the model's default usage.
        response_id: The reply's id; None for a reply without one.
        request_id: The id that the provider gave to the request.
        raw_usage: The usage in the provider's form; the response includes it if the call's settings
            have `preserve_raw_usage`.
        error: The exception that the call raises.
        responder: Makes the reply from the call.
        stream_events: The exact events of a streamed call, or a function that makes them.
        retry_advice: The model's advice about retrying after `error`.
    """

    output: Sequence[ResponseOutputItem] = ()
    usage: Usage = field(default_factory=Usage)
    response_id: str | None = DEFAULT_RESPONSE_ID
    request_id: str | None = None
    raw_usage: dict[str, Any] | None = None
    error: Exception | None = None
    responder: ModelResponder | None = None
    stream_events: Sequence[ResponseStreamEvent] | ModelStreamFactory | None = None
    retry_advice: ModelRetryAdvice | None = None

    @classmethod
    def raise_error(
        cls, error: Exception, *, retry_advice: ModelRetryAdvice | None = None
    ) -> ModelStep:
        """Make a step whose call fails.

        Args:
            error: The object that the call raises.
            retry_advice: The model's advice about retrying after this error.

        Returns:
            The step.
        """
        return cls(error=error, retry_advice=retry_advice)

    @classmethod
    def respond(cls, responder: ModelResponder) -> ModelStep:
        """Make a step that makes its reply from the call.

        Args:
            responder: Receives the call; returns a reply in any form of a step, or an awaitable of
                one.

        Returns:
            The step.
        """
        return cls(responder=responder)

    @classmethod
    def stream(
        cls,
        events: Sequence[ResponseStreamEvent] | ModelStreamFactory,
        *,
        output: Sequence[ResponseOutputItem] = (),
        usage: Usage | None = None,
        response_id: str | None = DEFAULT_RESPONSE_ID,
    ) -> ModelStep:
        """Make a step that streams exactly these events.

        Args:
            events: The events, or a function of the call that returns an async iterator of them.
            output: The reply of the same step if the call is not streamed.
            usage: The usage of that reply; None means the model's default usage.
            response_id: The id of that reply.

        Returns:
            The step.
        """
        return cls(
            output=output,
            usage=Usage() if usage is None else usage,
            response_id=response_id,
            stream_events=events if callable(events) else tuple(events),
        )


class ModelStepSpec(TypedDict, total=False):
    """A `ModelStep` written as a dictionary, with the same keys."""

    output: Sequence[Any]
    usage: Usage
    response_id: str | None
    request_id: str | None
    raw_usage: dict[str, Any] | None
    error: Exception | None
    responder: ModelResponder | None
    stream_events: Sequence[Any] | ModelStreamFactory | None
    retry_advice: ModelRetryAdvice | None


ModelScriptItem: TypeAlias = "ModelStep | ModelStepSpec | ModelResponse | Sequence[Any] | Exception"
ModelResponder: TypeAlias = "Callable[[ModelCall], ModelScriptItem | Awaitable[ModelScriptItem]]"

_FIELDS = frozenset(field.name for field in fields(ModelStep))


def model_step(item: Any, index: int = 0) -> ModelStep:
    """Turn any form of a step into a checked `ModelStep`.

    Args:
        item: A step, its dictionary, a `ModelResponse`, a sequence of output items, or an
            exception.
        index: The index of the step in the sequence that was added, for the message.

    Returns:
        A copy of the step, its output as a list of the `openai` client's objects. Exceptions and
        functions are shared.

    Raises:
        InvalidModelStep: The item is none of these, or its parts contradict each other.
    """
    match item:
        case ModelStep():
            step = item
        case ModelResponse():
            step = ModelStep(
                output=item.output,
                usage=item.usage,
                response_id=item.response_id,
                request_id=item.request_id,
                raw_usage=getattr(item, "raw_usage", None),
            )
        case Exception():
            step = ModelStep(error=item)
        case Mapping():
            if unknown := [str(key) for key in item if key not in _FIELDS]:
                raise _invalid(
                    index, "unsupported_field", f"has no field called {', '.join(unknown)}"
                )
            step = ModelStep(**item)
        case _:
            step = ModelStep(output=item)
    return _checked(step, index)


def _invalid(index: int, reason: ModelStepReason, fault: str) -> InvalidModelStep:
    return InvalidModelStep(
        f"Scripted model step #{index + 1} {fault}.", reason=reason, input_index=index
    )


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def _checked(step: ModelStep, index: int) -> ModelStep:
    """A copy of a valid step, with the reasons for refusal in the order of the published SDK."""
    if not _is_sequence(step.output):
        raise _invalid(index, "invalid_input", "needs a sequence of output items as its output")
    if not isinstance(step.usage, Usage):
        raise _invalid(index, "invalid_input", "needs a Usage object as its usage")
    for name in ("response_id", "request_id"):
        if not isinstance(getattr(step, name), str | None):
            raise _invalid(index, "invalid_input", f"needs a string or None as its {name}")
    if not isinstance(step.raw_usage, dict | None):
        raise _invalid(index, "invalid_input", "needs a dictionary or None as its raw_usage")
    _check_outcome(step, index)
    return ModelStep(
        output=[_output_item(item, index, at) for at, item in enumerate(step.output)],
        usage=copied(step.usage),
        response_id=step.response_id,
        request_id=step.request_id,
        raw_usage=copied(step.raw_usage),
        error=step.error,
        responder=step.responder,
        stream_events=copied(step.stream_events),
        retry_advice=copied(step.retry_advice),
    )


def _check_outcome(step: ModelStep, index: int) -> None:
    if step.error is not None and not isinstance(step.error, Exception):
        raise _invalid(index, "invalid_error", "needs an Exception object as its error")
    if step.responder is not None and not callable(step.responder):
        raise _invalid(index, "invalid_responder", "needs a callable responder")
    events = step.stream_events
    if events is not None and not (callable(events) or _is_sequence(events)):
        fault = "needs a sequence of events, or a callable, as its stream_events"
        raise _invalid(index, "invalid_stream_events", fault)
    outcomes = [step.error, step.responder, events]
    if sum(outcome is not None for outcome in outcomes) > 1:
        fault = "may have only one of error, responder and stream_events"
        raise _invalid(index, "conflicting_outcomes", fault)
    if step.retry_advice is None:
        return
    if step.error is None:
        raise _invalid(index, "invalid_retry_advice", "has retry advice but no error to retry")
    if not isinstance(step.retry_advice, agentgraph.ModelRetryAdvice):
        raise _invalid(index, "invalid_retry_advice", "needs a ModelRetryAdvice as retry_advice")


def _output_item(item: Any, step: int, at: int) -> Any:
    if getattr(item, "type", None):
        return copied(item)
    kind = item.get("type") if isinstance(item, Mapping) else None
    if not isinstance(kind, str):
        fault = f"has no output item in place {at}, but an object of type {type(item).__name__}"
        raise _invalid(step, "invalid_input", fault)
    fields_of_item = dict(item)
    if kind == "apply_patch_call":
        # The API names both, and a test need not.
        fields_of_item = {"id": item.get("call_id"), "status": "completed", **fields_of_item}
    try:
        return _output_items().validate_python(fields_of_item)
    except ValueError as error:
        fault = f"has an unusable output item in place {at} (type {kind!r}): {error}"
        raise _invalid(step, "invalid_input", fault) from error


@cache
def _output_items() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseOutputItem as OutputItem
    from pydantic import TypeAdapter as Adapter

    return Adapter(OutputItem)
