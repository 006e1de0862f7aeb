"""Teams of agents: those that a run reaches only through one of them, their leader."""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.graph import agent_graph
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.render.steps import ways_of

_FEWEST_AGENTS = 12
"""A smaller workflow is clear without frames around its teams."""
_FEWEST_MEMBERS = 3


def teams(chart: Chart) -> Iterator[tuple[str, list[str]]]:
    """The teams of a large workflow, by the ids of their agents; a function step may lead one.

    Args:
        chart: The chart; its sub-charts are left out.

    Yields:
        The leader, which some handoff or edge of the start's leads to, and all members, a leading
        agent first.
    """
    if len(chart.agents) < _FEWEST_AGENTS:
        return
    import networkx as nx

    graph, starts = agent_graph(chart), {"", chart.start}
    graph.add_edges_from(
        (step.id, target) for step in chart.steps for case in step.ways for target in ways_of(case)
    )
    graph.add_edges_from(("", start) for start in (chart.start, *chart.starts))
    dominator = nx.immediate_dominators(graph, "")
    leader_of: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for agent in chart.agents:
        way, leader = [], agent.id
        while leader in dominator and dominator[leader] not in {*starts, leader, None}:
            way.append(leader)
            leader = leader_of.get(leader) or dominator[leader]
        leader_of |= dict.fromkeys(way, leader)
        if leader in dominator and leader not in starts:
            members.setdefault(leader, []).append(agent.id)
    large = [(leader, ids) for leader, ids in members.items() if len(ids) >= _FEWEST_MEMBERS]
    # One frame around everything but the start says nothing.
    if len(large) > 1:
        yield from large
