"""The chart refers to something it does not contain, or names a thing twice.

## What it does

Verifies the well-formedness that every later stage relies on: every reference in the chart has a
target, ids and symbols are unique, sub-charts are flat. A chart that fails here is not checked
further. All of this takes time linear in the size of the chart.

## Why is this bad?

The fault lies in what produced the chart (a front end, a hand-written IR file), not in the
workflow. The compiler cannot make a machine from it.

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
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled
from agentgraph_compiler.ir.entries import entry_state
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    OUTCOMES,
    Event,
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
_RUNNING = (WorkKind.AGENT, WorkKind.BRANCH)
_REQUESTS, _NO_REST = GuardKind.REQUESTS, Rest.NO
_STAYING = frozenset({*INTERRUPTING, Event.AWAITING})
_MOST_PHASES = 250
"""A run stores the phase of a lane in one byte."""


def verify(chart: Chart) -> tuple[Diagnostic, ...]:
    """Find what is malformed in a chart and its sub-charts.

    Args:
        chart: The root chart.

    Returns:
        One diagnostic for each fault; empty when every later stage may rely on the chart.
    """
    names = {part.name for part in chart.charts}
    faults: list[Diagnostic] = []
    if len(names) != len(chart.charts):
        faults.append(_fault(chart, "two sub-charts have the same name"))
    if any(part.charts for part in chart.charts):
        faults.append(_fault(chart, "a sub-chart holds sub-charts of its own; they are flat"))
    walks = _Walks()
    for part in chart.walk():
        faults.extend(_fault(part, message) for message in _faults(part, names, walks))
    return tuple(faults)


def _fault(chart: Chart, message: str) -> Diagnostic:
    return Diagnostic(MALFORMED, f"chart '{chart.name}': {message}", chart.origin)


def _faults(chart: Chart, subcharts: set[str], walks: _Walks) -> Iterator[str]:
    yield from _repeated("state", [state.id for state in chart.states])
    yield from _repeated("agent", [agent.id for agent in chart.agents])
    if chart.initial not in chart.state:
        yield f"the initial state '{chart.initial}' does not exist"
    if chart.start not in chart.agent:
        yield f"the start agent '{chart.start}' does not exist"
    yield from _faults_of_starts(chart)
    for agent in chart.agents:
        yield from _faults_of_agent(chart, agent, subcharts)
    yield from _faults_of_rows(chart, "", chart.rows)
    verified: set[int] = set()  # all handoffs to an agent share one tuple of rows
    for state in chart.states:
        if id(state.transitions) not in verified:
            verified.add(id(state.transitions))
            yield from _faults_of_rows(chart, state.id, state.transitions)
        if state.agent not in chart.agent or not _is_simple(state, walks):
            yield from _faults_of_state(chart, state, subcharts, walks)
    yield from _faults_of_circles(chart, walks)


def _faults_of_starts(chart: Chart) -> Iterator[str]:
    for start in chart.starts:
        if start not in chart.agent:
            yield f"the start agent '{start}' does not exist"
    lasts = {state.agent for state in chart.states} if chart.multi_turn else ()
    for id in dict.fromkeys((*chart.starts, *sorted(lasts))):
        agent = chart.agent.get(id)
        if agent is not None and entry_state(agent) not in chart.state:
            yield f"runs start with agent '{id}', but state '{entry_state(agent)}' does not exist"


def _faults_of_agent(chart: Chart, agent: Agent, subcharts: set[str]) -> Iterator[str]:
    for handoff in agent.handoffs:
        if handoff.target and handoff.target not in chart.agent:
            yield (
                f"handoff '{handoff.symbol}' of agent '{agent.id}' leads to agent"
                f" '{handoff.target}', which does not exist"
            )
    for tool in agent.tools:
        if tool.enabled is Enabled.NEVER and not tool.machine:
            continue  # what it would run is not there
        fault = _fault_of_work(tool.kind, tool.machine, subcharts)
        if fault:
            yield f"tool '{tool.symbol}' of agent '{agent.id}' {fault}"


def _faults_of_state(
    chart: Chart, state: State, subcharts: set[str], walks: _Walks
) -> Iterator[str]:
    if state.agent and state.agent not in chart.agent:
        yield f"state '{state.id}' belongs to agent '{state.agent}', which does not exist"
    invokes = (*state.invokes, *state.offers)
    for invoke in invokes:
        walk = walks.of(invoke.phases)
        for fault in (*walk.faults, *_faults_of_lane(invoke, walk, subcharts)):
            yield f"invoke '{invoke.symbol}' {fault}"
    if len(invokes) > 1:
        yield from _repeated(f"invoke in state '{state.id}'", [row.symbol for row in invokes])
        yield from _faults_of_sharing(state)


def _is_simple(state: State, walks: _Walks) -> bool:
    """Whether a state has at most one lane, which does plain work, so that only its rows can be at
    fault."""
    if len(state.invokes) + len(state.offers) > 1:
        return False
    for invoke in state.invokes or state.offers:
        walk = walks.of(invoke.phases)
        if walk.faults or walk.runs or invoke.machine or invoke.places:
            return False
        if invoke.tries and not walk.handles_retry:
            return False
    return True


def _faults_of_circles(chart: Chart, walks: _Walks) -> Iterator[str]:
    """A run may leave some states without doing work. A circle of only such states traps a step."""
    successors = {
        state.id: [row.target for row in state.transitions]
        for state in chart.states
        if state.rest is _NO_REST and _may_be_idle(state, walks)
    }
    in_degree = dict.fromkeys(successors, 0)
    for id in successors:
        for target in successors[id]:
            if target in in_degree:
                in_degree[target] += 1
    free = [id for id, count in in_degree.items() if not count]
    while free:
        for target in successors.pop(free.pop()):
            if target in in_degree:
                in_degree[target] -= 1
                if not in_degree[target]:
                    free.append(target)
    if successors:
        circle = ", ".join(successors)
        yield f"a step could go round forever among {circle}: none of them has to do any work"


def _may_be_idle(state: State, walks: _Walks) -> bool:
    for invoke in state.invokes:
        if not walks.of(invoke.phases).may_be_idle:
            return False
    return all(walks.of(offer.phases).may_be_idle for offer in state.offers)


def _faults_of_rows(chart: Chart, id: str, rows: Iterable[Transition]) -> list[str]:
    """The faults of the rows of a state; without an id, of those of the machine."""
    states, agents, faults = chart.state, chart.agent, []
    for row in rows:
        if row.target not in states and row.target != BACK:
            faults.append(f"has a transition to '{row.target}', which does not exist")
        if row.arrives and row.arrives not in agents:
            faults.append(f"has a transition to agent '{row.arrives}', which does not exist")
        guard = row.guard
        if guard.kind is _REQUESTS and len(guard.names) != 1:
            faults.append(_NOT_ONE_HANDOFF)
    if not faults:
        return faults
    owner = f"state '{id}'" if id else "the machine"
    return [f"{owner} {fault}" for fault in faults]


_NOT_ONE_HANDOFF = "has a guard 'requests' that does not name one handoff"


class _Walk(NamedTuple):
    """What holds of the phases that a lane walks.

    Args:
        faults: Their faults.
        runs: The work among them that may run a sub-chart; ``None`` if none does.
        handles_retry: Whether one of them has a move on ``retry``.
        may_be_idle: Whether a run may skip all of them.
    """

    faults: tuple[str, ...]
    runs: WorkKind | None
    handles_retry: bool
    may_be_idle: bool


class _Walks:
    """The findings about phases, computed once for all lanes that walk them."""

    def __init__(self) -> None:
        self._walks: dict[int, _Walk] = {}

    def of(self, phases: tuple[Phase, ...]) -> _Walk:
        walk = self._walks.get(id(phases))
        if walk is None:
            walk = self._walks[id(phases)] = _Walk(
                faults=tuple(_faults_of_phases(phases)),
                runs=next((phase.kind for phase in phases if phase.kind in _RUNNING), None),
                handles_retry=any(
                    move.event is Event.RETRY for phase in phases for move in phase.moves
                ),
                may_be_idle=all(phase.when.kind is not GuardKind.OTHERWISE for phase in phases),
            )
        return walk


def _faults_of_phases(phases: tuple[Phase, ...]) -> Iterator[str]:
    """A lane moves among its own phases, and no guard can skip a call."""
    if not 0 < len(phases) <= _MOST_PHASES:
        yield f"has no phases, or more than {_MOST_PHASES} of them"
    names = {phase.name for phase in phases}
    if len(names) != len(phases):
        yield "has two phases with the same name"
    for phase in phases:
        yield from (f"in phase '{phase.name}' {fault}" for fault in _faults_of_phase(phase, names))


def _faults_of_lane(invoke: Invoke, walk: _Walk, subcharts: set[str]) -> Iterator[str]:
    if invoke.tries and not walk.handles_retry:
        yield "has tries, but none of its phases has a move on 'retry'"
    if invoke.places and not invoke.group:
        yield "has places, but no group that shares them"
    fault = _fault_of_work(walk.runs, invoke.machine, subcharts)
    if fault:
        yield fault


def _faults_of_phase(phase: Phase, names: set[str]) -> Iterator[str]:
    if phase.when.kind is _REQUESTS and len(phase.when.names) != 1:
        yield _NOT_ONE_HANDOFF
    for move in phase.moves:
        if move.event not in OUTCOMES[phase.kind]:
            yield f"moves on '{move.event}', but cannot end with that event"
        if move.event in _STAYING:
            yield f"moves on '{move.event}', but that event leaves the lane where it is"
        if move.ends in _STAYING:
            yield f"ends the lane with '{move.ends}', but only work can end with that event"
        if move.to and move.to not in names:
            yield f"moves to '{move.to}', but the lane has no such phase"
    if phase.kind in _CALLS and phase.when.kind is not GuardKind.OTHERWISE:
        yield "makes a call, so it cannot have a guard that skips it"
    if (phase.kind is WorkKind.SAVE) != (phase.keep is not None):
        yield "must have 'keep' if it is of kind 'save', and only then"


def _faults_of_sharing(state: State) -> Iterator[str]:
    if sum(invoke.tries > 0 for invoke in state.invokes) > 1:
        yield f"state '{state.id}' has two lanes with tries; only one lane of a state may have them"
    places: dict[str, int] = {}
    for invoke in (*state.invokes, *state.offers):
        if invoke.group and places.setdefault(invoke.group, invoke.places) != invoke.places:
            yield f"state '{state.id}' gives group '{invoke.group}' two different numbers of places"


def _fault_of_work(kind: WorkKind | None, machine: str, subcharts: set[str]) -> str:
    if (kind is WorkKind.AGENT) != bool(machine) and kind is not WorkKind.BRANCH:
        return "must name a sub-chart if it is of kind 'agent', and only then"
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
