"""The offer of a turn: the tools and handoffs that are enabled now, and the symbol of each name.

Names of handoffs are matched before names of tools (SDK guide, Handoffs). If nothing can change
between turns, the offer is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from agentgraph.drivers.reading.offer import Offer, output_schema
from agentgraph.drivers.work.collisions import clashing_names, settle
from agentgraph.drivers.workbench import Workbench
from agentgraph.frontend.bindings import AgentBinding
from agentgraph.run_config import ToolNameCollisionPolicy
from agentgraph.run_context import RunContextWrapper
from agentgraph.tools.actions import action_item_of
from agentgraph.user_code.callbacks import gather_or_cancel, resolve
from agentgraph.user_code.cancellation import take_back

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
        UserError: Two things on offer have one name, and the policy forbids that.
    """
    agent, context = binding.agent, bench.context
    tools: list[tuple[str, Any]] = list(binding.tools)
    handoffs = [(row, row.handoff) for row in binding.handoffs]
    flags = [_flag(entry) for _, entry in (*tools, *handoffs)]
    conditional = any(map(callable, flags))
    if conditional or not all(flags):
        tools = await _enabled(tools, context, agent)
        handoffs = await _enabled(handoffs, context, agent)
    for symbol, server in binding.servers:
        take_back()
        server_tools = await server.function_tools(context, agent, agent.mcp_config)
        tools += [(symbol, tool) for tool in server_tools]
        bench.caches.listed.update({(symbol, tool.name): tool for tool in server_tools})
    clashing = clashing_names(tools, handoffs)
    if clashing:
        tools, handoffs = settle(binding, tools, handoffs, clashing, collisions)
    actions: dict[str, list[tuple[str, Any]]] = {}
    functions = []
    for symbol, tool in tools:
        item = action_item_of(tool)
        if item is not None:
            actions.setdefault(item, []).append((symbol, tool))
        elif symbol:
            functions.append((symbol, tool))
    offer = Offer(
        tools=[tool for _, tool in tools],
        handoffs=[handoff for _, handoff in handoffs],
        schema=output_schema(agent),
        callable={tool.name: (symbol, tool) for symbol, tool in functions},
        actions=actions or _NOTHING,
        requestable={handoff.tool_name: row for row, handoff in handoffs} if handoffs else _NOTHING,
        names=tuple([tool.name for _, tool in tools] + [entry.tool_name for _, entry in handoffs]),
    )
    # Each run decides about a clash by its own policy.
    if not (conditional or clashing or binding.servers):
        binding.memo["offer"] = offer
    return offer


def _flag(entry: Any) -> Any:
    return getattr(entry, "is_enabled", True)


async def _is_enabled(entry: Any, context: RunContextWrapper[Any], agent: Any) -> Any:
    return await resolve(_flag(entry)(context, agent))


async def _enabled(
    entries: Iterable[tuple[Any, Any]], context: RunContextWrapper[Any], agent: Any
) -> list[tuple[Any, Any]]:
    pairs = list(entries)
    conditional = [entry for entry in pairs if callable(_flag(entry[1]))]
    if not conditional:
        return [pair for pair in pairs if _flag(pair[1])]
    verdicts = await gather_or_cancel(
        *(partial(_is_enabled, entry, context, agent) for _, entry in conditional)
    )
    answers = {
        id(entry): bool(verdict) for (_, entry), verdict in zip(conditional, verdicts, strict=True)
    }
    return [pair for pair in pairs if answers.get(id(pair[1]), bool(_flag(pair[1])))]
