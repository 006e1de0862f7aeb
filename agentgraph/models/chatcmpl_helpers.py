"""What requests of the Chat Completions API need besides the conversation.

Some parameters are OpenAI's own; servers that only imitate the API refuse them.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentgraph.model_settings import ModelSettings

__all__ = ["HEADERS", "HEADERS_OVERRIDE", "ChatCmplHelpers"]

HEADERS: Final[dict[str, str]] = {"User-Agent": "agentgraph"}
"""The headers that every request of a Chat Completions model carries."""

HEADERS_OVERRIDE: ContextVar[dict[str, str] | None] = ContextVar(
    "agentgraph_chat_completions_headers", default=None
)
"""Further headers of the requests made in a context; they win over `HEADERS`."""


class ChatCmplHelpers:
    """Decides on parameters that depend on the server; holds no state."""

    @classmethod
    def is_openai(cls, client: AsyncOpenAI) -> bool:
        """Whether a client talks to OpenAI itself."""
        return str(client.base_url).startswith("https://api.openai.com")

    @classmethod
    def get_store_param(cls, client: AsyncOpenAI, model_settings: ModelSettings) -> bool | None:
        """Return whether the reply is to be stored: as set, else yes at OpenAI and unsaid
        elsewhere."""
        if model_settings.store is not None:
            return model_settings.store
        return True if cls.is_openai(client) else None

    @classmethod
    def get_stream_options_param(
        cls, client: AsyncOpenAI, model_settings: ModelSettings, stream: bool
    ) -> dict[str, bool] | None:
        """Return the options of a stream: the usage as set, else asked for at OpenAI only."""
        if not stream:
            return None
        wanted = model_settings.include_usage
        if wanted is None:
            return {"include_usage": True} if cls.is_openai(client) else None
        return {"include_usage": wanted}
