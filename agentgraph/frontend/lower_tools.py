"""Lowering of tools: which work a call of each is, what stands around it, and which run at the
model's side and become none."""

from __future__ import annotations

from typing import Any

from agentgraph.frontend.digests import attributes_of, public_fields, qualified_name
from agentgraph.tools.actions import action_item_of, server_label
from agentgraph_compiler.ir.chart import Approval, Enabled
from agentgraph_compiler.machine import WorkKind

_OF_FUNCTION_TOOLS = (
    "name",
    "description",
    "params_json_schema",
    "strict_json_schema",
    "is_enabled",
    "needs_approval",
    "tool_input_guardrails",
    "tool_output_guardrails",
    "timeout_seconds",
    "timeout_behavior",
    "timeout_error_function",
    "_failure_error_function",
    "defer_loading",
    "custom_data_extractor",
    "max_turns",
    "custom_output_extractor",
    "input_builder",
    "include_input_schema",
)
_WORKERS = frozenset({"computer", "editor", "executor"})


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


def approval(tool: Any) -> Approval:
    """Whether a person decides on the calls of a tool first, as far as it can be told before a
    run."""
    needed = getattr(tool, "needs_approval", False)
    if callable(needed):
        return Approval.ASKED
    return Approval.ALWAYS if needed else Approval.NEVER


def screened(part: Any) -> bool:
    """Whether guardrails look at the arguments of a tool, or of the tools of a server."""
    return bool(getattr(part, "tool_input_guardrails", None))


def judged(part: Any) -> bool:
    """Whether guardrails look at the output of a tool, or of the tools of a server."""
    return bool(getattr(part, "tool_output_guardrails", None))


def kind_of(tool: Any) -> WorkKind | None:
    """The work that a call of a tool is; ``None`` for a hosted tool, which runs at the model's
    side."""
    if agent_of(tool) is not None:
        return WorkKind.AGENT
    if action_item_of(tool) is not None:
        return WorkKind.ACTION
    return WorkKind.FUNCTION if hasattr(tool, "on_invoke_tool") else None


def name_of(tool: Any) -> str:
    """What tells a tool from the others of its agent: hosted MCP servers share one name, but the
    provider knows each by its label."""
    label = server_label(tool)
    return tool.name if label is None else f"{tool.name} {label}"


def configuration(tool: Any) -> object:
    """What a tool declares, for its digest."""
    if hasattr(tool, "params_json_schema"):
        return attributes_of(tool, _OF_FUNCTION_TOOLS)
    shown = attributes_of(tool, ("name", *public_fields(tool)))
    # What works on this side has no configuration that can be told, only a class or a name.
    return {
        name: qualified_name(value) if name in _WORKERS else value for name, value in shown.items()
    }
