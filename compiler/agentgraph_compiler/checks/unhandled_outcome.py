"""A state has no transition for something that can happen in it.

## What it does

Compares what a state starts with what it handles. Every kind of work can end in a known set of
ways; for each event that follows, the state needs transitions of which one always holds: the last
has no guard, or the guards cover every verdict of a reply.

## Why is this bad?

The run would stand still in that state. The front end never produces such a chart, so the rule
guards charts that are written by hand or lowered from other frameworks, and it is why the
interpreter always finds a transition.

## Example

```ir
chart "Support" start support initial initial
agent support "Support"
state initial initial
  on started -> support.thinking
state support.thinking thinking of support
  invoke support/model model
  on replied when verdict final -> done
  on failed -> failed
state done done end
state failed failed end
```

## Use instead

```ir
chart "Support" start support initial initial
agent support "Support"
state initial initial
  on started -> support.thinking
state support.thinking thinking of support
  invoke support/model model
  on replied when verdict final -> done
  on replied -> support.thinking
  on failed -> failed
state done done end
state failed failed end
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agentgraph_compiler.analysis.moves import EndingsMemo
from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import (
    Event,
    GuardKind,
    Invoke,
    Rest,
    State,
    Transition,
    Verdict,
    by_event,
)

RULE = Rule(
    "AG205",
    "unhandled-outcome",
    Severity.ERROR,
    "A state has no transition for something that can happen in it.",
)

_STARTED, _RESUMED = "a run starts here", "a run that rests here is resumed"
_IDLE = "it starts no work, so it is left at once"


def check(chart: Chart) -> Iterator[Diagnostic]:
    """Find events without a transition that always holds; linear in phases and transitions."""
    lanes = EndingsMemo()
    for part in chart.walk():
        shared = by_event(part.rows)
        for state in part.states:
            rows = state.by_event
            for event, cause in _required(part, state, rows, lanes):
                if not _handled(rows.get(event, ())):
                    yield _unhandled(part, state, event, cause, rows.get(event, ()))
            for event, invoke in _interruptions(state, lanes):
                listed = (*rows.get(event, ()), *shared.get(event, ()))
                if not _handled(listed):
                    yield _unhandled(part, state, event, invoke, listed)


def _required(
    chart: Chart,
    state: State,
    rows: Mapping[Event, tuple[Transition, ...]],
    known: EndingsMemo,
) -> Iterator[tuple[Event, Invoke | str]]:
    """The events that come from outside, or that the lanes of a state amount to once all are over,
    each with what can cause it."""
    if state.id == chart.initial:
        yield Event.STARTED, _STARTED
    elif state.rest is Rest.WAIT:
        yield Event.RESUMED, _RESUMED
    elif state.offers:
        # A reply may ask for any one of them alone.
        yield from _first_causes((offer, known.of(offer).joined) for offer in state.offers)
    elif state.invokes:
        lanes = [(invoke, known.of(invoke).joined) for invoke in state.invokes]
        # All lanes are over together, so it is enough if whatever one of them ends with is handled.
        if not any(all(_handled(rows.get(event, ())) for event in seen) for _, seen in lanes):
            about = [lane for lane in lanes if any(event in rows for event in lane[1])]
            yield from _first_causes(about or lanes)
    elif state.rest is Rest.NO:
        yield Event.DONE, _IDLE


def _first_causes(
    lanes: Iterable[tuple[Invoke, Iterable[Event]]],
) -> Iterator[tuple[Event, Invoke]]:
    causes: dict[Event, Invoke] = {}
    for invoke, events in lanes:
        for event in sorted(events):
            causes.setdefault(event, invoke)
    yield from causes.items()


def _interruptions(state: State, known: EndingsMemo) -> Iterator[tuple[Event, Invoke]]:
    """The events that leave a state at once, each with the first lane that can cause it."""
    lanes = (*state.invokes, *state.offers)
    yield from _first_causes((invoke, known.of(invoke).interrupting) for invoke in lanes)


def _handled(rows: Iterable[Transition]) -> bool:
    """Whether one of the rows holds whatever the run or the reply amounts to."""
    verdicts: set[str] = set()
    for row in rows:
        if row.guard.kind is GuardKind.OTHERWISE:
            return True
        if row.guard.kind is GuardKind.VERDICT:
            verdicts.update(row.guard.names)
    return verdicts.issuperset(Verdict)


def _unhandled(
    chart: Chart,
    state: State,
    event: Event,
    cause: Invoke | str,
    rows: tuple[Transition, ...],
) -> Diagnostic:
    agent = chart.agent.get(state.agent)
    what = "no transition that always holds" if rows else "no transition"
    because = cause if isinstance(cause, str) else f"{_named(cause)} can end so"
    notes = [Note(because)]
    if rows:
        guards = ", ".join(
            dict.fromkeys(" ".join((row.guard.kind.value, *row.guard.names)) for row in rows)
        )
        notes.append(Note(f"it has transitions on '{event}' only when: {guards}"))
    return Diagnostic(
        RULE,
        f"state '{state.id}' has {what} on '{event}', so a run could stand still in it",
        agent.origin if agent else chart.origin,
        tuple(notes),
        f"add a transition on '{event}' without a guard as the last one of the state",
    )


def _named(invoke: Invoke) -> str:
    return f"{invoke.kind.value} '{invoke.symbol}'"
