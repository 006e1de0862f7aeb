"""Make a `ModelResponse` from a provider's response, in one piece or as events.

`StreamedResponse` works for any model that streams events of the Responses API: it reads each event
and builds the reply at the end. A response that failed or is incomplete is an error, never a reply.
An event without a `type` attribute, such as a dictionary of a third party's model, contributes
nothing to the reply, but consumers of the stream still receive it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import ModelBehaviorError
from agentgraph.items.responses import ModelResponse
from agentgraph.models.gate.counts import raw_usage, usage_of
from agentgraph.models.gate.responses import ANSWERS, complete_output, event_failure
from agentgraph.models.gate.server import Server
from agentgraph.usage import Usage
from agentgraph.usage.failures import with_failures

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseStreamEvent

__all__ = ["ExactUsage", "StreamedResponse", "Takeover", "model_response"]


@dataclass(frozen=True, slots=True)
class Takeover:
    """Which of several models answered (`FallbackModel`).

    Attributes:
        model: Its name and its server.
        failures: How many models failed before it.
    """

    model: str
    failures: int

    def mark(self, event: object) -> None:
        """Note this on the response of a stream's last event."""
        response = getattr(event, "response", None)
        if response is not None:
            response._takeover = self


@dataclass(frozen=True, slots=True)
class ExactUsage:
    """The usage of a streamed reply in our own form. The API's form has no place for the number of
    requests and their entries.

    Attributes:
        usage: The usage.
        raw: The usage in the provider's form, if the model states one.
    """

    usage: Usage
    raw: dict[str, Any] | None

    def mark(self, response: Response) -> None:
        """Note this on the response of a stream's last event."""
        response._exact_usage = self  # type: ignore[attr-defined]


class StreamedResponse:
    """Collects the reply of a streamed call from its events.

    Pass it each event with `see`, then get the reply with `finish`.

    Args:
        model: The model, for messages.
    """

    __slots__ = ("_event", "_failure", "_items", "_model", "_response")

    def __init__(self, model: object) -> None:
        self._items: dict[int, Any] = {}
        self._response: Any = None
        self._event: str | None = None
        self._failure: ModelBehaviorError | None = None
        self._model = model

    def see(self, event: ResponseStreamEvent) -> None:
        """Add an event to the reply.

        Args:
            event: The next event of the stream.
        """
        match getattr(event, "type", None):
            case "response.output_item.done":
                self._items[event.output_index] = event.item  # type: ignore[union-attr]
            case kind if kind in ANSWERS:
                self._event = kind
                self._response = getattr(event, "response", None)
            case "response.failed" | "error" if self._failure is None:
                self._failure = event_failure(event, Server.of(self._model))

    def finish(
        self, *, preserve_raw_usage: bool = False, keep_cut_text: bool = False
    ) -> ModelResponse:
        """Return the reply.

        If the last event has an empty output, the reply consists of the items that the stream
        delivered before.

        Args:
            preserve_raw_usage: Whether the reply includes the provider's usage unchanged.
            keep_cut_text: Whether a text that the limit of tokens cut off is a reply.

        Returns:
            The reply.

        Raises:
            ModelBehaviorError: The stream ended without a complete response.
        """
        if self._failure is not None:
            raise self._failure
        if self._event is None:
            raise Server.of(self._model).fault("did not produce a final response.")
        items = [self._items[index] for index in sorted(self._items)]
        return model_response(
            self._response,
            Server.of(self._model),
            preserve_raw_usage=preserve_raw_usage,
            keep_cut_text=keep_cut_text,
            items=items,
            event=self._event,
        )


def model_response(
    response: Response,
    server: Server,
    *,
    preserve_raw_usage: bool = False,
    keep_cut_text: bool = False,
    items: list[Any] | None = None,
    event: str | None = None,
) -> ModelResponse:
    """Turn a complete response of the Responses API into this package's reply.

    Args:
        response: The client's response object.
        server: The sender.
        preserve_raw_usage: Whether the reply includes the provider's usage unchanged.
        keep_cut_text: Whether a text that the limit of tokens cut off is a reply.
        items: The output if the response has none.
        event: The type of the event that brought the response; None if it came in one piece.

    Returns:
        The reply, sharing the output items with the response.

    Raises:
        ModelBehaviorError: The response is not a complete reply.
    """
    output = complete_output(response, server, keep_cut_text=keep_cut_text, event=event)
    usage: object = getattr(response, "usage", None)
    exact: ExactUsage | None = getattr(response, "_exact_usage", None)
    spent = usage_of(usage) if exact is None else exact.usage
    takeover: Takeover | None = getattr(response, "_takeover", None)
    reply = ModelResponse(
        output=output or items or [],
        usage=with_failures(spent, takeover.failures if takeover else 0),
        response_id=getattr(response, "id", None),
        request_id=getattr(response, "_request_id", None),
        answered_by=takeover.model if takeover else None,
    )
    if preserve_raw_usage:
        reply.raw_usage = raw_usage(usage) if exact is None else exact.raw
    return reply
