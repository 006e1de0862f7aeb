"""Where a run can go from a state, and which events a state can see of its lanes.

Both follow from the table alone. It makes no difference whether a lane waits for an agent or a
person: the phases say how the lane ends, and the rows of the state and of the machine say where the
run goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.steps import case_of
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    OTHERWISE,
    OUTCOMES,
    Event,
    GuardKind,
    Invoke,
    Phase,
    Rest,
    State,
    Transition,
)


def moves(chart: Chart, state: State) -> Iterator[Transition]:
    """The transitions with which a run can leave a state: its own, then those of the machine.

    The way back from a rest is left out, because it leads to where the run was before.
    """
    yield from (row for row in state.transitions if row.target != BACK)
    if state.rest is Rest.NO:
        yield from chart.rows


EVERY_STATE = "every state"
"""Stands for the state of a transition that holds in every state."""


def words_of(state: str, row: Transition) -> str:
    """A transition in words: the state that it leaves, its event and guard, and its target."""
    guard = row.guard
    condition = "" if guard.kind is GuardKind.OTHERWISE else f" [{guard.kind}"
    if condition:
        names = "|".join(case_of(name) or name.rpartition("/")[2] for name in guard.names)
        condition += f" {names}]" if names else "]"
    return f"{state}: {row.event}{condition} → {row.target}"


@dataclass(frozen=True, slots=True)
class Endings:
    """The events that a state can see of a lane.

    Args:
        joined: Events that wait for the other lanes of the state.
        interrupting: Events on which the run leaves the state at once.
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
            successors = _due(phases, places[move.to]) if move.to else {len(phases)}
            if len(phases) in successors:
                seen.add(move.ends or event)
            waiting |= successors
    return Endings(frozenset(seen - INTERRUPTING), frozenset(seen & INTERRUPTING))


class EndingsMemo:
    """How the lanes of a chart can end, computed once for lanes that walk the same phases.

    It looks phases up by identity, so it must not outlive the chart.
    """

    def __init__(self) -> None:
        self._endings: dict[tuple[int, bool, Event], Endings] = {}

    def of(self, invoke: Invoke) -> Endings:
        """How a lane can end."""
        key = id(invoke.phases), invoke.tries > 0, invoke.idle
        ends = self._endings.get(key)
        if ends is None:
            ends = self._endings[key] = endings(invoke)
        return ends


def outcomes(invoke: Invoke, phase: Phase) -> tuple[Event, ...]:
    """How a phase of a lane can end."""
    events = OUTCOMES[phase.kind]
    return events if invoke.tries else tuple(row for row in events if row is not Event.RETRY)


def _due(phases: tuple[Phase, ...], index: int) -> set[int]:
    """Indexes of the phases that may be the next one due; the number of phases is among them if
    the lane may skip all that are left."""
    indexes: set[int] = set()
    while index < len(phases):
        indexes.add(index)
        if phases[index].when == OTHERWISE:
            return indexes
        index += 1
    return indexes | {index}
