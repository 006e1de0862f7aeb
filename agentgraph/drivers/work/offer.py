"""The offer of a turn: the tools and handoffs that are enabled now, and the symbol of each name.

Names of handoffs are matched before names of tools (SDK guide, Handoffs). If nothing can change
between turns, the offer is computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.agent_output import output_schema_of
from agentgraph.drivers.reading.offer import Offer
from agentgraph.drivers.work.collisions import Tools, clashing_names, settle
from agentgraph.drivers.workbench import Workbench
from agentgraph.frontend.bindings import AgentBinding
from agentgraph.run_config import ToolNameCollisionPolicy
from agentgraph.tool_server import enabled_entries, enabled_flag, tools_of_turn
from agentgraph.tools.actions import action_item_of
from agentgraph.tools.function import qualified

_NOTHING: Mapping[str, Any] = {}


async def offer_of(
    binding: AgentBinding,
    bench: Workbench,
    collisions: ToolNameCollisionPolicy = "warn",
) -> Offer:
    """Compute what an agent offers in this turn. An offer that never changes is kept as the memo
    ``offer`` of the binding.

    Args:
        binding: The agent and the objects of its symbols.
        bench: The run.
        collisions: What to do if two things on offer have one name.

    Raises:
        UserError: Two things on offer have one name, and the policy forbids that, or two servers
            have a tool of the same name.
    """
    agent, context = binding.agent, bench.context
    tools: Tools = list(binding.tools)
    handoffs = [(row, row.handoff) for row in binding.handoffs]
    flags = [enabled_flag(entry) for _, entry in (*tools, *handoffs)]
    conditional = any(map(callable, flags))
    if binding.servers or conditional or not all(flags):
        tools = await tools_of_turn(agent, context, tools, binding.servers)
        handoffs = await enabled_entries(agent, context, handoffs)
        servers = {symbol for symbol, _ in binding.servers}
        bench.caches.listed.update(
            {(symbol, tool.name): tool for symbol, tool in tools if symbol in servers}
        )
    functions, actions = _sorted(tools)
    clashing = clashing_names(functions, handoffs)
    if clashing:
        tools, handoffs = settle(binding, tools, handoffs, clashing, collisions)
        functions, actions = _sorted(tools)
    by_name = {qualified(tool): (symbol, tool) for symbol, tool in functions}
    for symbol, tool in functions:  # a model may leave out the namespace
        by_name.setdefault(tool.name, (symbol, tool))
    offer = Offer(
        tools=[tool for _, tool in tools],
        handoffs=[handoff for _, handoff in handoffs],
        schema=output_schema_of(agent.output_type),
        callable=by_name,
        actions=actions or _NOTHING,
        requestable={handoff.tool_name: row for row, handoff in handoffs} if handoffs else _NOTHING,
        names=tuple([tool.name for _, tool in tools] + [entry.tool_name for _, entry in handoffs]),
    )
    # Each run decides about a clash by its own policy.
    if not (conditional or clashing or binding.servers):
        binding.memo["offer"] = offer
    return offer


def _sorted(tools: Tools) -> tuple[Tools, dict[str, Tools]]:
    """The tools that the model calls by name, and those that carry out other items, by the type of
    the item."""
    functions: Tools = []
    actions: dict[str, Tools] = {}
    for symbol, tool in tools:
        item = action_item_of(tool)
        if item is not None:
            actions.setdefault(item, []).append((symbol, tool))
        elif symbol:
            functions.append((symbol, tool))
    return functions, actions
