"""The steps of a workflow as a graph: what leads where, what must come before.

Only what a run does not check loads networkx.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from agentgraph_compiler.analysis.edges import never_taken
from agentgraph_compiler.analysis.flow import Flow, reached_from
from agentgraph_compiler.analysis.rounds import places_in_reach
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Case, Step, StepKind
from agentgraph_compiler.machine import StateKind

if TYPE_CHECKING:
    import networkx as nx


_FIRST = frozenset({StateKind.WORKING, StateKind.ASKING, StateKind.SPLITTING})
"""The kinds of the states with which the visit of a step without an agent begins."""


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
        return self._onward(caught=True)

    def _onward(self, *, caught: bool) -> dict[str, tuple[str, ...]]:
        """The same, with or without the edges after exceptions."""
        step_of = {agent: step.id for step in self.chart.steps for agent in step.agents}
        ways: dict[str, list[str]] = {step.id: [] for step in self.chart.steps}
        for step in self.chart.steps:
            cases = step.ways if caught else step.cases
            ways[step.id] += (target for case in cases for target in case.targets)
            if caught and step.kind is StepKind.BUDGET:
                ways[self.start].append(step.id)  # it may be spent at any time
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
        entered = {state.agent for state in states}
        entered |= {state.id.rpartition(".")[0] for state in states if state.kind in _FIRST}
        return frozenset(
            id
            for id in reached
            if self.chart.step[id].ends
            or self.chart.step[id].kind is StepKind.BUDGET
            or id in entered
        )

    def is_passed(self, step: str, before: str) -> bool:
        """Whether every way to a step on which nothing fails passes another one, or the step is
        that one."""
        if step not in self._spans:
            return True
        return before in self._spans and _is_within(self._spans[step], self._spans[before])

    def is_left(self, step: str, before: str, *, failed: bool) -> bool:
        """Whether every way has the output of another step, those after exceptions included.

        Args:
            step: The step.
            before: The other step.
            failed: Whether the step has failed, rather than given an output.
        """
        here = step if failed else _over(step)
        spans = self._spans_of_failures
        return _over(before) in spans and _is_within(spans[here], spans[_over(before)])

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        onward = self._onward(caught=False)
        return _spans(self.start, onward)

    @cached_property
    def _spans_of_failures(self) -> dict[str, tuple[int, int]]:
        """The same with two places for each step: as it begins, and with its output."""
        onward = {step.id: [_over(step.id)] for step in self.chart.steps}
        for id, leads in self._onward(caught=False).items():
            onward[_over(id)] = [*leads]
        for step in self.chart.steps:
            onward[step.id] += (target for case in step.errors for target in case.targets)
            if step.kind is StepKind.BUDGET:
                onward[self.start].append(step.id)
        return _spans(self.start, onward)

    def way_around(self, step: str, skipped: str) -> tuple[str, ...]:
        """A shortest way from the first step to a step that does not pass another one."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(id for id in (self.start, step) if id != skipped)
        onward = self._onward(caught=False)
        graph.add_edges_from(
            (here, there)
            for here in self.reached
            for there in onward[here]
            if skipped not in (here, there)
        )
        path: list[str] = nx.shortest_path(graph, self.start, step)
        return tuple(self.chart.step[id].name for id in path)

    @cached_property
    def _budget(self) -> Step | None:
        return next((step for step in self.chart.steps if step.kind is StepKind.BUDGET), None)

    @cached_property
    def _after_budget(self) -> frozenset[str]:
        """The steps in which no budget holds any longer, or none holds at all."""
        if self._budget is None:
            return frozenset(self.onward)
        return frozenset(reached_from(self.onward[self._budget.id], self.onward.__getitem__))

    def _spends(self, step: Step, case: Case) -> bool:
        """Whether each run that takes an edge has spent some of a budget in the step before it.

        Any step takes time. Only an agent with an output has called a model in any case.
        """
        if self._budget is None or step.id in self._after_budget:
            return False
        calls = step.kind is StepKind.AGENT and not case.catches
        return calls or "seconds" in self._budget.spent

    def uncounted_loops(self) -> Iterator[tuple[Step, ...]]:
        """The loops that neither a limit nor a person nor a budget ends: steps that lead to each
        other without a counted edge, a question, and an edge on which a budget is spent."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for step in self.chart.steps:
            if step.id in self.reached and step.kind is not StepKind.QUESTION:
                never = never_taken(step)
                cases = [case for case in step.cases if case.label not in never]
                cases = [one for one in (*cases, *step.errors) if not self._spends(step, one)]
                graph.add_edges_from((step.id, case.target) for case in cases if not case.at_most)
                graph.add_edges_from((step.id, case.exhausted) for case in cases if case.exhausted)
        for loop in nx.strongly_connected_components(graph):
            if len(loop) > 1 or any(graph.has_edge(id, id) for id in loop):
                yield tuple(step for step in self.chart.steps if step.id in loop)


def _over(step: str) -> str:
    """The place of a step that has given its output."""
    return f"{step}/over"


def _is_within(span: tuple[int, int], around: tuple[int, int]) -> bool:
    return around[0] <= span[0] and span[1] <= around[1]


def _spans(start: str, onward: Mapping[str, Iterable[str]]) -> dict[str, tuple[int, int]]:
    """When a walk through the tree of dominators enters and leaves each place."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node(start)
    reached = reached_from((start,), onward.__getitem__)
    graph.add_edges_from((here, there) for here in reached for there in onward[here])
    below: dict[str, list[str]] = {id: [] for id in graph}
    for id, parent in nx.immediate_dominators(graph, start).items():
        if id != start:
            below[parent].append(id)
    entered: dict[str, int] = {}
    spans: dict[str, tuple[int, int]] = {}
    waiting, time = [start], 0
    while waiting:
        id, time = waiting[-1], time + 1
        if id in entered:
            spans[waiting.pop()] = entered[id], time
        else:
            entered[id] = time
            waiting += below[id]
    return spans
