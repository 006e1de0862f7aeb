"""The steps of a workflow with edges in the picture of agents: boxes for functions, questions and
ends, arrows for cases, and what the box of an agent says of its step.

An agent whose step goes on does not end the run, so the marks of ends ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from agentgraph_compiler.ir.branches import branch_symbol
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Branch, Case, Step, StepKind
from agentgraph_compiler.machine import StateKind
from agentgraph_compiler.render.case_words import (
    after_words,
    case_words,
    rounds_words,
    with_remark,
)
from agentgraph_compiler.render.picture import Arrow, Box, Ids, Mark, Place, Role, Row, Stroke

_MOST_LINES = 6
_MOST_LETTERS = 60
_BOXES = {
    StepKind.FUNCTION: (Role.FUNCTION, "{}()", "step"),
    StepKind.QUESTION: (Role.QUESTION, "{}", "answer"),
    StepKind.BUDGET: (Role.FUNCTION, "{}", "catch"),
    StepKind.PARALLEL: (Role.BRANCHES, "{}", "split"),
    StepKind.EACH: (Role.BRANCHES, "{}", "split"),
    StepKind.WORKFLOW: (Role.BRANCHES, "{}", "split"),
}
"""The steps with a box of their own that agents do not have: role, title, and their work."""


class Steps:
    """The steps of a chart in a picture.

    Args:
        chart: The chart.
        part: Its name in places: empty for the root.

    Attributes:
        entered: Ids of the agents that an edge enters.
        onward: Ids of the agents after whose answer a run goes on along an edge.
    """

    def __init__(self, chart: Chart, part: str = "") -> None:
        self._chart, self._part = chart, part
        targets = {id for step in chart.steps for case in step.ways for id in ways_of(case)}
        self.entered = targets & chart.agent.keys()
        leaving = {state.id for state in chart.states if state.kind is StateKind.LEAVING}
        self.onward = frozenset(
            state.agent
            for state in chart.states
            if state.kind is StateKind.OVER
            and any(row.target in leaving for row in state.transitions)
        )

    def boxes(self, ids: Ids, findings: Mapping[Place, Iterable[Row]]) -> Iterator[tuple[str, Box]]:
        """The boxes of functions, questions and ends, each with the id of its step."""
        ways = self._ways()
        for step in self._chart.steps:
            if step.kind in _BOXES:
                role, title, work = _BOXES[step.kind]
                asks = (Row("asks", _shortened(step.asks)),) if step.asks else ()
                if step.limits:
                    asks = (Row("limits", step.limits),)
                yield (
                    step.id,
                    Box(
                        id=ids.take(role, step.id),
                        role=role,
                        title=title.format(step.name),
                        rows=(
                            *asks,
                            *_joins(step, self._part),
                            *decides(step),
                            *findings.get((self._part, step.id), ()),
                        ),
                        mark=Mark.NONE if step.cases or step.limits else Mark.ENDS,
                        group=step.id,
                        about=((self._part, step.id), (self._part, f"{step.id}/{work}")),
                    ),
                )
            elif step.kind is StepKind.END:
                box = Box(ids.take(Role.END, step.id), Role.END, step.name)
                yield step.id, replace(box, about=tuple(ways.get(step.id, ())))

    def _ways(self) -> dict[str, list[Place]]:
        """What the arrows to each step stand for."""
        ways: dict[str, list[Place]] = {}
        for step in self._chart.steps:
            for case in step.ways:
                for target, _, place in _lines(case, "", step.case_symbol(case)):
                    ways.setdefault(target, []).append((self._part, place))
        return ways

    def rows(self, agent: str) -> Iterator[Row]:
        """What the box of an agent says of the steps in which it works."""
        own = self._chart.step.get(agent)
        if own is not None:
            yield from decides(own)

    def others(self, agents: Iterable[str]) -> Iterator[Row]:
        """The steps of other agents in which an agent works.

        Args:
            agents: The ids under which the agent stands in the chart.
        """
        ids = set(agents)
        names = dict.fromkeys(
            step.name
            for step in self._chart.steps
            if step.id not in ids and ids.intersection(step.agents)
        )
        if names:
            yield Row("answers for", ", ".join(names))

    def arrows(self, box_of: Mapping[Place, str]) -> Iterator[Arrow]:
        """An arrow from each step to each one that its cases lead to, with a line for each case."""
        for step in self._chart.steps:
            for stroke, cases in ((Stroke.EDGE, step.cases), (Stroke.CATCH, step.errors)):
                lines: dict[str, list[str]] = {}
                about: dict[str, list[Place]] = {}
                for case in cases:
                    is_only = step.domain is None and not case.catches
                    words = "" if is_only else case_words(case.label)
                    symbol = step.case_symbol(case)
                    for target, line, place in _lines(case, words, symbol):
                        lines.setdefault(target, []).append(line)
                        about.setdefault(target, []).append((self._part, place))
                for target, label in lines.items():
                    yield Arrow(
                        source=box_of[self._part, step.id],
                        target=box_of[self._part, target],
                        stroke=stroke,
                        label=_cut([line for line in label if line]),
                        about=tuple(about[target]),
                    )

    def runs(self, box_of: Mapping[Place, str]) -> Iterator[Arrow]:
        """An arrow from each step with branches to what runs in each of them, also inside a run."""
        for part in self._chart.walk():
            root = part is self._chart
            for step in part.steps:
                for branch in branches_of(step):
                    if branch.machine:
                        inner = self._chart.subchart[branch.machine]
                        symbol = branch_symbol(step.id, branch.name)
                        yield Arrow(
                            source=box_of["" if root else part.name, step.id],
                            target=box_of[inner.name, inner.start],
                            stroke=Stroke.BRANCH,
                            about=(("" if root else part.name, symbol),),
                        )


def branches_of(step: Step) -> tuple[Branch, ...]:
    """What works in the branches of a step; none if it has no branches."""
    return () if step.branches is None else step.branches.branches


def _joins(step: Step, part: str) -> Iterator[Row]:
    """What the box of a step with branches says: the functions, and which branches it waits for."""
    branches = step.branches
    if branches is None:
        return
    for one in branches.branches:
        if not one.machine:
            place = (part, branch_symbol(step.id, one.name))
            yield Row(f"{one.name}()", "branch", about=(place,))
    if step.kind is StepKind.EACH:
        places = f", {branches.places} at a time" if branches.places else ""
        yield Row("for each item", f"at most {branches.most}{places}")
    elif branches.needs:
        yield Row("waits for", f"{branches.needs} of {len(branches.branches)}")


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def ways_of(case: Case) -> tuple[str, ...]:
    """The steps that a case leads to: its target, and the one after its last round."""
    return (case.target, case.exhausted) if case.exhausted else (case.target,)


def decides(step: Step) -> Iterator[Row]:
    """The row that says what a route decides on."""
    if step.on:
        yield Row("decides on", step.on)


def last_round(symbol: str) -> str:
    """What an arrow stands for that a run takes after the last round of a case."""
    return f"{symbol}/exhausted"


def _lines(case: Case, words: str, symbol: str) -> Iterator[tuple[str, str, str]]:
    """The targets of a case, each with its line on the arrow and what that stands for."""
    carried = "with the conversation" if case.carries else ""
    if not case.at_most:
        yield case.target, with_remark(words, carried), symbol
        return
    yield case.target, with_remark(words, rounds_words(case.at_most), carried), symbol
    yield case.exhausted, with_remark(words, after_words(case.at_most), carried), last_round(symbol)


def _cut(lines: list[str]) -> tuple[str, ...]:
    if len(lines) <= _MOST_LINES:
        return tuple(lines)
    return (*lines[: _MOST_LINES - 1], f"… {len(lines) - _MOST_LINES + 1} more")
