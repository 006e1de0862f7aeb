"""The steps of a workflow as a graph: what leads where, what must come before.

Only what a run does not check loads networkx.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from agentgraph_compiler.analysis.edges import never_taken
from agentgraph_compiler.analysis.flow import Flow, reached_from
from agentgraph_compiler.analysis.rounds import places_in_reach
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Case, Step, StepKind

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class StepGraph:
    """The steps of a chart.

    Args:
        chart: The chart.
        flow: Its graph of states.
    """

    chart: Chart
    flow: Flow

    @cached_property
    def onward(self) -> dict[str, tuple[str, ...]]:
        """The steps to which each step leads, by an edge or by a handoff."""
        step_of = {agent: step.id for step in self.chart.steps for agent in step.agents}
        ways: dict[str, list[str]] = {step.id: [] for step in self.chart.steps}
        for step in self.chart.steps:
            ways[step.id] += (target for case in step.cases for target in targets(case))
        for source, target in self.flow.handoffs():
            here, there = step_of.get(source), step_of.get(target)
            if here is not None and there is not None and here != there:
                ways[here].append(there)
        return {id: tuple(dict.fromkeys(onward)) for id, onward in ways.items()}

    @cached_property
    def start(self) -> str:
        """The first step."""
        return self.chart.steps[0].id

    @cached_property
    def reached(self) -> frozenset[str]:
        """The steps to which ways lead from the first one, whatever the values."""
        reached = frozenset(reached_from((self.start,), self.onward.__getitem__))
        places = places_in_reach(self.flow)
        if places is None:
            return reached
        # The way after the last round leads nowhere if no run makes so many rounds.
        states = {self.flow.places[number].state for number in places}
        entered = {state.agent for state in states} | {state.id for state in states}
        return frozenset(
            id
            for id in reached
            if self.chart.step[id].ends or not entered.isdisjoint((id, f"{id}.working"))
        )

    def is_passed(self, step: str, before: str) -> bool:
        """Whether every way to a step passes another one, or the step is that one."""
        if before not in self._spans:
            return False
        (enters, leaves), (first, last) = self._spans[before], self._spans[step]
        return enters <= first and last <= leaves

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """When a walk through the tree of dominators enters and leaves each step."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(self.start)
        graph.add_edges_from((here, there) for here in self.reached for there in self.onward[here])
        below: dict[str, list[str]] = {id: [] for id in graph}
        for id, parent in nx.immediate_dominators(graph, self.start).items():
            if id != self.start:
                below[parent].append(id)
        entered: dict[str, int] = {}
        spans: dict[str, tuple[int, int]] = {}
        waiting, time = [self.start], 0
        while waiting:
            id, time = waiting[-1], time + 1
            if id in entered:
                spans[waiting.pop()] = entered[id], time
            else:
                entered[id] = time
                waiting += below[id]
        return spans

    def way_around(self, step: str, skipped: str) -> tuple[str, ...]:
        """A shortest way from the first step to a step that does not pass another one."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(id for id in (self.start, step) if id != skipped)
        graph.add_edges_from(
            (here, there)
            for here in self.reached
            for there in self.onward[here]
            if skipped not in (here, there)
        )
        path: list[str] = nx.shortest_path(graph, self.start, step)
        return tuple(self.chart.step[id].name for id in path)

    def uncounted_loops(self) -> Iterator[tuple[Step, ...]]:
        """The loops that neither a limit nor a person ends: steps that lead to each other without a
        counted edge and without a question."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for step in self.chart.steps:
            if step.id in self.reached and step.kind is not StepKind.QUESTION:
                never = never_taken(step)
                cases = [case for case in step.cases if case.label not in never]
                graph.add_edges_from((step.id, case.target) for case in cases if not case.at_most)
                graph.add_edges_from((step.id, case.exhausted) for case in cases if case.exhausted)
        for loop in nx.strongly_connected_components(graph):
            if len(loop) > 1 or any(graph.has_edge(id, id) for id in loop):
                yield tuple(step for step in self.chart.steps if step.id in loop)


def targets(case: Case) -> tuple[str, ...]:
    """The steps to which a case leads."""
    return (case.target, case.exhausted) if case.exhausted else (case.target,)
