"""Verification: the well-formedness that every later stage relies on.

These are faults of whoever produced the chart (a front end, a hand-written IR file), not of the workflow; a chart
that fails here is not checked further. All of it is linear in the size of the chart.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import InvokeKind, State

MALFORMED = Rule(
    "AG200",
    "malformed-chart",
    Severity.ERROR,
    "The chart refers to something it does not contain, or names a thing twice.",
)


def verify(chart: Chart) -> tuple[Diagnostic, ...]:
    """Find what is malformed in a chart and its sub-charts.

    Args:
        chart: The root chart.

    Returns:
        One diagnostic a fault; empty when every later stage may rely on the chart.
    """
    names = {part.name for part in chart.charts}
    faults: list[Diagnostic] = []
    if len(names) != len(chart.charts):
        faults.append(_fault(chart, "two sub-charts have the same name"))
    for part in chart.walk():
        faults.extend(_fault(part, message) for message in _faults(part, names))
    return tuple(faults)


def _fault(chart: Chart, message: str) -> Diagnostic:
    return Diagnostic(MALFORMED, f"chart '{chart.name}': {message}", chart.origin)


def _faults(chart: Chart, subcharts: set[str]) -> Iterator[str]:
    yield from _repeated("state", [state.id for state in chart.states])
    yield from _repeated("agent", [agent.id for agent in chart.agents])
    if chart.initial not in chart.state:
        yield f"the initial state '{chart.initial}' does not exist"
    if chart.start not in chart.agent:
        yield f"the start agent '{chart.start}' does not exist"
    for state in chart.states:
        yield from _faults_of_state(chart, state, subcharts)


def _faults_of_state(chart: Chart, state: State, subcharts: set[str]) -> Iterator[str]:
    for transition in state.transitions:
        if transition.target not in chart.state:
            yield f"state '{state.id}' has a transition to '{transition.target}', which does not exist"
    if state.agent and state.agent not in chart.agent:
        yield f"state '{state.id}' belongs to agent '{state.agent}', which does not exist"
    invokes = (*state.invokes, *state.offers)
    yield from _repeated(f"invoke in state '{state.id}'", [invoke.symbol for invoke in invokes])
    for invoke in invokes:
        if (invoke.kind is InvokeKind.AGENT) != bool(invoke.machine):
            yield f"invoke '{invoke.symbol}' must name a sub-chart exactly if it is of kind 'agent'"
        elif invoke.machine and invoke.machine not in subcharts:
            yield f"invoke '{invoke.symbol}' runs the sub-chart '{invoke.machine}', which does not exist"


def _repeated(what: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{what} '{name}' is defined twice"
        seen.add(name)
