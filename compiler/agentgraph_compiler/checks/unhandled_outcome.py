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
state done done
state failed failed
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
state done done
state failed failed
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agentgraph_compiler.diagnostics import Diagnostic, Note, Rule, Severity
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import (
    INTERRUPTING,
    MODEL_STATES,
    OUTCOMES,
    Event,
    GuardKind,
    Invoke,
    State,
    StateKind,
    Transition,
    Verdict,
)

RULE = Rule(
    "AG205",
    "unhandled-outcome",
    Severity.ERROR,
    "A state has no transition for something that can happen in it.",
)

_FROM_OUTSIDE = {
    StateKind.INITIAL: (Event.STARTED, "a run starts here"),
    StateKind.SUSPENDED: (Event.RESUMED, "a suspended run is resumed here"),
}


def check(chart: Chart) -> Iterator[Diagnostic]:
    """Find events without a transition that always holds; linear in invokes and transitions."""
    for part in chart.walk():
        for state in part.states:
            handled = {
                row.event for row in state.transitions if row.guard.kind is GuardKind.OTHERWISE
            }
            for event, cause in possible_events(state).items():
                if event in handled:
                    continue
                rows = state.by_event.get(event, ())
                if not _covered(rows):
                    yield _unhandled(part, state, event, cause, rows)


def possible_events(state: State) -> dict[Event, Invoke | None]:
    """The events that a state can see, each with the invoke that can cause it; ``None`` for what
    comes from outside.

    An interrupting outcome is seen at once. The others wait for each other: a state with a model
    sees the reply, an acting state sees ``AWAITING`` if any call awaits approval
    (runtime/step.py).
    """
    if state.kind in _FROM_OUTSIDE:
        event, _ = _FROM_OUTSIDE[state.kind]
        return {event: None}
    events: dict[Event, Invoke | None] = {}
    with_model = state.kind in MODEL_STATES
    work: Iterable[Invoke] = state.offers if state.kind is StateKind.ACTING else state.invokes
    for invoke in work:
        for event in OUTCOMES[invoke.kind]:
            joined = with_model and event not in INTERRUPTING
            events.setdefault(Event.REPLIED if joined else event, invoke)
    return events


def _covered(rows: tuple[Transition, ...]) -> bool:
    """Whether one of the rows holds whatever the reply amounts to."""
    verdicts: set[str] = set()
    for row in rows:
        if row.guard.kind is GuardKind.VERDICT:
            verdicts.update(row.guard.names)
    return verdicts.issuperset(Verdict)


def _unhandled(
    chart: Chart,
    state: State,
    event: Event,
    cause: Invoke | None,
    rows: tuple[Transition, ...],
) -> Diagnostic:
    agent = chart.agent.get(state.agent)
    what = "no transition that always holds" if rows else "no transition"
    because = (
        _FROM_OUTSIDE[state.kind][1]
        if cause is None
        else f"{cause.kind.value} '{cause.symbol}' can end so"
    )
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
