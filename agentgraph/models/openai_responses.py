"""`OpenAIResponsesModel`: the Responses API, through the `openai` client; `OpenAIResponsesWSModel`:
the same over a web socket.

The client does retries, timeouts and connections.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.models.event_loops import LoopValues
from agentgraph.models.gate.responses import LAST
from agentgraph.models.gate.server import Server, shown_url
from agentgraph.models.gate.stream import close_all
from agentgraph.models.request_arguments import past_the_client
from agentgraph.models.responses_converter import ConvertedTools, Converter
from agentgraph.models.responses_model import ResponsesModel
from agentgraph.models.responses_websocket import (
    Line,
    OpenAIResponsesWebSocketOptions,
    ResponseEvents,
    ResponsesWebSocketError,
    check_client,
    plain,
)

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = [
    "ConvertedTools",
    "Converter",
    "OpenAIResponsesModel",
    "OpenAIResponsesWSModel",
    "OpenAIResponsesWebSocketOptions",
    "ResponsesWebSocketError",
]


class OpenAIResponsesModel(ResponsesModel):
    """A model behind the Responses API.

    Args:
        model: The model's name as the API knows it.
        openai_client: The client to call it with.
        model_is_explicit: Whether the program chose this name. If it is only the default, the model
            that a stored prompt names takes precedence.
    """

    span_type = "response"

    def __init__(
        self, model: str, openai_client: AsyncOpenAI, *, model_is_explicit: bool = True
    ) -> None:
        super().__init__(model, model_is_explicit=model_is_explicit)
        self._client = openai_client

    @property
    def server(self) -> Server:
        """The model and its server, as messages name them."""
        client = self._client
        return Server(self.model, shown_url(client.base_url), client.api_key)

    async def _ask(self, request: dict[str, Any]) -> Any:
        request = past_the_client(self._client, request, "input", "instructions", "tools")
        return await self._client.responses.create(**request)


class OpenAIResponsesWSModel(OpenAIResponsesModel):
    """A model behind the Responses API, over a web socket.

    Args:
        model: The model's name as the API knows it.
        openai_client: The client to call it with; its `websocket_base_url` is the address, else
            its base URL with `wss`.
        model_is_explicit: Whether the program chose this name.
        websocket_options: Options of the connection.

    Raises:
        UserError: The installed client has no web socket for this API, or the package
            `websockets` is not installed.
    """

    def __init__(
        self,
        model: str,
        openai_client: AsyncOpenAI,
        *,
        model_is_explicit: bool = True,
        websocket_options: OpenAIResponsesWebSocketOptions | None = None,
    ) -> None:
        super().__init__(model, openai_client, model_is_explicit=model_is_explicit)
        check_client(openai_client)
        self._options = {"max_size": None, **(websocket_options or {})}
        self._lines: LoopValues[str, Line] = LoopValues()

    async def close(self) -> None:
        """Close the connection of the running event loop."""
        await close_all(self._lines.take())

    async def _ask(self, request: dict[str, Any]) -> Any:
        streamed = request.pop("stream", False)
        connection = {
            "extra_headers": dict(request.pop("extra_headers", {})),
            "extra_query": dict(request.pop("extra_query", {})),
            "websocket_connection_options": self._options,
        }
        message = {
            "type": "response.create",
            **{name: plain(value) for name, value in request.items() if name != "extra_body"},
            **(request.get("extra_body") or {}),
        }
        line = self._lines.here().setdefault("line", Line(self._client))
        events = ResponseEvents(line, connection, message)
        await events.start()
        if streamed:
            return events
        try:
            async for event in events:
                if event.type in LAST:
                    return event.response
        finally:
            await events.aclose()
        raise self.server.fault("broke off its stream before the response was complete.")
