"""The state of a run: control data only, so that a step costs the same on every turn.

The transcript is an append-only log beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Reply
from agentgraph_compiler.machine import Event, Transition

NOTHING: frozenset[Event] = frozenset()
SEEN: Mapping[Event, frozenset[Event]] = {event: frozenset({event}) for event in Event}
"""The events of a state whose only lane is over, by the event with which the lane ended."""


class Facts(NamedTuple):
    """What holds for a run from its start to its end.

    Args:
        limit: The most turns allowed; ``None`` means no limit.
        session: Whether it has a session.
        hooked: Whether hooks are set.
    """

    limit: int | None = None
    session: bool = False
    hooked: bool = False


class Edges(NamedTuple):
    """What a run knows of the edges that it took.

    Args:
        since: The turns begun before the visit of the step at work.
        taken: How often each back edge was taken since the run came to its loop.
    """

    since: int = 0
    taken: tuple[tuple[str, int], ...] = ()

    def after(self, row: Transition, turn: int) -> Edges:
        """What a run knows after a transition, taken when that many turns have begun."""
        taken = {edge: times for edge, times in self.taken if edge not in row.resets}
        if row.counts:
            taken[row.counts] = taken.get(row.counts, 0) + 1
        return Edges(turn if row.visits else self.since, tuple(taken.items()))


class ControlState(NamedTuple):
    """Where a run is.

    Args:
        state: Id of the state of the machine.
        facts: What holds for the whole run.
        agent: Id of the agent at work.
        sequence: The number of this entry into a state; the first part of the ids that are owed.
        entered: The highest such number so far.
        turn: Turns begun; a turn is one model call and everything it causes.
        lanes: Where each lane of the state stands (``runtime/lanes.py``).
        owed: The lanes whose outcome is owed, as a mask.
        held: The lanes that wait for a decision.
        queued: The lanes that wait to get their next command: those without a place and, in a state
            that was left, those that must try again.
        emitted: The lanes whose result was emitted.
        joined: The events with which lanes ended.
        retries: How often this state has repeated its model call.
        reply: Control data of the last reply.
        replied: Id of the outcome that holds the last reply.
        output: Id of the outcome that holds the final output, once there is one.
        cause: Id of the outcome that says what went wrong.
        arriving: Whether the agent at work has neither been announced to hooks nor replied.
        acted: Ids of the agents that used a tool or handed off.
        edges: The edges that it took.
        kept: The run as it was when it left a state unfinished, while it can still go back there.
        tripped: Only in ``kept``: id of the outcome with which a guardrail tripped after the run
            left the state. Going back ends there.
    """

    state: str
    facts: Facts = Facts()
    agent: str = ""
    sequence: int = 0
    entered: int = 0
    turn: int = 0
    lanes: bytes = b""
    owed: int = 0
    held: int = 0
    queued: int = 0
    emitted: int = 0
    joined: frozenset[Event] = NOTHING
    retries: int = 0
    reply: Reply | None = None
    replied: CommandId | None = None
    output: CommandId | None = None
    cause: CommandId | None = None
    arriving: bool = False
    acted: frozenset[str] = frozenset()
    edges: Edges = Edges()
    kept: ControlState | None = None
    tripped: CommandId | None = None


new = tuple.__new__
"""Makes a named tuple from positional values only: fast, since each outcome makes several."""


Lanes: TypeAlias = tuple[bytes, int, int, int, int, frozenset[Event], int]
"""The fields of a state from ``lanes`` to ``retries``."""


def with_lanes(state: ControlState, lanes: Lanes) -> ControlState:
    """The run with other values for its lanes and masks."""
    return new(ControlState, state[:_LANES] + lanes + state[_REPLY:])


_LANES, _REPLY = map(ControlState._fields.index, ("lanes", "reply"))
