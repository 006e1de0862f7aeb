"""The lanes of a machine: guards, the phases that a lane walks, and the moves between them.

A state invokes work on entry (SCXML 6.4); each invoke is a lane, which walks phases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agentgraph_compiler.machine.quick import quick
from agentgraph_compiler.machine.words import (
    INTERRUPTING,
    OUTCOMES,
    About,
    Emission,
    Event,
    GuardKind,
    Keep,
    Premise,
    WorkKind,
)

MISSING_TOOL = "missing_tool"
"""Last part of the symbol of the offer that answers calls of a missing tool."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a transition or on a phase.

    Args:
        kind: Which condition.
        names: Its operands: the handoff symbol of ``REQUESTS``, the verdict of ``VERDICT``, the
            tool names of ``STOPS`` (none means any function tool), the case of ``CASE``, the back
            edge and the number of rounds of ``ROUNDS``, the number of branches of ``JOINED``.
    """

    kind: GuardKind = GuardKind.OTHERWISE
    names: tuple[str, ...] = ()


OTHERWISE = Guard()


@dataclass(frozen=True, slots=True)
class Move:
    """A move inside a lane.

    Args:
        event: How the work of the phase ended.
        to: Name of the phase where the lane starts to look for the next phase that is due; empty
            if the move ends the lane.
        ends: The event that the state sees if the lane ends here, also because no phase from
            ``to`` on is due; ``None`` means ``event``.
        keeps: Whether the outcome is the result of the lane.
    """

    event: Event
    to: str = ""
    ends: Event | None = None
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of a lane: one command, one outcome.

    Args:
        name: Unique in its lane.
        kind: The kind of work, which fixes how it can end (``OUTCOMES``).
        about: Which outcome it is about.
        when: The condition under which it is due. If it does not hold when the lane gets there, the
            lane skips the phase.
        boundary: Whether a requested stop takes effect before this phase.
        withholds: Whether the result of the lane stays hidden while the lane is in this phase.
        keep: What a ``SAVE`` keeps.
        moves: What follows. An event without a move ends the lane: the state sees that event, and
            its outcome is the result of the lane. ``AWAITING`` and interrupting events need no
            move, because the lane stays where it is.
    """

    name: str
    kind: WorkKind
    about: About = About.NOTHING
    when: Guard = OTHERWISE
    boundary: bool = False
    withholds: bool = False
    keep: Keep | None = None
    moves: tuple[Move, ...] = ()


_ABOUT: Mapping[WorkKind, About] = {
    WorkKind.ASK: About.CALL,
    WorkKind.HOLD: About.CALL,
    WorkKind.SCREEN: About.CALL,
    WorkKind.FUNCTION: About.CALL,
    WorkKind.ACTION: About.CALL,
    WorkKind.AGENT: About.CALL,
    WorkKind.MISSING: About.CALL,
    WorkKind.JUDGE: About.RESULT,
    WorkKind.WAIT: About.RESULT,
    WorkKind.HANDOFF: About.REQUEST,
    WorkKind.DECIDE: About.REPLY,
    WorkKind.RECOVER: About.REPLY,
    WorkKind.OUTPUT_GUARDRAIL: About.OUTPUT,
    WorkKind.END: About.OUTPUT,
    WorkKind.EDGE: About.OUTPUT,
    WorkKind.STEP: About.OUTPUT,
    WorkKind.ANSWER: About.OUTPUT,
    WorkKind.SPLIT: About.OUTPUT,
    WorkKind.BRANCH: About.OUTPUT,
    WorkKind.CATCH: About.CAUSE,
}
_CALLS = (WorkKind.FUNCTION, WorkKind.ACTION, WorkKind.AGENT, WorkKind.MISSING)
# All calls share one name, so a phase keeps its name if a tool becomes an agent used as a tool.
_PHASE_NAMES = {WorkKind.MODEL: "try", **dict.fromkeys(_CALLS, "call")}
_PLAIN = {
    kind: (
        Phase(
            _PHASE_NAMES.get(kind, kind.value),
            kind,
            _ABOUT.get(kind, About.NOTHING),
            keep=Keep.ALL if kind is WorkKind.SAVE else None,
        ),
    )
    for kind in WorkKind
}


def plain(kind: WorkKind) -> tuple[Phase, ...]:
    """The phases of a lane that does one piece of work and nothing else."""
    return _PLAIN[kind]


# Work around the main work of a lane.
_ASIDE = frozenset(
    {
        WorkKind.SAVE,
        WorkKind.GREET,
        WorkKind.WAIT,
        WorkKind.ASK,
        WorkKind.HOLD,
        WorkKind.SCREEN,
        WorkKind.JUDGE,
        WorkKind.TELL,
        WorkKind.HANDOFF,
    }
)


# Conditions that hold only in runs with a session or hooks.
_OF_THE_RUN = frozenset(
    {GuardKind.SESSION, GuardKind.UNSAVED, GuardKind.HOOKED, GuardKind.ARRIVING}
)


class Route(NamedTuple):
    """A move as the interpreter takes it.

    Args:
        to: Index of the phase where the lane starts to look for the next phase that is due; the
            number of its phases if the lane is over.
        ends: The event that the state sees if this route ends the lane.
        keeps: Whether the outcome is the result of the lane.
        sure: Whether the lane looks no further: it is over, or that phase has no condition.
    """

    to: int
    ends: Event
    keeps: bool
    sure: bool


@quick
@dataclass(frozen=True)
class Invoke:
    """A lane: work that a state can start.

    Args:
        symbol: Name under which the bindings hold the callable; unique in a state.
        phases: The phases that it walks, at least one.
        machine: Name of the sub-machine that an ``AGENT`` or ``BRANCH`` phase runs; empty for the
            others.
        emits: What the run shows when it releases the result of the lane.
        stops: Whether its output may be the final one (SDK guide, ``tool_use_behavior``).
        group: Name of the group of lanes in a state that share places; empty for none.
        places: The most lanes of the group that work at the same time; 0 means no limit.
        tries: How often a ``MODEL`` phase may answer ``RETRY``.
        turn: Whether entering a state with this lane begins a turn.
        idle: The event that the state sees if no phase of the lane is due.
        digest: Digest of the declared configuration (schema, description), part of the fingerprint.
        against: What a model disregards if it asks for this lane.
    """

    symbol: str
    phases: tuple[Phase, ...]
    machine: str = ""
    emits: tuple[Emission, ...] = ()
    stops: bool = False
    group: str = ""
    places: int = 0
    tries: int = 0
    turn: bool = False
    idle: Event = Event.DONE
    digest: str = ""
    against: Premise = Premise.NONE

    @cached_property
    def routes(self) -> tuple[Mapping[Event, Route], ...]:
        """Where each phase leads, by the events that end it."""
        places = {phase.name: index for index, phase in enumerate(self.phases)}
        end = len(self.phases)
        return tuple(
            {
                event: Route(to=end, ends=event, keeps=True, sure=True)
                for event in OUTCOMES[phase.kind]
                if event not in INTERRUPTING and event is not Event.AWAITING
            }
            | {
                move.event: self._route(
                    places[move.to] if move.to else end, move.ends or move.event, move.keeps
                )
                for move in phase.moves
            }
            for phase in self.phases
        )

    @cached_property
    def bare(self) -> tuple[int, ...]:
        """For each phase, the index of the first phase from there on that does not only serve
        sessions and hooks; the number of phases if there is none."""
        first = [len(self.phases)]
        for index, phase in reversed(tuple(enumerate(self.phases))):
            first.append(first[-1] if phase.when.kind in _OF_THE_RUN else index)
        return tuple(reversed(first))

    @cached_property
    def short(self) -> bool:
        """Whether it walks at most one phase in a run without session and hooks."""
        bare, end = self.bare, len(self.phases)
        return bare[0] == end or bare[bare[0] + 1] == end

    @cached_property
    def begins(self) -> int:
        """The first phase in a run without session and hooks, or the number of its phases; -1 if
        that depends on a condition."""
        at = self.bare[0]
        return at if self._is_sure(at) else -1

    def _route(self, to: int, ends: Event, keeps: bool) -> Route:
        return Route(to=to, ends=ends, keeps=keeps, sure=self._is_sure(to))

    def _is_sure(self, at: int) -> bool:
        return at == len(self.phases) or self.phases[at].when.kind is GuardKind.OTHERWISE

    @cached_property
    def bare_routes(self) -> tuple[Mapping[Event, Route], ...]:
        """Where each phase leads in a run without session and hooks."""
        return tuple(
            {
                event: self._route(self.bare[route.to], route.ends, route.keeps)
                for event, route in routes.items()
            }
            for routes in self.routes
        )

    @property
    def kind(self) -> WorkKind:
        """The main work of the lane, which names it for people: the call, the try, the check."""
        kinds = [phase.kind for phase in self.phases]
        return next((kind for kind in kinds if kind not in _ASIDE), kinds[0])
