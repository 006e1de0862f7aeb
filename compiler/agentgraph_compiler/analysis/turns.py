"""The fewest and the most turns of a run, each with a walk that takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from agentgraph_compiler.analysis.flow import Flow, Place
from agentgraph_compiler.analysis.longest import FREE, Price
from agentgraph_compiler.analysis.walks import MOST_NODES, Walk, Walks
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import State, Transition

LeavesOut: TypeAlias = Callable[[State, Transition], object]
"""Whether no walk takes a row of a state."""


class _Turns:
    """The prices that count turns."""

    def __init__(self, flow: Flow, leaves_out: LeavesOut | None = None) -> None:
        self._agents, self._leaves_out = flow.chart.agent, leaves_out

    def entering(self, place: Place) -> Price:
        agent = self._agents.get(place.state.agent)
        return Price(1, (agent.name,)) if place.state.turns and agent is not None else FREE

    def taking(self, place: Place, row: Transition) -> Price | None:
        if self._leaves_out is not None and self._leaves_out(place.state, row):
            return None
        return FREE


def fewest_turns(flow: Flow, root: int, most: int = MOST_NODES) -> Walk | None:
    """The walk to a final output with the fewest turns; ``None`` if no walk gets to one. In a
    workflow with edges, where turns count within a visit of a step, it is the longest visit.

    Args:
        flow: The flow.
        root: The place in which the walk begins.
        most: The most nodes; beyond it the number is a bound that may be too low.
    """
    walks = Walks(flow, root, _Turns(flow), most)
    way = walks.cheapest()
    if way is None or len(way.visits) == 1:
        return way
    # Turns count anew in each visit of a step, so the longest visit of a walk needs the most.
    longest = _longest_visit(way)
    for turns in range(1, int(longest.amount)):
        shorter = walks.cheapest(turns)
        if shorter is not None:
            return _longest_visit(shorter)
    return longest


def _longest_visit(way: Walk) -> Walk:
    visit = max(way.visits, key=len)
    return Walk(len(visit), visit, exact=way.exact)


def most_turns(flow: Flow, root: int, turns: int, leaves_out: LeavesOut) -> Walk:
    """The walk with the most turns; `why` says so if their limit cuts it.

    Args:
        flow: The flow.
        root: The place in which the walk begins.
        turns: The limit.
        leaves_out: Which rows of which states no walk takes.
    """
    return Walks(flow, root, _Turns(flow, leaves_out)).dearest(turns)


def may_spend(flow: Flow, turns: int, leaves_out: LeavesOut) -> bool:
    """Whether a run can use up its turns, which count anew at each visit of a step.

    Args:
        flow: The flow.
        turns: The limit.
        leaves_out: Which rows of which states no walk takes.
    """
    ways = (way for number in flow.reached for way in flow.rows[number])
    roots = {flow.roots[0], *(to for row, to in ways if row.visits)}

    def within(state: State, row: Transition) -> object:
        return row.visits or leaves_out(state, row)

    return any(most_turns(flow, root, turns, within).why for root in sorted(roots))


def turns_of_tools(chart: Chart) -> dict[str, int]:
    """The fewest turns that an agent tool gives to a run of the chart behind it, by its name."""
    turns: dict[str, int] = {}
    for part in chart.walk():
        for tool in (tool for agent in part.agents for tool in agent.tools if tool.machine):
            turns[tool.machine] = min(tool.turns, turns.get(tool.machine, tool.turns))
    return turns
