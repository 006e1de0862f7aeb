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
state done done
state failed failed
```
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.diagnostics import Diagnostic, Rule, Severity
from agentgraph_compiler.ir.chart import Agent, Chart
from agentgraph_compiler.machine import GuardKind, InvokeKind, State

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
    for state in chart.states:
        yield from _faults_of_state(chart, state, subcharts)


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


def _faults_of_state(chart: Chart, state: State, subcharts: set[str]) -> Iterator[str]:
    known = chart.state
    for transition in state.transitions:
        if transition.target not in known:
            yield (
                f"state '{state.id}' has a transition to '{transition.target}',"
                " which does not exist"
            )
        guard = transition.guard
        if guard.kind is GuardKind.REQUESTS and len(guard.names) != 1:
            yield f"state '{state.id}' has a guard 'requests' that does not name one handoff"
    if state.agent and state.agent not in chart.agent:
        yield f"state '{state.id}' belongs to agent '{state.agent}', which does not exist"
    invokes = (*state.invokes, *state.offers)
    if len(invokes) > 1:
        yield from _repeated(f"invoke in state '{state.id}'", [row.symbol for row in invokes])
    for invoke in invokes:
        fault = _fault_of_work(invoke.kind, invoke.machine, subcharts)
        if fault:
            yield f"invoke '{invoke.symbol}' {fault}"


def _fault_of_work(kind: InvokeKind | None, machine: str, subcharts: set[str]) -> str:
    if (kind is InvokeKind.AGENT) != bool(machine):
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
