"""Parameters of Chat Completions requests that depend on the server.

Some parameters are OpenAI's own, and servers that imitate the API refuse them. Such a server
receives them only if the settings ask for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentgraph.model_settings import ModelSettings
    from agentgraph.models.gate.quirks import ServerQuirks

__all__ = ["store_parameter", "stream_options"]


def store_parameter(quirks: ServerQuirks, settings: ModelSettings) -> bool | None:
    """Return the `store` parameter: the setting if there is one, else True at servers that store
    completions and None elsewhere."""
    if settings.store is not None:
        return settings.store
    return True if quirks.stores else None


def stream_options(quirks: ServerQuirks, settings: ModelSettings) -> dict[str, bool] | None:
    """Return the options of a stream, which ask for usage if the settings do, else at servers that
    send it."""
    if settings.include_usage is not None:
        return {"include_usage": settings.include_usage}
    return {"include_usage": True} if quirks.usage_in_streams else None
