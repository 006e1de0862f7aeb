"""The key, client and API that are used where a program gives no provider of its own.

These are process-wide, as in the published SDK: set them once, at the start of a program. A
provider reads them each time it is asked for a model.
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
    "openai_defaults",
    "set_default_openai_api",
    "set_default_openai_client",
    "set_default_openai_key",
]

OpenAIApi: TypeAlias = Literal["chat_completions", "responses"]


@dataclass(slots=True)
class OpenAIDefaults:
    """What was set for the whole process.

    Attributes:
        key: The API key; None reads `OPENAI_API_KEY`.
        client: The client to use for everything; None makes clients as needed.
        api: The API that models are called through.
        key_for_tracing: The key that traces may be exported with, if any.
    """

    key: str | None = None
    client: AsyncOpenAI | None = None
    api: OpenAIApi = "responses"
    key_for_tracing: str | None = None


openai_defaults: Final = OpenAIDefaults()
"""The settings of this process."""


def set_default_openai_key(key: str, use_for_tracing: bool = True) -> None:
    """Set the API key of models that no provider was given for.

    Args:
        key: The key; it wins over `OPENAI_API_KEY`.
        use_for_tracing: Whether traces may be exported with it too.
    """
    openai_defaults.key = key
    if use_for_tracing:
        openai_defaults.key_for_tracing = key


def set_default_openai_client(client: AsyncOpenAI, use_for_tracing: bool = True) -> None:
    """Set the client of models that no provider was given for.

    Args:
        client: The client; it wins over any key. It must belong to the event loop of the runs.
        use_for_tracing: Whether traces may be exported with its key too.
    """
    openai_defaults.client = client
    if use_for_tracing:
        openai_defaults.key_for_tracing = client.api_key


def set_default_openai_api(api: OpenAIApi) -> None:
    """Set the API that models are called through.

    Args:
        api: `responses` or `chat_completions`.

    Raises:
        UserError: It is neither.
    """
    if api not in ("chat_completions", "responses"):
        raise UserError(f"There is no OpenAI API {api!r}; use 'responses' or 'chat_completions'.")
    openai_defaults.api = api
