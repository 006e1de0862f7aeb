"""Filters: which tools of a server an agent is offered.

Rule: a filter only removes tools. If it fails for a tool, that tool is removed: without a decision
a tool is not offered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias

from typing_extensions import TypedDict

from agentgraph.exceptions import UserError
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.run_context import RunContextWrapper
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

if TYPE_CHECKING:
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase

__all__ = [
    "ToolFilter",
    "ToolFilterCallable",
    "ToolFilterContext",
    "ToolFilterStatic",
    "check_tool_filter",
    "copies_of",
    "create_static_tool_filter",
    "filter_tools",
]


@dataclass
class ToolFilterContext:
    """The run, agent and server for which a filter decides.

    Attributes:
        run_context: The context of the run.
        agent: The agent whose tools are listed.
        server_name: The server of the tools.
    """

    run_context: RunContextWrapper[Any]
    agent: AgentBase[Any]
    server_name: str


ToolFilterCallable: TypeAlias = Callable[["ToolFilterContext", "MCPTool"], MaybeAwaitable[bool]]
"""Decides, sync or async, whether an agent is offered a tool."""


class ToolFilterStatic(TypedDict):
    """A filter by name.

    Attributes:
        allowed_tool_names: The only tools to offer; the default is all.
        blocked_tool_names: Tools not to offer, even if they are allowed.
    """

    allowed_tool_names: NotRequired[list[str]]
    blocked_tool_names: NotRequired[list[str]]


ToolFilter: TypeAlias = ToolFilterCallable | ToolFilterStatic | None
"""A filter by name, a filter function, or no filter."""


def create_static_tool_filter(
    allowed_tool_names: list[str] | None = None, blocked_tool_names: list[str] | None = None
) -> ToolFilterStatic | None:
    """Make a filter by name.

    Args:
        allowed_tool_names: The only tools to offer; `None` means all.
        blocked_tool_names: Tools not to offer, even if they are allowed.

    Returns:
        The filter, or `None` if both lists are `None`.
    """
    by_name = ToolFilterStatic()
    if allowed_tool_names is not None:
        by_name["allowed_tool_names"] = allowed_tool_names
    if blocked_tool_names is not None:
        by_name["blocked_tool_names"] = blocked_tool_names
    return by_name or None


def check_tool_filter(tool_filter: object, server: str) -> None:
    """Refuse a value that is not a filter.

    Args:
        tool_filter: The program's value.
        server: The server's name, for the message.

    Raises:
        UserError: The value is neither a function nor a dictionary of the two lists.
    """
    if tool_filter is None or callable(tool_filter):
        return
    keys = {"allowed_tool_names", "blocked_tool_names"}
    if not isinstance(tool_filter, dict) or not keys.issuperset(tool_filter):
        raise UserError(
            f"The tool_filter of MCP server {server!r} must be a function, or a dictionary with "
            "'allowed_tool_names' and 'blocked_tool_names'; create_static_tool_filter makes one."
        )


def copies_of(tools: Sequence[MCPTool]) -> list[MCPTool]:
    """Return deep copies of cached tools, which the caller may edit."""
    return [tool.model_copy(deep=True) for tool in tools]


async def filter_tools(
    tools: Sequence[MCPTool],
    tool_filter: ToolFilter,
    server: str,
    run_context: RunContextWrapper[Any] | None,
    agent: AgentBase[Any] | None,
) -> list[MCPTool]:
    """Return the tools that a filter lets through.

    Args:
        tools: The tools of the server, in its order.
        tool_filter: The filter.
        server: The server's name.
        run_context: The context of the run; only filters by name work without it.
        agent: The agent; only filters by name work without it.

    Raises:
        UserError: The filter is a function, and the run's context or the agent is missing.
    """
    if tool_filter is None:
        return list(tools)
    if not callable(tool_filter):
        allowed = tool_filter.get("allowed_tool_names")
        blocked = tool_filter.get("blocked_tool_names") or ()
        return [
            tool
            for tool in tools
            if (allowed is None or tool.name in allowed) and tool.name not in blocked
        ]
    if run_context is None or agent is None:
        raise UserError(
            f"The tool_filter of MCP server {server!r} is a function and decides for a run: give "
            "list_tools the run_context and the agent, or use a filter by name."
        )
    context = ToolFilterContext(run_context, agent, server)
    return [tool for tool in tools if await _offers(tool_filter, context, tool)]


async def _offers(decide: ToolFilterCallable, context: ToolFilterContext, tool: MCPTool) -> bool:
    try:
        return bool(await resolve(decide(context, tool)))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        log_tool_action_error(
            logger,
            f"The tool filter of MCP server {context.server_name!r} failed; "
            f"tool {tool.name!r} is not offered",
            error,
        )
        return False
