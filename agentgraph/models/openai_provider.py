"""`OpenAIProvider`: models by name, from OpenAI or from any server with its API.

Without a key the provider makes no model; a rehearsal answers only where the program or the
environment asks for one.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

from agentgraph.exceptions import UserError
from agentgraph.models.default_models import get_default_model, rehearsal_is_asked_for
from agentgraph.models.event_loops import LoopValues
from agentgraph.models.gate.server import shown_url
from agentgraph.models.gate.stream import close_all
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_clients import Clients, Connection
from agentgraph.models.openai_responses import (
    OpenAIResponsesModel,
    OpenAIResponsesWebSocketOptions,
    OpenAIResponsesWSModel,
)
from agentgraph.models.rehearsal import RehearsalModel
from agentgraph.openai_defaults import openai_defaults

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["DEFAULT_MODEL", "OpenAIProvider"]

DEFAULT_MODEL: Final = "gpt-4o"
"""The default model of the published SDK's first versions; here only so that imports work."""


class OpenAIProvider(ModelProvider):
    """Finds models behind an OpenAI API.

    Args:
        api_key: The key; None takes the process's default, then `OPENAI_API_KEY`.
        base_url: The server's address; None takes `OPENAI_BASE_URL`, then OpenAI's own.
        websocket_base_url: The address of the server's web socket; None takes
            `OPENAI_WEBSOCKET_BASE_URL`, then derives it from the base URL.
        openai_client: The client to use; it excludes key, address, organization and project.
        organization: The organization to bill.
        project: The project to bill.
        use_responses: Whether models are called through the Responses API, not Chat Completions;
            None takes the process's default.
        use_responses_websocket: Whether the Responses API is called over a web socket; None takes
            the process's default.
        strict_feature_validation: Whether Chat Completions models refuse a feature that their API
            does not have, instead of leaving it out.
        agent_registration: Not supported.
        responses_websocket_options: Options of the web socket.
        buffer_streamed_tool_calls: Whether Chat Completions models announce a streamed tool call
            only when it is complete.

    Raises:
        UserError: The arguments contradict each other, or ask for an unsupported feature.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        websocket_base_url: str | None = None,
        openai_client: AsyncOpenAI | None = None,
        organization: str | None = None,
        project: str | None = None,
        use_responses: bool | None = None,
        use_responses_websocket: bool | None = None,
        strict_feature_validation: bool = False,
        agent_registration: object = None,
        responses_websocket_options: OpenAIResponsesWebSocketOptions | None = None,
        buffer_streamed_tool_calls: bool = False,
    ) -> None:
        values = (api_key, base_url, websocket_base_url, organization, project)
        if openai_client is not None and any(values):
            raise UserError(
                "OpenAIProvider takes either openai_client or the values to make a client from "
                "(api_key, base_url, websocket_base_url, organization, project), not both."
            )
        if agent_registration is not None:
            raise UserError(
                "OpenAIProvider cannot register agents with the API; leave out agent_registration."
            )
        self._api_key = api_key
        self._base_url = base_url
        self._websocket_base_url = websocket_base_url
        self._organization = organization
        self._project = project
        self._client = openai_client
        self._use_responses = use_responses
        self._use_websocket = use_responses_websocket
        self._websocket_options = responses_websocket_options
        self._strict = strict_feature_validation
        self._buffer_calls = buffer_streamed_tool_calls
        self._clients = Clients()
        self._on_websockets: LoopValues[tuple[str, bool], OpenAIResponsesWSModel] = LoopValues()

    def get_model(self, model_name: str | None) -> Model:
        """Return a model.

        Args:
            model_name: Its name as the API knows it; None takes the default model.

        Returns:
            A model of the API; a `RehearsalModel` if `AGENTGRAPH_MODEL` asks for it.

        Raises:
            UserError: No key is set. It is an `openai.OpenAIError` too, as in the SDK.
        """
        if rehearsal_is_asked_for():
            return RehearsalModel()
        client = self._client_or_new()
        name = get_default_model() if model_name is None else model_name
        use_responses = self._use_responses
        if use_responses is None:
            use_responses = openai_defaults.api == "responses"
        if use_responses:
            explicit = model_name is not None
            use_websocket = self._use_websocket
            if use_websocket is None:
                use_websocket = openai_defaults.responses_transport == "websocket"
            if use_websocket:
                return self._on_websocket(name, client, explicit)
            return OpenAIResponsesModel(name, client, model_is_explicit=explicit)
        return OpenAIChatCompletionsModel(
            name,
            client,
            strict_feature_validation=self._strict,
            buffer_streamed_tool_calls=self._buffer_calls,
        )

    async def aclose(self) -> None:
        """Close the web sockets of the running event loop, and the clients that this provider made
        for it.

        A client that its caller made stays open.
        """
        await close_all([*self._on_websockets.take(), self._clients])

    def _on_websocket(
        self, name: str, client: AsyncOpenAI, explicit: bool
    ) -> OpenAIResponsesWSModel:
        """Return the running loop's model with a name, so that runs share its web socket."""
        models = self._on_websockets.here()
        if (name, explicit) not in models:
            models[name, explicit] = OpenAIResponsesWSModel(
                name,
                client,
                model_is_explicit=explicit,
                websocket_options=self._websocket_options,
            )
        return models[name, explicit]

    def _client_or_new(self) -> AsyncOpenAI:
        if self._client is not None:
            return self._client
        values = (
            self._api_key,
            self._base_url,
            self._websocket_base_url,
            self._organization,
            self._project,
        )
        if openai_defaults.client is not None and not any(values):
            return openai_defaults.client
        key = self._api_key or openai_defaults.key or os.getenv("OPENAI_API_KEY")
        base_url = self._base_url or os.getenv("OPENAI_BASE_URL")
        if not key:
            raise _no_key(base_url)
        return self._clients.client(
            Connection(
                api_key=key,
                base_url=base_url,
                websocket_base_url=self._websocket_base_url
                or os.getenv("OPENAI_WEBSOCKET_BASE_URL"),
                organization=self._organization,
                project=self._project,
            )
        )


def _no_key(base_url: str | None) -> UserError:
    """Say which ways there are to answer a run."""
    where = f" for the model server {shown_url(base_url)}" if base_url else ""
    free = " (for a server that asks for no key, any text)" if base_url else ""
    return _missing_key_error()(
        f"There is no API key{where}. Set OPENAI_API_KEY{free}, call set_default_openai_key(), or "
        "give a provider or client with a key. To try the workflow out without a language model, "
        "ask for a rehearsal: AGENTGRAPH_MODEL=rehearsal, RunConfig(model=RehearsalModel()), or "
        "`agentgraph run --rehearse`."
    )


@cache
def _missing_key_error() -> type[UserError]:
    from openai import OpenAIError

    class MissingKeyError(UserError, OpenAIError):
        """There is no key, which the client of the SDK reports with an exception of its own."""

    return MissingKeyError
