"""What a model is offered in a turn: the tools and handoffs that are enabled now, and which symbol
each name means.

Names of handoffs are matched before names of tools (SDK guide, Handoffs). Where nothing can change
between turns the offer is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.callbacks import resolve
from agentgraph.drivers.work.together import together
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import AgentBinding, HandoffBinding
from agentgraph.local_actions import action_item_of
from agentgraph.run_context import RunContextWrapper


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on offer.

    Args:
        tools: As the model is shown them.
        handoffs: As the model is shown them.
        schema: The output schema; ``None`` for plain text.
        callable: Symbol and function tool, by the name the model calls it by.
        actions: Symbol and tool, by the type of the output item that the tool carries out.
        requestable: The handoffs, by the name the model calls them by.
    """

    tools: list[Any]
    handoffs: list[Any]
    schema: AgentOutputSchemaBase | None
    callable: Mapping[str, tuple[str, Any]]
    actions: Mapping[str, Sequence[tuple[str, Any]]]
    requestable: Mapping[str, HandoffBinding]


async def offer_of(binding: AgentBinding, context: RunContextWrapper[Any]) -> Offer:
    """Work out what an agent offers in this turn.

    Args:
        binding: The agent and what its symbols stand for.
        context: The run's context, for callables that decide.

    Raises:
        UserError: Two things on offer have the same name.
    """
    fixed = binding.memo.get("offer")
    if isinstance(fixed, Offer):
        return fixed
    agent = binding.agent
    tools = await _enabled([(row.symbol, row.tool) for row in binding.tools], context, agent)
    handoffs = await _enabled([(row, row.handoff) for row in binding.handoffs], context, agent)
    for symbol, server in binding.servers:
        listed = await server.function_tools(context, agent, agent.mcp_config)
        tools += [(symbol, tool) for tool in listed]
    actions: dict[str, list[tuple[str, Any]]] = {}
    functions = []
    for symbol, tool in tools:
        item = action_item_of(tool)
        if item is not None:
            actions.setdefault(item, []).append((symbol, tool))
        elif symbol:
            functions.append((symbol, tool))
    offer = Offer(
        [tool for _, tool in tools],
        [handoff for _, handoff in handoffs],
        output_schema(agent),
        {tool.name: (symbol, tool) for symbol, tool in functions},
        actions,
        {handoff.tool_name: row for row, handoff in handoffs},
    )
    names = [tool.name for _, tool in functions] + [entry.tool_name for entry in offer.handoffs]
    _refuse_duplicates(binding, names, functions)
    entries = (*(row.tool for row in binding.tools), *(row.handoff for row in binding.handoffs))
    if not binding.servers and not any(callable(_flag(entry)) for entry in entries):
        binding.memo["offer"] = offer
    return offer


def _refuse_duplicates(
    binding: AgentBinding, names: list[str], functions: Iterable[tuple[str, Any]]
) -> None:
    if len(set(names)) == len(names):
        return
    twice = sorted({name for name in names if names.count(name) > 1})
    servers = {symbol: server.name for symbol, server in binding.servers}
    owners = dict.fromkeys(
        servers[symbol] for symbol, tool in functions if symbol in servers and tool.name in twice
    )
    advice = "Rename one of them, or make their is_enabled exclude each other."
    if owners:
        advice = (
            f"They come from MCP servers {', '.join(map(repr, owners))}: filter one out, or set"
            " mcp_config={'include_server_in_tool_names': True}."
        )
    raise UserError(
        f"Agent '{binding.agent.name}' offers more than one tool or handoff called"
        f" {', '.join(map(repr, twice))}. {advice}"
    )


def output_schema(agent: Any) -> AgentOutputSchemaBase | None:
    """The schema of an agent's final output; ``None`` for plain text."""
    declared = agent.output_type
    if declared is None or declared is str:
        return None
    if isinstance(declared, AgentOutputSchemaBase):
        return declared
    return AgentOutputSchema(declared)


def _flag(entry: Any) -> Any:
    return getattr(entry, "is_enabled", True)


async def _enabled(
    entries: Iterable[tuple[Any, Any]], context: RunContextWrapper[Any], agent: Any
) -> list[tuple[Any, Any]]:
    listed = list(entries)
    asked = [entry for entry in listed if callable(_flag(entry[1]))]
    answers: dict[int, bool] = {}
    if asked:
        verdicts = await together(*(resolve(_flag(entry)(context, agent)) for _, entry in asked))
        answers = {
            id(entry): bool(verdict) for (_, entry), verdict in zip(asked, verdicts, strict=True)
        }
    return [pair for pair in listed if answers.get(id(pair[1]), bool(_flag(pair[1])))]
