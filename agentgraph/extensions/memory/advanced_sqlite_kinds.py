"""What an item is to an advanced session: the beginning of a turn, the call of a tool or neither.

Kinds and names of tools are written as the published SDK writes them, because the files are
interchangeable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.approvals import tool_identity

__all__ = ["CALLS", "classified", "content_of", "is_user_message", "says_text"]

_NAMED_AFTER_THEMSELVES = frozenset(
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
_OF_A_SERVER = frozenset({"mcp_call", "mcp_approval_request"})
_OF_THE_TOOL_SEARCH = frozenset({"tool_search_call", "tool_search_output"})

CALLS = (
    _NAMED_AFTER_THEMSELVES
    | _OF_A_SERVER
    | {"function_call", "custom_tool_call", "tool_call", "tool_search_call"}
)
"""The kinds of items that call a tool. Other items may have the name of a tool as well."""


def is_user_message(item: Mapping[str, Any]) -> bool:
    """Tell whether an item begins a turn."""
    return item.get("role") == "user"


def content_of(item: Mapping[str, Any]) -> Any:
    """Return the content of a message, empty text when it has none."""
    return item.get("content", "")


def classified(item: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the kind of an item and the name of the tool it calls, if it calls one."""
    kind = item.get("type")
    role = item.get("role")
    if role in ("user", "assistant"):
        return role, None
    if not isinstance(kind, str):
        return "other", None
    if kind in _NAMED_AFTER_THEMSELVES:
        return kind, kind
    if kind in _OF_THE_TOOL_SEARCH:
        return kind, "tool_search"
    if kind not in CALLS:
        return kind, None
    name = item.get("name")
    space = item.get("server_label" if kind in _OF_A_SERVER else "namespace")
    if not name:
        return kind, space or None
    return kind, tool_identity(str(name), space)


def says_text(item: Mapping[str, Any], text: str) -> bool:
    """Tell whether a message contains a text, whatever its case; its parts are looked at alone."""
    content = content_of(item)
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    wanted = text.casefold()
    return any(isinstance(said, str) and wanted in said.casefold() for said in texts)
