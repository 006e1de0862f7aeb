"""Lowering of tools: which invoke each becomes, and which run at the model's side and become
none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentgraph.frontend.lower_types import context_of_callable, digest
from agentgraph.frontend.origins import Overrides, allowed_on, origin_of
from agentgraph.local_actions import action_item_of, server_label
from agentgraph_compiler.ir.chart import Enabled, Tool
from agentgraph_compiler.machine import InvokeKind


def enabled(entry: Any) -> Enabled:
    """Whether a tool or handoff is on offer, as far as it can be told before a run."""
    flag = getattr(entry, "is_enabled", True)
    if callable(flag):
        return Enabled.SOMETIMES
    return Enabled.ALWAYS if flag else Enabled.NEVER


def agent_of(tool: Any) -> Any | None:
    """The agent that a tool runs, if it is an agent used as a tool."""
    inner = getattr(tool, "agent", None) or getattr(tool, "_agent_instance", None)
    return inner if hasattr(inner, "handoffs") and hasattr(inner, "instructions") else None


def kind_of(tool: Any) -> InvokeKind | None:
    """The invoke a tool becomes; ``None`` for a hosted tool, which runs at the model's side."""
    if agent_of(tool) is not None:
        return InvokeKind.AGENT
    if hasattr(tool, "on_invoke_tool"):
        return InvokeKind.FUNCTION
    return None if action_item_of(tool) is None else InvokeKind.ACTION


def name_of(tool: Any) -> str:
    """What tells a tool from the others of its agent: hosted MCP servers share one name, but the
    provider knows each by its label."""
    label = server_label(tool)
    return tool.name if label is None else f"{tool.name} {label}"


def lower_tool(
    tool: Any, symbol: str, subchart_of: Callable[[Any], str], overrides: Overrides | None
) -> Tool:
    """The declaration of a tool.

    Args:
        tool: The tool object.
        symbol: Its name in the bindings.
        subchart_of: Gives the name of the sub-chart that an agent tool runs.
        overrides: Origins that take precedence.
    """
    kind = kind_of(tool)
    return Tool(
        symbol,
        name_of(tool),
        kind,
        enabled(tool),
        subchart_of(tool) if kind is InvokeKind.AGENT else "",
        context_of_callable(getattr(tool, "_function", None)),
        digest(
            tool.name,
            getattr(tool, "description", ""),
            getattr(tool, "params_json_schema", None),
        ),
        origin_of(tool, overrides),
        allowed_on(tool),
    )
