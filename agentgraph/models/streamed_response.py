"""From what a provider sends to `ModelResponse`, whether it came in one piece or as events.

`StreamedResponse` works for any model that streams events of the Responses API: it watches them go
by and knows the reply at the end. A response that the provider gave up on is an error, never a
reply. What has no type of its own, such as the dictionaries of a third party's model, goes by: a
consumer of the stream sees it, and no reply is made of it.
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

    Show it each event with `see`, then ask for the reply with `finish`.
    """

    __slots__ = ("_failure", "_items", "_response")

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._response: Response | None = None
        self._failure: ModelBehaviorError | None = None

    def see(self, event: ResponseStreamEvent) -> None:
        """Take note of an event.

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

        A provider that leaves the output of its last event empty has sent the items before: those
        are used then.

        Args:
            preserve_raw_usage: Whether to keep the provider's usage as it came.

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
        preserve_raw_usage: Whether to keep the provider's usage as it came.

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
    """Count the tokens of one response.

    Args:
        usage: The provider's count, or None where it sent none.

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
    """Return the error that an event stands for.

    Args:
        event: Any event of a stream.

    Returns:
        An error for `response.failed`, `response.incomplete` and `error`, None for all others.
    """
    # A third party's stream may leave anything out.
    match getattr(event, "type", None):
        case ("response.failed" | "response.incomplete") as kind:
            return _given_up(getattr(event, "response", None), f"the event {kind!r}")
        case "error":
            code, message = getattr(event, "code", None), getattr(event, "message", None)
            coded = f" ({code})" if code else ""
            text = f"The model's stream broke off with an error{coded}: {message}"
            return ModelBehaviorError(text)
        case _:
            return None


def response_failure(response: Response) -> ModelBehaviorError | None:
    """Return the error that a response stands for.

    Args:
        response: A response that came in one piece.

    Returns:
        An error if the provider failed or stopped before the end, else None.
    """
    if response.status in ("failed", "incomplete"):
        return _given_up(response, f"the status {response.status!r}")
    return None


def _given_up(response: object, how: str) -> ModelBehaviorError:
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
