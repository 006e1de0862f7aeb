"""Calls that are not function calls: the output item by which a model makes one, and the agent's
tool that carries it out on this side.

A tool is recognised by its attributes, never by its class, so the tools of the published SDK work
as well. The front end and the drivers both use this one table. ``None`` means that the provider
carries out the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

__all__ = [
    "ACTION_ITEMS",
    "ActionItem",
    "action_item_of",
    "acts_at_provider",
    "is_provider_shell",
    "server_label",
]

ActionItem: TypeAlias = Literal[
    "computer_call",
    "custom_tool_call",
    "shell_call",
    "apply_patch_call",
    "local_shell_call",
    "mcp_approval_request",
]
"""The type of an output item that asks for work on this side and is not a function call."""

ACTION_ITEMS: Final[dict[str, str]] = {
    "computer_call": "computer",
    "custom_tool_call": "custom",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
    "local_shell_call": "local_shell",
}
"""What such an item asks for, in one word, in the order in which outputs stand
(docs/design/behaviour.md, section 2)."""


def action_item_of(tool: object) -> ActionItem | None:
    """Return the type of the output item that a tool carries out on this side.

    Args:
        tool: Any tool of an agent.

    Returns:
        The item's type; ``None`` for a function tool, which the model calls by name, and for a
        tool that the provider runs.
    """
    if hasattr(tool, "on_invoke_tool"):
        return None if hasattr(tool, "params_json_schema") else "custom_tool_call"
    if getattr(tool, "computer", None) is not None:
        return "computer_call"
    if getattr(tool, "editor", None) is not None:
        return "apply_patch_call"
    if getattr(tool, "executor", None) is not None:
        return "shell_call" if hasattr(tool, "environment") else "local_shell_call"
    if hasattr(tool, "on_approval_request"):
        return "mcp_approval_request"
    return None


def is_provider_shell(tool: object) -> bool:
    """Whether the provider runs the tool's commands in an environment of its own."""
    return hasattr(tool, "environment") and getattr(tool, "executor", None) is None


def server_label(tool: object) -> str | None:
    """Return the label by which the provider refers to a hosted MCP server.

    It is ``None`` for other tools.
    """
    if not hasattr(tool, "on_approval_request"):
        return None
    label = getattr(tool, "tool_config", {}).get("server_label")
    return label if isinstance(label, str) else None


def acts_at_provider(tool: object) -> bool:
    """Whether a call that the provider carries out can change something before this side hears of
    it: code that runs there does, and a server's tools do unless each call needs an approval, as
    by the API's default, or they only read."""
    if is_provider_shell(tool):
        return True
    configuration = getattr(tool, "tool_config", None)
    if not isinstance(configuration, Mapping):
        return False
    if configuration.get("type") == "code_interpreter":
        return True
    allowed = configuration.get("allowed_tools")
    only_reads = isinstance(allowed, Mapping) and allowed.get("read_only") is True
    approval = configuration.get("require_approval") or "always"
    return server_label(tool) is not None and approval != "always" and not only_reads
