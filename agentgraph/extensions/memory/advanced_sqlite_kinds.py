"""The kinds of items in an advanced session: the beginning of a turn, a tool call or neither.

Kinds and names of tools are the published SDK's, because the files are interchangeable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.approvals import tool_identity

__all__ = ["CALLS", "contains_text", "content_of", "is_user_message", "kind_and_tool"]

_NAMED_BY_TYPE = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "computer_call",
        "code_interpreter_call",
        "image_generation_call",
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
    }
)
_SERVER_CALLS = frozenset({"mcp_call", "mcp_approval_request"})
_TOOL_SEARCH = frozenset({"tool_search_call", "tool_search_output"})

CALLS = (
    _NAMED_BY_TYPE
    | _SERVER_CALLS
    | {"function_call", "custom_tool_call", "tool_call", "tool_search_call"}
)
"""The kinds of items that call a tool. Other items may also have the name of a tool."""


def is_user_message(item: Mapping[str, Any]) -> bool:
    """Return whether an item begins a turn."""
    return item.get("role") == "user"


def content_of(item: Mapping[str, Any]) -> Any:
    """Return the content of a message; the empty text if it has none."""
    return item.get("content", "")


def kind_and_tool(item: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the kind of an item, and the name of the tool if the item is a call."""
    kind = item.get("type")
    role = item.get("role")
    if role in ("user", "assistant"):
        return role, None
    if not isinstance(kind, str):
        return "other", None
    if kind in _NAMED_BY_TYPE:
        return kind, kind
    if kind in _TOOL_SEARCH:
        return kind, "tool_search"
    if kind not in CALLS:
        return kind, None
    name = item.get("name")
    space = item.get("server_label" if kind in _SERVER_CALLS else "namespace")
    if not name:
        return kind, space or None
    return kind, tool_identity(str(name), space)


def contains_text(item: Mapping[str, Any], text: str) -> bool:
    """Return whether one part of a message contains a text, ignoring case."""
    content = content_of(item)
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    pattern = text.casefold()
    return any(isinstance(part, str) and pattern in part.casefold() for part in texts)
