"""A state has no transition for something that can happen in it.

## What it does

Compares the work that a state starts with the events that it handles. Every kind of work can end in
a fixed set of ways. For each event that follows, one of the state's transitions must always hold:
the last one has no guard, or the guards cover every verdict of a reply.

## Why is this bad?

The run would get stuck in that state. The front end never produces such a chart, so the rule
protects charts that people write by hand or lower from other frameworks. Thanks to it, the
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

from collections.abc import Iterable, Iterator, Mapping, Set

from agentgraph_compiler.analysis.analysis import Analysis
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

_OTHERWISE, _NO_REST, _DONE = GuardKind.OTHERWISE, Rest.NO, Event.DONE
_STARTED, _RESUMED = "a run starts here", "a run that rests here is resumed"
_IDLE = "it starts no work, so it is left at once"


def check(analysis: Analysis) -> Iterator[Diagnostic]:
    """Find events without a transition that always holds, in time linear in phases and
    transitions."""
    memo = EndingsMemo()
    for part in analysis.chart.walk():
        shared = by_event(part.rows)
        settled = {row.event for row in part.rows if row.guard.kind is _OTHERWISE}
        for state in part.states:
            if not _is_settled(part, state, settled, memo):
                yield from _faults(part, state, shared, memo)


def _is_settled(chart: Chart, state: State, shared: Set[Event], memo: EndingsMemo) -> bool:
    """Whether rows without a guard handle all that can happen in a state, as in nearly every one.

    Args:
        chart: The chart.
        state: The state.
        shared: The events of such rows of the machine.
        memo: How lanes can end.
    """
    own = {row.event for row in state.transitions if row.guard.kind is _OTHERWISE}
    lanes = state.invokes + state.offers
    if state.id == chart.initial:
        return not lanes and Event.STARTED in own
    if state.rest is not _NO_REST:
        return not lanes and (state.rest is Rest.END or Event.RESUMED in own)
    for lane in lanes:
        ends = memo.of(lane)
        if not (ends.joined <= own and (ends.interrupting <= shared or ends.interrupting <= own)):
            return False
    return bool(lanes) or _DONE in own


def _faults(
    chart: Chart, state: State, shared: Mapping[Event, tuple[Transition, ...]], memo: EndingsMemo
) -> Iterator[Diagnostic]:
    rows = by_event(state.transitions)
    for event, cause in _required(chart, state, rows, memo):
        if not _handled(rows.get(event, ())):
            yield _unhandled(chart, state, event, cause, rows.get(event, ()))
    for event, invoke in _interruptions(state, memo):
        candidates = (*rows.get(event, ()), *shared.get(event, ()))
        if not _handled(candidates):
            yield _unhandled(chart, state, event, invoke, candidates)


def _required(
    chart: Chart,
    state: State,
    rows: Mapping[Event, tuple[Transition, ...]],
    memo: EndingsMemo,
) -> Iterator[tuple[Event, Invoke | str]]:
    """The events that come from outside, or that the state sees once all of its lanes are over,
    each with a possible cause."""
    if state.id == chart.initial:
        yield Event.STARTED, _STARTED
    elif state.rest is Rest.WAIT:
        yield Event.RESUMED, _RESUMED
    elif state.offers:
        # A reply may ask for any single offer.
        yield from _first_causes((offer, memo.of(offer).joined) for offer in state.offers)
    elif state.invokes:
        lanes = [(invoke, memo.of(invoke).joined) for invoke in state.invokes]
        # All lanes end together, so it is enough if the state handles every ending of one of them.
        if not any(all(_handled(rows.get(event, ())) for event in ends) for _, ends in lanes):
            partly_handled = [lane for lane in lanes if any(event in rows for event in lane[1])]
            yield from _first_causes(partly_handled or lanes)
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


def _interruptions(state: State, memo: EndingsMemo) -> Iterator[tuple[Event, Invoke]]:
    """The events on which a run leaves a state at once, each with the first lane that can cause
    it."""
    lanes = (*state.invokes, *state.offers)
    yield from _first_causes((invoke, memo.of(invoke).interrupting) for invoke in lanes)


def _handled(rows: Iterable[Transition]) -> bool:
    """Whether one of the rows holds for every run and every verdict of a reply.

    The interpreter refuses a choice of a case without a row, so rows of cases hold for every
    choice.
    """
    verdicts: set[str] = set()
    for row in rows:
        if row.guard.kind in (GuardKind.OTHERWISE, GuardKind.CASE):
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
    if isinstance(cause, Invoke):
        cause = f"{cause.kind.value} '{cause.symbol}' can end so"
    notes = [Note(cause)]
    if rows:
        guards = ", ".join(
            dict.fromkeys(" ".join((row.guard.kind.value, *row.guard.names)) for row in rows)
        )
        notes.append(Note(f"it has transitions on '{event}' only when: {guards}"))
    return Diagnostic(
        RULE,
        f"state '{state.id}' has {what} on '{event}', so a run could get stuck in it",
        agent.origin if agent else chart.origin,
        notes=tuple(notes),
        help=f"add a transition on '{event}' without a guard as the last one of the state",
    )
