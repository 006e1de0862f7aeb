"""Name collisions between tools and handoffs: whether the run goes on, and which of them counts
(``RunConfig.tool_name_collision_policy``, as in SDK 0.24).

A check finds the collisions of every turn before a run (AG101). This module finds those that show
only after ``is_enabled`` and the servers' lists of tools.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import AgentBinding, HandoffBinding
from agentgraph.logger import warn_once
from agentgraph.run_config import ToolNameCollisionPolicy
from agentgraph.tools.actions import action_item_of
from agentgraph.tools.function import qualified

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentgraph.tool import Tool

Tools = list[tuple[str, Any]]
Handoffs = list[tuple[HandoffBinding, Any]]


def clashing_names(functions: Tools, handoffs: Handoffs) -> list[str]:
    """The names by which a model could ask for two things, sorted.

    Args:
        functions: Symbols and tools on offer that the model calls by name.
        handoffs: The handoffs on offer.
    """
    names = [qualified(tool) for _, tool in functions]
    names += [handoff.tool_name for _, handoff in handoffs]
    if len(set(names)) == len(names):
        return []
    return sorted(name for name, times in Counter(names).items() if times > 1)


def settle(
    binding: AgentBinding,
    tools: Tools,
    handoffs: Handoffs,
    names: Sequence[str],
    policy: ToolNameCollisionPolicy,
) -> tuple[Tools, Handoffs]:
    """Keep one tool or handoff for each name.

    A handoff counts before a tool, the agent's own tool before one of a server, and otherwise the
    last one.

    Args:
        binding: The agent.
        tools: The symbols and tools on offer, the agent's own last.
        handoffs: The handoffs on offer.
        names: The names that clash.
        policy: Whether to stop or to go on with a warning.

    Raises:
        UserError: The policy is to stop.
    """
    servers = {symbol: server.name for symbol, server in binding.servers}
    if policy == "error":
        raise UserError(_refusal(binding, tools, names, servers))
    warn_once(
        "Agent %r offers more than one tool or handoff called %s; a handoff counts before a tool, "
        "and otherwise the last of them",
        binding.agent.name,
        ", ".join(map(repr, names)),
    )
    requested = {handoff.tool_name: row for row, handoff in handoffs}
    winners = {qualified(tool): id(tool) for symbol, tool in tools if _is_function(symbol, tool)}
    last = {id(tool): position for position, (_, tool) in enumerate(tools)}
    remaining = [
        (symbol, tool)
        for position, (symbol, tool) in enumerate(tools)
        if not _is_function(symbol, tool)
        or (
            qualified(tool) not in requested
            and winners[qualified(tool)] == id(tool)
            and last[id(tool)] == position
        )
    ]
    return remaining, [(row, it) for row, it in handoffs if requested[it.tool_name] is row]


def _is_function(symbol: str, tool: object) -> bool:
    return bool(symbol) and action_item_of(tool) is None


def _refusal(
    binding: AgentBinding,
    tools: Iterable[tuple[str, Tool]],
    names: Sequence[str],
    servers: Mapping[str, str],
) -> str:
    owners = dict.fromkeys(
        servers[symbol] for symbol, tool in tools if symbol in servers and tool.name in names
    )
    advice = "Rename one of them, or make their is_enabled exclude each other."
    if owners:
        advice = (
            f"They come from MCP servers {', '.join(map(repr, owners))}: filter one out, or set"
            " mcp_config={'include_server_in_tool_names': True}."
        )
    return (
        f"Agent '{binding.agent.name}' offers more than one tool or handoff called"
        f" {', '.join(map(repr, names))}. {advice}"
    )
