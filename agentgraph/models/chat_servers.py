"""Servers of the Chat Completions API that a prefix of a model's name selects, as a table.

A row sets a base URL, the variables of the environment that hold a key and another URL, and the
quirks of the server. `ollama/llama3.3` is the model `llama3.3` of the row `ollama`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from agentgraph.exceptions import UserError
from agentgraph.models.default_models import rehearsal_is_asked_for
from agentgraph.models.gate.quirks import ServerQuirks, quirks_of
from agentgraph.models.interface import Model, ModelProvider
from agentgraph.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agentgraph.models.openai_clients import Clients, Connection
from agentgraph.models.rehearsal import RehearsalModel

__all__ = ["CHAT_SERVERS", "ChatServer", "ChatServerProvider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatServer:
    """A server with the Chat Completions API.

    Attributes:
        base_url: Its base URL.
        url_variable: The environment variable that overrides the base URL.
        key_variables: The environment variables that may hold the key; the first with a value
            counts.
        needs_key: Whether the server answers only with a key. Servers on one's own machine do not.
        quirks: What the server does differently; None takes the row of its host.
    """

    base_url: str
    url_variable: str
    key_variables: tuple[str, ...]
    needs_key: bool = True
    quirks: ServerQuirks | None = None


_LOCAL: Final = ServerQuirks(usage_in_streams=True)

CHAT_SERVERS: Final[Mapping[str, ChatServer]] = MappingProxyType(
    {
        "gemini": ChatServer(
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            url_variable="GEMINI_BASE_URL",
            key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        ),
        "groq": ChatServer(
            base_url="https://api.groq.com/openai/v1",
            url_variable="GROQ_BASE_URL",
            key_variables=("GROQ_API_KEY",),
        ),
        "lmstudio": ChatServer(
            base_url="http://127.0.0.1:1234/v1",
            url_variable="LMSTUDIO_BASE_URL",
            key_variables=("LMSTUDIO_API_KEY",),
            needs_key=False,
            quirks=_LOCAL,
        ),
        "mistral": ChatServer(
            base_url="https://api.mistral.ai/v1",
            url_variable="MISTRAL_BASE_URL",
            key_variables=("MISTRAL_API_KEY",),
        ),
        "ollama": ChatServer(
            base_url="http://127.0.0.1:11434/v1",
            url_variable="OLLAMA_BASE_URL",
            key_variables=("OLLAMA_API_KEY",),
            needs_key=False,
            quirks=_LOCAL,
        ),
        "openrouter": ChatServer(
            base_url="https://openrouter.ai/api/v1",
            url_variable="OPENROUTER_BASE_URL",
            key_variables=("OPENROUTER_API_KEY",),
        ),
        "vllm": ChatServer(
            base_url="http://127.0.0.1:8000/v1",
            url_variable="VLLM_BASE_URL",
            key_variables=("VLLM_API_KEY",),
            needs_key=False,
            quirks=_LOCAL,
        ),
    }
)
"""The servers by the prefix of their models."""


class ChatServerProvider(ModelProvider):
    """Finds models of one server.

    Args:
        prefix: A name of `CHAT_SERVERS`.
        base_url: The server's address; None takes the environment, then that of the table.
        api_key: The key; None takes the environment.

    Raises:
        UserError: The table has no such server.
    """

    def __init__(
        self, prefix: str, *, base_url: str | None = None, api_key: str | None = None
    ) -> None:
        if prefix not in CHAT_SERVERS:
            raise UserError(f"There is no server {prefix!r}; use {', '.join(CHAT_SERVERS)}.")
        self._prefix = prefix
        self._server = CHAT_SERVERS[prefix]
        self._base_url = base_url
        self._api_key = api_key
        self._clients = Clients()

    def get_model(self, model_name: str | None) -> Model:
        """Return a model. The environment is read each time.

        Args:
            model_name: Its name as the server knows it.

        Raises:
            UserError: There is no name, or the server needs a key and none is set.
        """
        if rehearsal_is_asked_for():
            return RehearsalModel()
        server = self._server
        if not model_name:
            raise UserError(
                f"Name a model of {self._prefix}: a name such as '{self._prefix}/MODEL'."
            )
        base_url = self._base_url or os.getenv(server.url_variable) or server.base_url
        connection = Connection(api_key=self._key(), base_url=base_url, is_openai=False)
        row = server.quirks or quirks_of(server.base_url, "")
        return OpenAIChatCompletionsModel(
            model_name,
            self._clients.client(connection),
            server_quirks=quirks_of(base_url, model_name, row),
        )

    async def aclose(self) -> None:
        """Close the clients that this provider made for the running event loop."""
        await self._clients.aclose()

    def _key(self) -> str:
        server = self._server
        keys = (self._api_key, *map(os.getenv, server.key_variables))
        key = next(filter(None, keys), None)
        if key is None and server.needs_key:
            raise UserError(
                f"There is no API key for models of {self._prefix}: set "
                f"{' or '.join(server.key_variables)}."
            )
        return key or "none"  # The client insists on a text.
