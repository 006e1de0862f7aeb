"""The graphs of a chart, on networkx, for the rules of ``check`` and for analyses of your own.

The functions import networkx themselves, so a run, which needs no graph, does not load it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from agentgraph_compiler.analysis.exits import reached_from, successors
from agentgraph_compiler.analysis.moves import moves
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled

if TYPE_CHECKING:
    import networkx as nx

_Place = tuple[int, str]
"""An agent in a chart: the number of the chart in ``chart.walk()``, and the agent's id there."""


def agent_graph(chart: Chart) -> nx.DiGraph[str]:
    """The agents of one chart by id, and which of them an enabled handoff connects."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph(name=chart.name)
    graph.add_nodes_from((agent.id, {"name": agent.name}) for agent in chart.agents)
    graph.add_edges_from(
        (agent.id, target) for agent in chart.agents for target in successors(agent)
    )
    return graph


def state_graph(chart: Chart) -> nx.MultiDiGraph[str]:
    """The states of one chart by id, and its transitions with their events and guards.

    The transitions of the machine lead out of every state that is not at rest.
    """
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=chart.name)
    for state in chart.states:
        graph.add_node(state.id, kind=state.kind.value, agent=state.agent)
        for row in moves(chart, state):
            graph.add_edge(state.id, row.target, event=row.event.value, guard=row.guard.kind.value)
    return graph


def cycles_without_way_out(chart: Chart, among: Set[str]) -> tuple[tuple[str, ...], ...]:
    """The knots of handoffs (strongly connected agents) without a way out.

    Args:
        chart: The chart.
        among: Ids of the agents to look at.

    Returns:
        One cycle for each knot, as ids in the order of the handoffs, beginning with the agent that
        comes first in the document. A single agent without a handoff to itself makes no cycle.
    """
    import networkx as nx

    graph = agent_graph(chart).subgraph(among).copy()
    order = {agent.id: number for number, agent in enumerate(chart.agents)}
    knots = nx.condensation(graph)
    cycles: list[tuple[str, ...]] = []
    for knot, degree in knots.out_degree():
        members: set[str] = knots.nodes[knot]["members"]
        first = min(members, key=order.__getitem__)
        if degree == 0 and (len(members) > 1 or graph.has_edge(first, first)):
            cycles.append(_cycle_through(graph, first))
    return tuple(sorted(cycles, key=lambda cycle: order[cycle[0]]))


def _cycle_through(graph: nx.DiGraph[str], first: str) -> tuple[str, ...]:
    """The shortest cycle through an agent; it must be on one."""
    import networkx as nx

    if graph.has_edge(first, first):
        return (first,)
    back = nx.single_source_shortest_path_length(graph.reverse(), first)
    path, here = [first], min(graph[first], key=lambda agent: (back.get(agent, len(graph)), agent))
    while here != first:
        path.append(here)
        here = min(graph[here], key=lambda agent: (back.get(agent, len(graph)), agent))
    return tuple(path)


def reachable_agents(chart: Chart) -> Iterator[tuple[Chart, Agent]]:
    """The agents that a run can reach through enabled handoffs and agents used as tools.

    Args:
        chart: The root chart.

    Returns:
        Each agent with the chart, root or sub-chart, in which the run reaches it.
    """
    charts = tuple(chart.walk())
    numbers = {part.name: number for number, part in enumerate(charts) if number}
    neighbours: dict[_Place, list[_Place]] = {}
    for number, part in enumerate(charts):
        for agent in part.agents:
            places = [(number, target) for target in successors(agent)]
            for tool in agent.tools:
                if tool.machine and tool.enabled is not Enabled.NEVER:
                    inner = numbers[tool.machine]
                    places.append((inner, charts[inner].start))
            neighbours[number, agent.id] = places
    for number, agent_id in reached_from([(0, chart.start)], neighbours):
        yield charts[number], charts[number].agent[agent_id]


def identity(agent: Agent) -> tuple[str, Origin]:
    """A key that is equal for the same agent in two charts; ids are unique only within a chart."""
    return agent.name, agent.origin
