"""The chart refers to something it does not contain, or names a thing twice.

## What it does

Verifies the well-formedness that every later stage relies on: what a chart refers to exists, ids
and symbols are unique, sub-charts are flat. A chart that fails here is not checked further. All of
it is linear in the size of the chart.

## Why is this bad?

It is a fault of whoever produced the chart (a front end, a hand-written IR file), not of the
workflow. No machine can be made from it.

## Example

```ir
chart "Support" start support initial initial
agent support "Support"
state initial initial
  on started -> support.thinking
```

## Use instead

```ir
chart "Support" start support initial initial
agent support "Support"
state initial initial
  on started -> support.thinking
state support.thinking thinking of support
  invoke support/model model
  on replied -> done
  on failed -> failed
state done done end
state failed failed end
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    OUTCOMES,
    Event,
    Guard,
    GuardKind,
    Invoke,
    Phase,
    Rest,
    State,
    Transition,
    WorkKind,
)

MALFORMED = Rule(
    "AG200",
    "malformed-chart",
    Severity.ERROR,
    "The chart refers to something it does not contain, or names a thing twice.",
)
_CALLS = frozenset({WorkKind.FUNCTION, WorkKind.ACTION, WorkKind.AGENT, WorkKind.MISSING})
_STAYING = frozenset({*INTERRUPTING, Event.AWAITING})
_MOST_PHASES = 250
"""A run notes the phase of a lane in one byte."""


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
    if any(part.charts for part in chart.charts):
        faults.append(_fault(chart, "a sub-chart holds sub-charts of its own; they are flat"))
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
    for agent in chart.agents:
        yield from _faults_of_agent(chart, agent, subcharts)
    yield from _faults_of_rows(chart, "the machine", chart.rows)
    yield from _faults_of_circles(chart)
    walked = _Walked()
    for state in chart.states:
        yield from _faults_of_state(chart, state, subcharts, walked)


def _faults_of_agent(chart: Chart, agent: Agent, subcharts: set[str]) -> Iterator[str]:
    for handoff in agent.handoffs:
        if handoff.target and handoff.target not in chart.agent:
            yield (
                f"handoff '{handoff.symbol}' of agent '{agent.id}' leads to agent"
                f" '{handoff.target}', which does not exist"
            )
    for tool in agent.tools:
        fault = _fault_of_work(tool.kind, tool.machine, subcharts)
        if fault:
            yield f"tool '{tool.symbol}' of agent '{agent.id}' {fault}"


def _faults_of_state(
    chart: Chart, state: State, subcharts: set[str], walked: _Walked
) -> Iterator[str]:
    yield from _faults_of_rows(chart, f"state '{state.id}'", state.transitions)
    if state.agent and state.agent not in chart.agent:
        yield f"state '{state.id}' belongs to agent '{state.agent}', which does not exist"
    invokes = (*state.invokes, *state.offers)
    if len(invokes) > 1:
        yield from _repeated(f"invoke in state '{state.id}'", [row.symbol for row in invokes])
    for invoke in invokes:
        yield from (
            f"invoke '{invoke.symbol}' {fault}" for fault in _faults_of_lane(invoke, walked)
        )
        runs = walked.of(invoke.phases).runs
        fault = _fault_of_work(WorkKind.AGENT if runs else None, invoke.machine, subcharts)
        if fault:
            yield f"invoke '{invoke.symbol}' {fault}"
    yield from _faults_of_sharing(state)


def _faults_of_circles(chart: Chart) -> Iterator[str]:
    """States that may be left at once must lead on: in a circle of them no step would end."""
    following = {
        state.id: [row.target for row in state.transitions]
        for state in chart.states
        if state.rest is Rest.NO and all(map(_may_be_idle, (*state.invokes, *state.offers)))
    }
    leading = dict.fromkeys(following, 0)
    for id in following:
        for target in following[id]:
            if target in leading:
                leading[target] += 1
    free = [id for id, count in leading.items() if not count]
    while free:
        for target in following.pop(free.pop()):
            if target in leading:
                leading[target] -= 1
                if not leading[target]:
                    free.append(target)
    if following:
        circle = ", ".join(following)
        yield f"no step would end among {circle}: all may be left at once, in a circle"


def _may_be_idle(invoke: Invoke) -> bool:
    return all(phase.when.kind is not GuardKind.OTHERWISE for phase in invoke.phases)


def _faults_of_rows(chart: Chart, owner: str, rows: Iterable[Transition]) -> Iterator[str]:
    for row in rows:
        if row.target != BACK and row.target not in chart.state:
            yield f"{owner} has a transition to '{row.target}', which does not exist"
        if row.arrives and row.arrives not in chart.agent:
            yield f"{owner} has a transition to agent '{row.arrives}', which does not exist"
        yield from (f"{owner} {fault}" for fault in _faults_of_guard(row.guard))


def _faults_of_guard(guard: Guard) -> Iterator[str]:
    if guard.kind is GuardKind.REQUESTS and len(guard.names) != 1:
        yield "has a guard 'requests' that does not name one handoff"


class _Phases(NamedTuple):
    """What can be said of the phases that a lane walks: faults, and whether they run an agent."""

    faults: tuple[str, ...]
    runs: bool


class _Walked:
    """What can be said of phases: once for all lanes of a chart that walk them."""

    def __init__(self) -> None:
        self._known: dict[int, _Phases] = {}

    def of(self, phases: tuple[Phase, ...]) -> _Phases:
        known = self._known.get(id(phases))
        if known is None:
            runs = any(phase.kind is WorkKind.AGENT for phase in phases)
            known = self._known[id(phases)] = _Phases(tuple(_faults_of_phases(phases)), runs)
        return known


def _faults_of_phases(phases: tuple[Phase, ...]) -> Iterator[str]:
    """A lane moves among its own phases, and a call is not passed over."""
    if not 0 < len(phases) <= _MOST_PHASES:
        yield f"has no phases, or more than {_MOST_PHASES}"
    names = {phase.name for phase in phases}
    if len(names) != len(phases):
        yield "has two phases of one name"
    for phase in phases:
        yield from (f"in phase '{phase.name}' {fault}" for fault in _faults_of_phase(phase, names))


def _faults_of_lane(invoke: Invoke, walked: _Walked) -> Iterator[str]:
    yield from walked.of(invoke.phases).faults
    if invoke.tries and not _tried_again(invoke):
        yield "may be tried again, but no phase says what follows then"
    if invoke.places and not invoke.group:
        yield "has places, but shares them with no group"


def _faults_of_phase(phase: Phase, names: set[str]) -> Iterator[str]:
    yield from _faults_of_guard(phase.when)
    for move in phase.moves:
        if move.event not in OUTCOMES[phase.kind]:
            yield f"moves on '{move.event}', but cannot end so"
        if move.event in _STAYING:
            yield f"moves on '{move.event}', which leaves the lane where it is"
        if move.ends in _STAYING:
            yield f"ends the lane with '{move.ends}', which only work can"
        if move.to and move.to not in names:
            yield f"moves to '{move.to}', which is no phase of the lane"
    if phase.kind in _CALLS and phase.when.kind is not GuardKind.OTHERWISE:
        yield "makes a call that may be passed over"
    if (phase.kind is WorkKind.SAVE) != (phase.keep is not None):
        yield "must say what it keeps exactly if it is of kind 'save'"


def _tried_again(invoke: Invoke) -> bool:
    return any(move.event is Event.RETRY for phase in invoke.phases for move in phase.moves)


def _faults_of_sharing(state: State) -> Iterator[str]:
    if sum(invoke.tries > 0 for invoke in state.invokes) > 1:
        yield f"state '{state.id}' has two lanes that may be tried again"
    places: dict[str, int] = {}
    for invoke in (*state.invokes, *state.offers):
        if invoke.group and places.setdefault(invoke.group, invoke.places) != invoke.places:
            yield f"state '{state.id}' gives group '{invoke.group}' two numbers of places"


def _fault_of_work(kind: WorkKind | None, machine: str, subcharts: set[str]) -> str:
    if (kind is WorkKind.AGENT) != bool(machine):
        return "must name a sub-chart exactly if it is of kind 'agent'"
    if machine and machine not in subcharts:
        return f"runs the sub-chart '{machine}', which does not exist"
    return ""


def _repeated(what: str, names: list[str]) -> Iterator[str]:
    if len(set(names)) == len(names):
        return
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"{what} '{name}' is defined twice"
        seen.add(name)
