"""`OpenAIResponsesModel`: the Responses API, through the `openai` client.

The client does retries, timeouts and connections.

The client compares every input item and tool of a request with each type of the API that it might
be. This takes half a millisecond an item and blocks the event loop. The requests are plain data
already, so they have a form that the client passes on without a look: the input is a tuple, and the
tools are in the body's extra fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.models.gate.server import Server, shown_url
from agentgraph.models.responses_converter import ConvertedTools, Converter
from agentgraph.models.responses_model import ResponsesModel

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["ConvertedTools", "Converter", "OpenAIResponsesModel"]


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
        body = request.get("extra_body")
        if "tools" in request and (body is None or isinstance(body, Mapping)):
            tools = request.pop("tools")
            request["extra_body"] = {"tools": tools, **(body or {})}
        return await self._client.responses.create(**request)
