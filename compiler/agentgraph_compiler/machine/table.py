"""The states of a machine and the transitions between them.

An event selects the first enabled transition in document order (SCXML 3.13).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from agentgraph_compiler.machine.lanes import OTHERWISE, Guard, Invoke
from agentgraph_compiler.machine.quick import quick
from agentgraph_compiler.machine.words import (
    Emission,
    Event,
    GuardKind,
    Premise,
    Rest,
    Source,
    StateKind,
    WorkKind,
)

BACK = "back"
"""The target of a transition back to the state before a rest (SCXML 3.10, history)."""


@quick
@dataclass(frozen=True)
class Transition:
    """A move of the run: on ``event``, if ``guard`` holds, go to ``target``.

    Args:
        event: The event that the state sees.
        target: Id of a state, or ``BACK``.
        guard: The condition.
        emits: What the run shows on the way.
        output: Which outcome becomes the final output.
        cause: Whether the run keeps the outcome as its fault: what went wrong.
        arrives: Id of the agent that is at work from here on; empty if the agent stays the same.
        keeps: Whether the run keeps unfinished lanes for the way back.
        against: What a model disregards if the run takes this row.
        visits: Whether a visit of a step begins: turns count anew, and no agent has acted.
        counts: The back edge that is taken once more; empty for none.
        resets: The back edges whose rounds count anew.
    """

    event: Event
    target: str
    guard: Guard = OTHERWISE
    emits: tuple[Emission, ...] = ()
    output: Source = Source.NONE
    cause: bool = False
    arrives: str = ""
    keeps: bool = False
    against: Premise = Premise.NONE
    visits: bool = False
    counts: str = ""
    resets: tuple[str, ...] = ()

    @cached_property
    def notes(self) -> bool:
        """Whether taking it changes more of a run than its state."""
        changes = self.cause or self.arrives or self.keeps or self.on_edge
        return bool(changes or self.output is not Source.NONE)

    @cached_property
    def on_edge(self) -> bool:
        """Whether taking it changes what a run knows of the edges that it took."""
        return bool(self.visits or self.counts or self.resets)

    @cached_property
    def reads_lanes(self) -> bool:
        """Whether taking it reads the lanes of the state that the run leaves."""
        return self.keeps or self.output is Source.STOPPING


@quick
@dataclass(frozen=True)
class State:
    """A state.

    Args:
        id: Unique in a machine.
        kind: Its role; only a label.
        agent: Id of the agent it belongs to; empty for states that all agents share.
        invokes: Lanes that all start on entry.
        offers: Lanes that the reply may ask for on entry, one for each of its calls.
        transitions: In document order.
        rest: Whether a run rests here.
    """

    id: str
    kind: StateKind
    agent: str = ""
    invokes: tuple[Invoke, ...] = ()
    offers: tuple[Invoke, ...] = ()
    transitions: tuple[Transition, ...] = ()
    rest: Rest = Rest.NO

    @cached_property
    def by_event(self) -> Mapping[Event, tuple[Transition, ...]]:
        """The transitions of each event, in document order."""
        return by_event(self.transitions)

    @cached_property
    def passed(self) -> Transition | None:
        """The transition by which a run without session and hooks leaves this state at once.

        It is ``None`` if such a run has work here, or if entering or leaving the state does more
        than lead on.
        """
        if self.rest is not Rest.NO or self.offers or len(self.invokes) > 1 or self.turns:
            return None
        event = Event.DONE
        for invoke in self.invokes:
            if invoke.bare[0] < len(invoke.phases):
                return None
            event = invoke.idle
        row = next((row for row in self.transitions if row.event is event), None)
        if row is None or row.guard.kind is not GuardKind.OTHERWISE or row.target == BACK:
            return None
        return None if row.notes or row.emits else row

    @cached_property
    def offered(self) -> Mapping[str, Invoke]:
        """The offers by symbol."""
        return {invoke.symbol: invoke for invoke in self.offers}

    @cached_property
    def requestable(self) -> frozenset[str]:
        """The handoffs that a reply in this state may ask for."""
        guards = (row.guard for row in self.transitions if row.guard.kind is GuardKind.REQUESTS)
        return frozenset(guard.names[0] for guard in guards)

    @cached_property
    def owner(self) -> frozenset[str]:
        """The agent it belongs to, as the set that the runs of this agent share."""
        return frozenset({self.agent})

    @cached_property
    def acting(self) -> str:
        """Id of the state whose offers a reply in this state may call, or the branches that begin
        here; empty if there are none."""
        lanes = (phase.kind for invoke in self.invokes for phase in invoke.phases)
        if WorkKind.SPLIT in lanes:
            return self.transitions[0].target
        targets = (row.target for row in self.transitions if row.guard.kind is GuardKind.CALLS)
        return next(targets, "")

    @cached_property
    def cases(self) -> frozenset[str]:
        """The cases that the work of this state may choose."""
        guards = (row.guard for row in self.transitions if row.guard.kind is GuardKind.CASE)
        return frozenset(name for guard in guards for name in guard.names)

    @cached_property
    def early(self) -> tuple[Transition, ...]:
        """The transitions on which a run may leave this state while lanes of it are at work."""
        return tuple(row for row in self.transitions if row.guard.kind is GuardKind.JOINED)

    @cached_property
    def turns(self) -> bool:
        """Whether entering this state begins a turn."""
        return any(invoke.turn for invoke in self.invokes)

    @cached_property
    def shows(self) -> bool:
        """Whether the run shows results of its lanes."""
        return any(invoke.emits for invoke in (*self.invokes, *self.offers))


def by_event(rows: Iterable[Transition]) -> Mapping[Event, tuple[Transition, ...]]:
    """The transitions of each event, in their order."""
    table: dict[Event, list[Transition]] = {}
    for row in rows:
        table.setdefault(row.event, []).append(row)
    return {event: tuple(transitions) for event, transitions in table.items()}
