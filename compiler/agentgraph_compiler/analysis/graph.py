"""The graphs of a chart: circles of handoffs for the rules of ``check``, and networkx graphs for
analyses of your own.

Only the latter load networkx, so a run, which needs no graph library, does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, NamedTuple

from agentgraph_compiler.analysis.flow import Flow, is_handoff
from agentgraph_compiler.analysis.knots import knots
from agentgraph_compiler.analysis.moves import moves
from agentgraph_compiler.ir.chart import Chart

if TYPE_CHECKING:
    import networkx as nx


def agent_graph(chart: Chart) -> nx.DiGraph[str]:
    """The agents of one chart by id, and which of them an enabled handoff connects."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph(name=chart.name)
    graph.add_nodes_from((agent.id, {"name": agent.name}) for agent in chart.agents)
    graph.add_edges_from(
        (state.agent, row.arrives)
        for state in chart.states
        for row in state.transitions
        if state.agent and is_handoff(row)
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


def trapped_agents(flow: Flow) -> frozenset[str]:
    """Ids of the agents that a run can reach, but from which it cannot get to a final output."""
    places = (flow.places[number].state for number in flow.trapped)
    return frozenset(state.agent for state in places if state.turns)


class Way(NamedTuple):
    """The first step of the shortest way by handoffs to an agent of a set, and that agent."""

    onward: str
    exit: str


def nearest(flow: Flow, exits: Set[str]) -> dict[str, Way]:
    """The shortest way from each agent that gets to one of some agents, those agents included.

    Args:
        flow: The chart.
        exits: Ids of the agents to get to.

    Returns:
        The ways, by the id of the agent where they begin.
    """
    sources = flow.sources
    ways = {id: Way(id, id) for id in sources if id in exits}
    waiting = deque(ways)
    while waiting:
        target = waiting.popleft()
        for source in sources[target]:
            if source not in ways:
                ways[source] = Way(target, ways[target].exit)
                waiting.append(source)
    return ways


def circles_without_way_out(flow: Flow) -> tuple[tuple[str, ...], ...]:
    """The circles of handoffs among trapped agents that no handoff leaves.

    Returns:
        One circle for each knot of agents, as ids in the order of the handoffs, beginning with the
        agent that comes first in the document. A single agent without a handoff to itself makes no
        circle.
    """
    agents = [agent.id for agent in flow.chart.agents]
    trapped = trapped_agents(flow)
    among = {id: number for number, id in enumerate(id for id in agents if id in trapped)}
    targets: list[list[int]] = [[] for _ in among]
    for source, target in flow.handoffs():
        if source in among and target in among:
            targets[among[source]].append(among[target])
    knot_of = knots(targets)
    left = {
        knot_of[source]
        for source, row in enumerate(targets)
        for target in row
        if knot_of[source] != knot_of[target]
    }
    ids, named = list(among), set(left)
    circles: list[tuple[str, ...]] = []
    for first in range(len(ids)):
        if knot_of[first] not in named:
            named.add(knot_of[first])
            circle = _shortest_circle(targets, first)
            circles += [tuple(ids[agent] for agent in circle)] if circle else []
    return tuple(circles)


def _shortest_circle(targets: Sequence[Sequence[int]], first: int) -> tuple[int, ...]:
    """The shortest circle through a place; empty if it is on none."""
    came_from: dict[int, int] = {}
    waiting = deque([first])
    while waiting:
        place = waiting.popleft()
        for target in targets[place]:
            if target == first:
                return _way(came_from, first, place)
            if target not in came_from:
                came_from[target] = place
                waiting.append(target)
    return ()


def _way(came_from: Mapping[int, int], first: int, last: int) -> tuple[int, ...]:
    way = [last]
    while way[-1] != first:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))
