"""Parameters of Chat Completions requests that depend on the server.

Some parameters are OpenAI's own, and servers that imitate the API refuse them. Such a server
receives them only if the settings ask for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentgraph.model_settings import ModelSettings

__all__ = ["is_openai", "store_parameter", "stream_options"]


def is_openai(client: AsyncOpenAI) -> bool:
    """Whether a client talks to OpenAI itself."""
    return str(client.base_url).startswith("https://api.openai.com")


def store_parameter(client: AsyncOpenAI, settings: ModelSettings) -> bool | None:
    """Return the `store` parameter: the setting if there is one, else True at OpenAI and None
    elsewhere."""
    if settings.store is not None:
        return settings.store
    return True if is_openai(client) else None


def stream_options(client: AsyncOpenAI, settings: ModelSettings) -> dict[str, bool] | None:
    """Return the options of a stream, which ask for usage if the settings do, else at OpenAI
    only."""
    if settings.include_usage is not None:
        return {"include_usage": settings.include_usage}
    return {"include_usage": True} if is_openai(client) else None
