"""`responses_websocket_session`: runs that share the web sockets of one provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentgraph.models.multi_provider import (
    MultiProvider,
    MultiProviderOpenAIPrefixMode,
    MultiProviderUnknownPrefixMode,
)
from agentgraph.models.openai_provider import OpenAIProvider
from agentgraph.run import RunConfig, Runner

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.models.openai_responses import OpenAIResponsesWebSocketOptions
    from agentgraph.result import RunResult, RunResultStreaming
    from agentgraph.run_state import RunState

__all__ = ["ResponsesWebSocketSession", "responses_websocket_session"]


@dataclass(frozen=True)
class ResponsesWebSocketSession:
    """Runs agents with one provider, whose web sockets stay open between the runs.

    Attributes:
        provider: The provider of the models of OpenAI.
        run_config: The configuration of all runs; its `MultiProvider` has that provider.

    Raises:
        TypeError: The provider of the configuration is no `MultiProvider`.
        ValueError: It has another provider for OpenAI.
    """

    provider: OpenAIProvider
    run_config: RunConfig

    def __post_init__(self) -> None:
        if not isinstance(self.run_config.model_provider, MultiProvider):
            raise TypeError("run_config.model_provider of a web socket session is a MultiProvider.")
        if self.run_config.model_provider.openai_provider is not self.provider:
            raise ValueError("provider and run_config.model_provider of the session differ.")

    async def aclose(self) -> None:
        """Close the web sockets, and all that the provider holds."""
        assert self.run_config.model_provider is not None
        await self.run_config.model_provider.aclose()

    async def run(
        self,
        starting_agent: Agent[Any],
        input: str | list[TResponseInputItem] | RunState[Any],
        **kwargs: Any,
    ) -> RunResult:
        """Run an agent, as `Runner.run` does.

        Raises:
            ValueError: The call has a `run_config` of its own.
        """
        self._check(kwargs)
        return await Runner.run(starting_agent, input, run_config=self.run_config, **kwargs)

    def run_streamed(
        self,
        starting_agent: Agent[Any],
        input: str | list[TResponseInputItem] | RunState[Any],
        **kwargs: Any,
    ) -> RunResultStreaming:
        """Run an agent with a stream, as `Runner.run_streamed` does.

        Raises:
            ValueError: The call has a `run_config` of its own.
        """
        self._check(kwargs)
        return Runner.run_streamed(starting_agent, input, run_config=self.run_config, **kwargs)

    def _check(self, arguments: dict[str, Any]) -> None:
        if "run_config" in arguments:
            raise ValueError("The session has the run_config of its runs; do not pass another one.")


@asynccontextmanager
async def responses_websocket_session(
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    websocket_base_url: str | None = None,
    organization: str | None = None,
    project: str | None = None,
    openai_prefix_mode: MultiProviderOpenAIPrefixMode = "alias",
    unknown_prefix_mode: MultiProviderUnknownPrefixMode = "error",
    responses_websocket_options: OpenAIResponsesWebSocketOptions | None = None,
) -> AsyncIterator[ResponsesWebSocketSession]:
    """Open a session whose runs call the Responses API over web sockets.

    Args:
        api_key: As `api_key` of `OpenAIProvider`.
        base_url: As `base_url` of `OpenAIProvider`.
        websocket_base_url: As `websocket_base_url` of `OpenAIProvider`.
        organization: As `organization` of `OpenAIProvider`.
        project: As `project` of `OpenAIProvider`.
        openai_prefix_mode: As of `MultiProvider`.
        unknown_prefix_mode: As of `MultiProvider`.
        responses_websocket_options: Options of the connections.

    Yields:
        The session. Its connections are closed afterwards; read streams to their end before.
    """
    provider = MultiProvider(
        openai_api_key=api_key,
        openai_base_url=base_url,
        openai_websocket_base_url=websocket_base_url,
        openai_organization=organization,
        openai_project=project,
        openai_use_responses=True,
        openai_use_responses_websocket=True,
        openai_prefix_mode=openai_prefix_mode,
        unknown_prefix_mode=unknown_prefix_mode,
        openai_responses_websocket_options=responses_websocket_options,
    )
    session = ResponsesWebSocketSession(
        provider=provider.openai_provider, run_config=RunConfig(model_provider=provider)
    )
    try:
        yield session
    finally:
        await session.aclose()
