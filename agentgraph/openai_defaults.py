"""The key, client and API for programs that pass no provider of their own.

These settings are process-wide, as in the published SDK: set them once, at the start of a program.
A provider reads them each time it makes a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from agentgraph.exceptions import UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = [
    "OpenAIApi",
    "OpenAIDefaults",
    "OpenAIResponsesTransport",
    "openai_defaults",
    "set_default_openai_api",
    "set_default_openai_client",
    "set_default_openai_key",
    "set_default_openai_responses_transport",
]

OpenAIApi: TypeAlias = Literal["chat_completions", "responses"]
OpenAIResponsesTransport: TypeAlias = Literal["http", "websocket"]


@dataclass(slots=True)
class OpenAIDefaults:
    """The settings of the whole process.

    Attributes:
        key: The API key; None stands for the value of `OPENAI_API_KEY`.
        client: The client for all models; None creates clients as needed.
        api: The API through which models are called.
        key_for_tracing: The key for the export of traces, if any.
        responses_transport: How the Responses API is called.
    """

    key: str | None = None
    client: AsyncOpenAI | None = None
    api: OpenAIApi = "responses"
    key_for_tracing: str | None = None
    responses_transport: OpenAIResponsesTransport = "http"


openai_defaults: Final = OpenAIDefaults()
"""The settings of this process."""


def set_default_openai_key(key: str, use_for_tracing: bool = True) -> None:
    """Set the API key for programs that pass no provider of their own.

    Args:
        key: The key; it takes precedence over `OPENAI_API_KEY`.
        use_for_tracing: Whether the export of traces may use it too.
    """
    openai_defaults.key = key
    if use_for_tracing:
        openai_defaults.key_for_tracing = key


def set_default_openai_client(client: AsyncOpenAI, use_for_tracing: bool = True) -> None:
    """Set the client for programs that pass no provider of their own.

    Args:
        client: The client; it takes precedence over any key. It must belong to the event loop of
            the runs.
        use_for_tracing: Whether the export of traces may use its key too.
    """
    openai_defaults.client = client
    if use_for_tracing:
        openai_defaults.key_for_tracing = client.api_key


def set_default_openai_api(api: OpenAIApi) -> None:
    """Set the API through which models are called.

    Args:
        api: `responses` or `chat_completions`.

    Raises:
        UserError: `api` is neither of these.
    """
    if api not in ("chat_completions", "responses"):
        raise UserError(f"There is no OpenAI API {api!r}; use 'responses' or 'chat_completions'.")
    openai_defaults.api = api


def set_default_openai_responses_transport(transport: OpenAIResponsesTransport) -> None:
    """Set how the Responses API is called.

    Args:
        transport: `http`, or `websocket` for a connection that stays open between requests.

    Raises:
        UserError: `transport` is neither of these.
    """
    if transport not in ("http", "websocket"):
        raise UserError(f"There is no transport {transport!r}; use 'http' or 'websocket'.")
    openai_defaults.responses_transport = transport
