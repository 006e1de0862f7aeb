"""`OpenAIChatCompletionsModel`: the Chat Completions API of OpenAI, or of a server that imitates
it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentgraph.models.chat_model import ChatModel
from agentgraph.models.gate.quirks import ServerQuirks, quirks_of
from agentgraph.models.gate.server import Server, shown_url
from agentgraph.models.gate.stream import watch_end
from agentgraph.models.reasoning_content_replay import ShouldReplayReasoningContent
from agentgraph.models.request_arguments import past_the_client

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["OpenAIChatCompletionsModel", "ServerQuirks"]


class OpenAIChatCompletionsModel(ChatModel):
    """A model behind the Chat Completions API.

    Args:
        model: The model's name as the API knows it.
        openai_client: The client to call it with.
        should_replay_reasoning_content: Decides which reasoning goes back to the model. By default
            it is that of models which refuse a tool's output without it.
        strict_feature_validation: Whether a stored prompt or a server-side conversation is an
            error. Otherwise the request leaves it out with a warning.
        buffer_streamed_tool_calls: Whether a streamed reply announces its tool calls only when they
            are complete.
        server_quirks: What the server does differently; by default what is known of its host.
    """

    def __init__(
        self,
        model: str,
        openai_client: AsyncOpenAI,
        should_replay_reasoning_content: ShouldReplayReasoningContent | None = None,
        strict_feature_validation: bool = False,
        buffer_streamed_tool_calls: bool = False,
        *,
        server_quirks: ServerQuirks | None = None,
    ) -> None:
        super().__init__(
            model,
            should_replay_reasoning_content,
            strict_feature_validation,
            buffer_streamed_tool_calls,
        )
        self._client = openai_client
        self._quirks = server_quirks

    @property
    def server(self) -> Server:
        """The model and its server, as messages name them."""
        client = self._client
        return Server(self.model, shown_url(client.base_url), client.api_key)

    @property
    def server_quirks(self) -> ServerQuirks:
        """What the server does differently."""
        return self._quirks or quirks_of(self._client.base_url, self.model)

    @property
    def _url(self) -> str:
        return str(self._client.base_url)

    async def _ask(self, request: dict[str, Any]) -> Any:
        request = past_the_client(self._client, request, "messages", "tools")
        request.setdefault("messages", ())  # the client requires the argument
        return await self._client.chat.completions.create(**request)

    def _watch_end(self, stream: object) -> Callable[[], bool]:
        return watch_end(stream)
