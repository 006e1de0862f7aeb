"""Lowering of tools: the kind of work of a call and the phases around it. Tools that run at the
model's side get no lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.agent_tool import AgentTool
from agentgraph.frontend.digests import attributes_of, public_fields, qualified_name
from agentgraph.frontend.discover import is_workflow
from agentgraph.tools.actions import action_item_of, server_label
from agentgraph.tools.function import FunctionTool, qualified
from agentgraph_compiler.ir.chart import USUAL_TURNS, Approval, Enabled
from agentgraph_compiler.machine import WorkKind

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source

_ASIDE = frozenset(
    {
        "on_invoke_tool",
        "agent",
        "parameters",
        "run_config",
        "on_stream",
        "on_stream_max_pending_events",
        "hooks",
        "session",
        "previous_response_id",
        "conversation_id",
    }
)
"""The fields of function tools that are code, or that the chart or the schema shows, or that change
nothing of what the model sees or the machine does."""
_OF_FUNCTION_TOOLS = (
    *(name for name in public_fields(AgentTool) if name not in _ASIDE),
    "_failure_error_function",
)
_WORKERS = frozenset({"computer", "editor", "executor"})


def enabled(entry: object) -> Enabled:
    """Whether a tool or handoff is on offer, as far as the compiler can say before a run."""
    flag = getattr(entry, "is_enabled", True)
    if callable(flag):
        return Enabled.SOMETIMES
    return Enabled.ALWAYS if flag else Enabled.NEVER


def source_behind(tool: object) -> Source | None:
    """The agent or workflow that a tool runs, if it runs one."""
    inner = getattr(tool, "agent", None) or getattr(tool, "_agent_instance", None)
    is_agent = hasattr(inner, "handoffs") and hasattr(inner, "instructions")
    return inner if is_agent or is_workflow(inner) else None


def agent_of(tool: object) -> Agent[Any] | None:
    """The agent with which the run of a tool starts, if it runs an agent or a workflow."""
    source = source_behind(tool)
    return source.start if is_workflow(source) else source


def turns_of(tool: object) -> int:
    """The most turns of a run that a tool starts, if it is an agent used as a tool."""
    turns = getattr(tool, "max_turns", None)
    return turns if isinstance(turns, int) else USUAL_TURNS


def approval(tool: object) -> Approval:
    """Whether a person decides on the calls of a tool first, as far as the compiler can say before
    a run."""
    flag = getattr(tool, "needs_approval", False)
    if callable(flag):
        return Approval.ASKED
    return Approval.ALWAYS if flag else Approval.NEVER


def screened(part: object) -> bool:
    """Whether guardrails check the arguments of a tool, or of the tools of a server."""
    return bool(getattr(part, "tool_input_guardrails", None))


def judged(part: object) -> bool:
    """Whether guardrails check the output of a tool, or of the tools of a server."""
    return bool(getattr(part, "tool_output_guardrails", None))


def kind_of(tool: object) -> WorkKind | None:
    """The kind of work of a call; ``None`` for a hosted tool, which runs at the model's side."""
    if source_behind(tool) is not None:
        return WorkKind.AGENT
    if action_item_of(tool) is not None:
        return WorkKind.ACTION
    return WorkKind.FUNCTION if hasattr(tool, "on_invoke_tool") else None


def is_remote(tool: object) -> bool:
    """Whether calls of a tool run at the model's side, although this side may decide on them."""
    return server_label(tool) is not None


def name_of(tool: Any) -> str:
    """The name that distinguishes a tool from the others of its agent. A tool in a namespace has it
    in front. Hosted MCP servers share one name; the provider identifies each by its label, so that
    is part of the name here."""
    label = server_label(tool)
    return f"{tool.name} {label}" if label is not None else qualified(tool)


def name_in_namespace(tool: object) -> str | None:
    """The name of a tool inside its namespace; `None` if it has no namespace."""
    if isinstance(tool, FunctionTool) and tool._namespace is not None:
        return tool.name
    return None


def configuration(tool: object) -> object:
    """The declared attributes of a tool, for its digest."""
    if hasattr(tool, "params_json_schema"):
        return attributes_of(tool, _OF_FUNCTION_TOOLS)
    attributes = attributes_of(tool, ("name", *public_fields(tool)))
    # A worker on our side has no configuration to read, only a class or a name.
    return {
        name: qualified_name(value) if name in _WORKERS else value
        for name, value in attributes.items()
    }
