"""Check a response of the Responses API: whether it is a reply, and a complete one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items.run_items import raw_field
from agentgraph.models.fake_id import FAKE_RESPONSES_ID
from agentgraph.models.gate.body import check_body, reported_error
from agentgraph.models.gate.server import Server

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseOutputItem

__all__ = ["ANSWERS", "LAST", "complete_output", "event_failure"]

ANSWERS: Final = ("response.completed", "response.incomplete")
"""The events that bring a response."""

LAST: Final = (*ANSWERS, "response.failed")
"""The events after which a stream has no other."""

_UNFINISHED = ("in_progress", "queued", "cancelled")
_NO_TEXT = ("reasoning", "compaction")


def complete_output(
    response: Response, server: Server, *, keep_cut_text: bool = False, event: str | None = None
) -> list[ResponseOutputItem]:
    """Return the output of a response that is a complete reply.

    If the provider's filter withheld the reply, a refusal follows the output.

    Args:
        response: The client's response object, or what the client made of another answer.
        server: The sender.
        keep_cut_text: Whether a text that the limit of tokens cut off is a reply.
        event: The type of the event that brought the response; None if it came in one piece.

    Raises:
        ModelBehaviorError: The response failed, is cut off or unfinished, or is no response.
    """
    status, output = raw_field(response, "status"), raw_field(response, "output")
    if status == "failed":
        raise _failure(response, server, "the status 'failed'")
    if status == "incomplete" or event == "response.incomplete":
        kept = output if isinstance(output, list) else []
        reason = raw_field(raw_field(response, "incomplete_details"), "reason")
        if reason == "content_filter":
            return [*kept, _refusal()]
        if reason == "max_output_tokens" and keep_cut_text and _is_text(kept):
            return list(kept)
        how = "the status 'incomplete'" if event is None else f"the event {event!r}"
        raise _failure(response, server, how)
    check_body(response, server)
    if status in _UNFINISHED:
        raise server.fault(f"sent a response that is not finished (status {status!r}).")
    if not isinstance(output, list):
        raise server.fault("sent a response without an output: does base_url lead to this API?")
    return list(output)


def event_failure(event: object, server: Server) -> ModelBehaviorError | None:
    """Return the error that an event of a stream reports.

    Args:
        event: Any event. One of a third party may lack any field.
        server: The sender.

    Returns:
        An error for `response.failed` and `error`, None for all others.
    """
    match getattr(event, "type", None):
        case "response.failed":
            return _failure(getattr(event, "response", None), server, "the event 'response.failed'")
        case "error":
            code, message = getattr(event, "code", None), getattr(event, "message", None)
            coded = f" ({code})" if code else ""
            return server.fault(f"broke off with an error{coded}: {message}")
        case _:
            return None


def _failure(response: object, server: Server, how: str) -> ModelBehaviorError:
    text = f"ended its response with {how}"
    error = raw_field(response, "error")
    reason = raw_field(raw_field(response, "incomplete_details"), "reason")
    if error:
        text += f": {reported_error(error)}"
    elif reason:
        text += f": {reason}"
        if reason == "max_output_tokens":
            text += ". Raise ModelSettings.max_tokens if the reply may be longer"
    return server.fault(f"{text}.")


def _is_text(output: list[Any]) -> bool:
    """Whether an output is a message with words, and nothing that a cut makes wrong."""
    kinds = {raw_field(item, "type") for item in output}.difference(_NO_TEXT)
    parts = [part for item in output for part in raw_field(item, "content") or ()]
    return kinds == {"message"} and any(raw_field(part, "text") for part in parts)


def _refusal() -> ResponseOutputItem:
    from openai.types.responses import ResponseOutputMessage, ResponseOutputRefusal

    refusal = ResponseOutputRefusal(
        type="refusal", refusal="The provider's content filter withheld the reply."
    )
    message = ResponseOutputMessage(
        id=FAKE_RESPONSES_ID,
        type="message",
        role="assistant",
        status="completed",
        content=[refusal],
    )
    return cast("ResponseOutputItem", message)
