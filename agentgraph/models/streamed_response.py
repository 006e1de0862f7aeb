"""Make a `ModelResponse` from a provider's response, in one piece or as events.

`StreamedResponse` works for any model that streams events of the Responses API: it reads each event
and builds the reply at the end. A response that failed or is incomplete is an error, never a reply.
An event without a `type` attribute, such as a dictionary of a third party's model, contributes
nothing to the reply, but consumers of the stream still receive it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items.responses import ModelResponse
from agentgraph.items.run_items import raw_field
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseStreamEvent, ResponseUsage

__all__ = ["StreamedResponse", "event_failure", "model_response", "response_failure", "usage_from"]


class StreamedResponse:
    """Collects the reply of a streamed call from its events.

    Pass it each event with `see`, then get the reply with `finish`.
    """

    __slots__ = ("_failure", "_items", "_response")

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._response: Response | None = None
        self._failure: ModelBehaviorError | None = None

    def see(self, event: ResponseStreamEvent) -> None:
        """Add an event to the reply.

        Args:
            event: The next event of the stream.
        """
        match getattr(event, "type", None):
            case "response.output_item.done":
                self._items[event.output_index] = event.item  # type: ignore[union-attr]
            case "response.completed":
                self._response = event.response  # type: ignore[union-attr]
            case _ if self._failure is None:
                self._failure = event_failure(event)

    def finish(self, *, preserve_raw_usage: bool = False) -> ModelResponse:
        """Return the reply.

        If the last event has an empty output, the reply consists of the items that the stream
        delivered before.

        Args:
            preserve_raw_usage: Whether the reply includes the provider's usage unchanged.

        Returns:
            The reply.

        Raises:
            ModelBehaviorError: The stream ended without a complete response.
        """
        if self._failure is not None:
            raise self._failure
        if self._response is None:
            raise ModelBehaviorError("Model did not produce a final response!")
        reply = model_response(self._response, preserve_raw_usage=preserve_raw_usage)
        if not reply.output and self._items:
            reply.output = [self._items[index] for index in sorted(self._items)]
        return reply


def model_response(response: Response, *, preserve_raw_usage: bool = False) -> ModelResponse:
    """Turn a complete response of the Responses API into this package's reply.

    Args:
        response: The client's response object.
        preserve_raw_usage: Whether the reply includes the provider's usage unchanged.

    Returns:
        The reply, sharing the output items with the response.
    """
    reply = ModelResponse(
        output=list(response.output or ()),
        usage=usage_from(response.usage),
        response_id=response.id,
        request_id=getattr(response, "_request_id", None),
    )
    if preserve_raw_usage and response.usage is not None:
        reply.raw_usage = response.usage.model_dump(exclude_unset=True)
    return reply


def usage_from(usage: ResponseUsage | None) -> Usage:
    """Return the usage of one response.

    Args:
        usage: The provider's counts, or None if it sent none.

    Returns:
        The usage of one request.
    """
    if usage is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=usage.input_tokens,
        input_tokens_details=usage.input_tokens_details,
        output_tokens=usage.output_tokens,
        output_tokens_details=usage.output_tokens_details,
        total_tokens=usage.total_tokens,
    )


def event_failure(event: ResponseStreamEvent) -> ModelBehaviorError | None:
    """Return the error that an event reports.

    Args:
        event: Any event of a stream.

    Returns:
        An error for `response.failed`, `response.incomplete` and `error`, None for all others.
    """
    # An event of a third party may lack any field.
    match getattr(event, "type", None):
        case ("response.failed" | "response.incomplete") as kind:
            return _failure_of(getattr(event, "response", None), f"the event {kind!r}")
        case "error":
            code, message = getattr(event, "code", None), getattr(event, "message", None)
            coded = f" ({code})" if code else ""
            text = f"The model's stream broke off with an error{coded}: {message}"
            return ModelBehaviorError(text)
        case _:
            return None


def response_failure(response: Response) -> ModelBehaviorError | None:
    """Return the error of a response that failed or is incomplete.

    Args:
        response: A response that came in one piece.

    Returns:
        An error if the provider failed or stopped before the end, else None.
    """
    if response.status in ("failed", "incomplete"):
        return _failure_of(response, f"the status {response.status!r}")
    return None


def _failure_of(response: object, how: str) -> ModelBehaviorError:
    text = f"The model's response ended with {how}"
    error = raw_field(response, "error")
    reason = raw_field(raw_field(response, "incomplete_details"), "reason")
    if error is not None:
        text += f": {raw_field(error, 'message')} ({raw_field(error, 'code')})"
    elif reason:
        text += f": {reason}"
        if reason == "max_output_tokens":
            text += ". Raise ModelSettings.max_tokens if the reply may be longer"
    return ModelBehaviorError(f"{text}.")
