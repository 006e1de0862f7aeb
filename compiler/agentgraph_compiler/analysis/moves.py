"""Where a run can go from a state, and what a state can see of its lanes: read off the table.

Whether an agent or a person waits behind a lane makes no difference here: a lane ends as its
phases say, and a state moves as its rows and those of the machine say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    OTHERWISE,
    OUTCOMES,
    Event,
    Invoke,
    Phase,
    Rest,
    State,
    Transition,
)


def moves(chart: Chart, state: State) -> Iterator[Transition]:
    """The transitions with which a run can leave a state: its own, then those of the machine.

    The way back from a rest adds none: it leads to where the run was before.
    """
    yield from (row for row in state.transitions if row.target != BACK)
    if state.rest is Rest.NO:
        yield from chart.rows


@dataclass(frozen=True, slots=True)
class Endings:
    """What a state can see of a lane.

    Args:
        joined: Events that wait for the other lanes of the state.
        interrupting: Events that leave the state at once.
    """

    joined: frozenset[Event]
    interrupting: frozenset[Event]


def endings(invoke: Invoke) -> Endings:
    """How a lane can end, whatever the guards of its phases say."""
    phases = invoke.phases
    places = {phase.name: index for index, phase in enumerate(phases)}
    seen: set[Event] = set()
    visited: set[int] = set()
    waiting = _due(phases, 0)
    if len(phases) in waiting:
        seen.add(invoke.idle)
    while waiting:
        index = waiting.pop()
        if index in visited or index == len(phases):
            continue
        visited.add(index)
        for event in outcomes(invoke, phases[index]):
            move = next((row for row in phases[index].moves if row.event is event), None)
            if move is None or event in INTERRUPTING or event is Event.AWAITING:
                seen.add(event)
                continue
            following = _due(phases, places[move.to]) if move.to else {len(phases)}
            if len(phases) in following:
                seen.add(move.ends or event)
            waiting |= following
    return Endings(frozenset(seen - INTERRUPTING), frozenset(seen & INTERRUPTING))


class KnownEndings:
    """How the lanes of a chart can end: worked out once for lanes that walk the same phases.

    It holds no longer than the chart, for it knows phases by identity.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, bool, Event], Endings] = {}

    def of(self, invoke: Invoke) -> Endings:
        """How a lane can end."""
        key = id(invoke.phases), invoke.tries > 0, invoke.idle
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = endings(invoke)
        return known


def outcomes(invoke: Invoke, phase: Phase) -> tuple[Event, ...]:
    """How a phase of a lane can end."""
    events = OUTCOMES[phase.kind]
    return events if invoke.tries else tuple(row for row in events if row is not Event.RETRY)


def _due(phases: tuple[Phase, ...], index: int) -> set[int]:
    """The phases that may be the next one due; their number where all may be passed over."""
    found: set[int] = set()
    while index < len(phases):
        found.add(index)
        if phases[index].when == OTHERWISE:
            return found
        index += 1
    return found | {index}
