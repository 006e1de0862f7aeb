"""Servers that imitate the Chat Completions API with differences, as a table.

A row says what a server does that OpenAI's does not. Code asks for a property of the row and never
for a vendor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlsplit

__all__ = ["ServerQuirks", "host_of", "quirks_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerQuirks:
    """What a server does differently.

    Attributes:
        call_ids: How the server names tool calls: `unique`, as the API requires; `missing`, if it
            may send none; `per_reply`, if it counts them in each reply anew. In the two last cases
            a call gets a unique id when it arrives.
        stores: Whether requests may ask the server to store the completion.
        usage_in_streams: Whether a stream may be asked for its usage.
        wants_reasoning_back: Whether a model that reasons needs its reasoning beside its tool
            calls in the next request.
    """

    call_ids: Literal["unique", "missing", "per_reply"] = "unique"
    stores: bool = False
    usage_in_streams: bool = False
    wants_reasoning_back: bool = False


_OPENAI: Final = ServerQuirks(stores=True, usage_in_streams=True)
_PLAIN: Final = ServerQuirks()

# The last part of the host's name; the first row that fits counts.
_HOSTS: Final = {
    "api.openai.com": _OPENAI,
    "api.deepseek.com": ServerQuirks(usage_in_streams=True, wants_reasoning_back=True),
    "api.moonshot.ai": ServerQuirks(usage_in_streams=True, wants_reasoning_back=True),
    "api.moonshot.cn": ServerQuirks(usage_in_streams=True, wants_reasoning_back=True),
    "generativelanguage.googleapis.com": ServerQuirks(call_ids="missing", usage_in_streams=True),
    "openrouter.ai": ServerQuirks(usage_in_streams=True),
    "api.groq.com": ServerQuirks(usage_in_streams=True),
}

# Parts of the names of models that want their reasoning back, on any server.
_WANT_REASONING_BACK: Final = ("deepseek", "kimi")


def quirks_of(base_url: object, model: str, row: ServerQuirks | None = None) -> ServerQuirks:
    """Return what a server does differently for a model.

    Args:
        base_url: The base URL of the client.
        model: The model's name.
        row: What the server does differently; None takes the row of its host.
    """
    quirks = row or _row_of(str(base_url))
    if any(part in model.lower() for part in _WANT_REASONING_BACK):
        return replace(quirks, wants_reasoning_back=True)
    return quirks


@lru_cache(64)  # asked in every call
def _row_of(url: str) -> ServerQuirks:
    host = host_of(url)
    rows = (quirks for name, quirks in _HOSTS.items() if host == name or host.endswith(f".{name}"))
    return next(rows, _PLAIN)


def host_of(url: object) -> str:
    """Return the host of a URL in lower case."""
    return urlsplit(str(url)).hostname or ""
