"""The ways from step to step, each with its place in the table, and those that no run takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from agentgraph_compiler.analysis.value_sets import ValueSet
from agentgraph_compiler.ir.catching import failing_states
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import Case, Step, StepKind
from agentgraph_compiler.machine import GuardKind, State, StateKind, Transition

_ALWAYS = "always"


class Way(NamedTuple):
    """A way from a step to another one.

    Args:
        symbol: The case, as in the machine.
        step: The step that it leaves.
        title: Its name for people.
        is_last: Whether it comes after the last round of a limited case.
        state: The state that it leaves.
        row: Its transition.
        never: Why no run takes it; empty if one can.
    """

    symbol: str
    step: Step
    title: str
    is_last: bool
    state: State
    row: Transition
    never: str


def ways_of(chart: Chart) -> Iterator[Way]:
    """The ways of a chart, in document order; those after exceptions come last of a step."""
    for step in chart.steps:
        if step.cases:
            state, never = chart.state[f"{step.id}.leaving"], never_taken(step)
            yield from _ways_out(chart, step, state, step.cases, never)
        failing = failing_state(chart, step)
        if failing is not None:
            yield from _ways_out(chart, step, failing, step.errors, {})


def _ways_out(
    chart: Chart, step: Step, state: State, cases: Iterable[Case], never: Mapping[str, str]
) -> Iterator[Way]:
    for case in cases:
        symbol = step.case_symbol(case)
        row = next(one for one in state.transitions if one.guard.names == (symbol,))
        way = Way(
            symbol=symbol,
            step=step,
            title=_title(chart, step, case, case.target),
            is_last=False,
            state=state,
            row=row,
            never=never.get(case.label, ""),
        )
        yield way
        if case.at_most:
            looping = chart.state[row.target]
            yield way._replace(
                title=_title(chart, step, case, case.exhausted),
                is_last=True,
                state=looping,
                row=looping.transitions[-1],
            )


def failing_state(chart: Chart, step: Step) -> State | None:
    """The state in which a step chooses an edge after an exception; where it has several, one for
    each way to fail, that of plain failures. `None` if it cannot fail, or catches nothing."""
    ids = failing_states(step) if step.errors else ()
    return next((chart.state[id] for id in ids if id in chart.state), None)


def exhausted_case(state: State, row: Transition) -> str:
    """The case whose last round a transition comes after; empty if it is no such transition."""
    if state.kind is not StateKind.LOOPING or row.guard.kind is GuardKind.ROUNDS:
        return ""
    return next(
        one.guard.names[0] for one in state.transitions if one.guard.kind is GuardKind.ROUNDS
    )


def untaken(step: Step) -> ValueSet:
    """The values that a route may see and that no case takes, its default aside."""
    left = ValueSet() if step.domain is None else ValueSet.of(step.domain)
    for case in step.cases:
        if case.takes is not None:
            left = left.without(ValueSet.of(case.takes))
    return left


def never_taken(step: Step) -> dict[str, str]:
    """Why no value takes a case, by the labels of such cases."""
    if step.domain is None or step.fault:
        return {}
    domain, left = ValueSet.of(step.domain), untaken(step)
    never: dict[str, str] = {}
    earlier: list[ValueSet] = []
    for case in step.cases:
        if case.takes is None:
            if not left:
                never[case.label] = "the other cases take every value"
            continue
        values = ValueSet.of(case.takes)
        possible = rest = values.within(domain)
        for taken in earlier:
            rest = rest.without(taken)
        if not rest:
            never[case.label] = "earlier cases take it" if possible else "the value is never that"
        earlier.append(values)
    return never


def _title(chart: Chart, step: Step, case: Case, target: str) -> str:
    label = "" if case.label == _ALWAYS else f" [{case.label}]"
    if case.catches:
        label = f" fails{label}"
    if step.kind is StepKind.BUDGET:
        label = " is spent"
    return f"{step.name}{label} → {chart.step[target].name}"
