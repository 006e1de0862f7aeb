"""The state of a run: control data only, so that a step costs the same on every turn.

The transcript is an append-only log beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Reply
from agentgraph_compiler.machine import Event

NOTHING: frozenset[Event] = frozenset()
SEEN: Mapping[Event, frozenset[Event]] = {event: frozenset({event}) for event in Event}
"""What a state sees whose only lane is over."""


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


class ControlState(NamedTuple):
    """Where a run is.

    Args:
        state: Id of the state of the machine.
        facts: What holds for the whole run.
        agent: Id of the agent at work.
        sequence: The number of the state, and the first part of the ids now owed.
        entered: The last number that was given to a state.
        turn: Turns begun; a turn is one model call and all that it causes.
        lanes: Where each lane of the state stands (``runtime/lanes.py``).
        owed: The lanes whose outcome is owed, as a mask.
        held: The lanes that wait for a decision.
        queued: The lanes that stand before their next command: those without a place, and where the
            state was left those that have to try again.
        shown: The lanes whose result was shown.
        joined: What the lanes that are over ended with.
        retries: How often the model was asked again in this state.
        reply: Control data of the last reply.
        replied: Id of the outcome that holds the last reply.
        output: Id of the outcome that holds the final output, once there is one.
        cause: Id of the outcome that says what went wrong.
        arriving: Whether the agent at work has not been greeted and has not replied.
        acted: Ids of the agents that used a tool or handed off.
        kept: The run as it was where it left a state unfinished, while there is a way back to it.
        tripped: In what is kept, id of the outcome with which a guardrail tripped after the state
            was left; the way back ends there.
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
    shown: int = 0
    joined: frozenset[Event] = NOTHING
    retries: int = 0
    reply: Reply | None = None
    replied: CommandId | None = None
    output: CommandId | None = None
    cause: CommandId | None = None
    arriving: bool = False
    acted: frozenset[str] = frozenset()
    kept: ControlState | None = None
    tripped: CommandId | None = None


new = tuple.__new__
"""Makes a named tuple without looking at keywords; every outcome makes several."""


def in_state(
    left: ControlState,
    id: str,
    sequence: int,
    turn: int,
    lanes: bytes,
    owed: int,
    queued: int,
    joined: frozenset[Event],
) -> ControlState:
    """A run in another state."""
    registers = left[_REPLY:]
    place = (
        id,
        left.facts,
        left.agent,
        sequence,
        sequence,
        turn,
        lanes,
        owed,
        0,
        queued,
        0,
        joined,
        0,
    )
    return new(ControlState, place + registers)


def with_lanes(
    state: ControlState,
    lanes: bytes,
    owed: int,
    held: int,
    queued: int,
    shown: int,
    joined: frozenset[Event],
    retries: int,
) -> ControlState:
    """A run with its lanes elsewhere."""
    changed = (lanes, owed, held, queued, shown, joined, retries)
    return new(ControlState, state[:_LANES] + changed + state[_REPLY:])


def with_reply(
    state: ControlState, reply: Reply, replied: CommandId, acted: frozenset[str]
) -> ControlState:
    """A run that holds another reply, so that its agent is no longer arriving."""
    changed = (reply, replied, state.output, state.cause, False, acted)
    return new(ControlState, state[:_REPLY] + changed + state[_KEPT:])


def with_registers(state: ControlState, changes: Mapping[str, object]) -> ControlState:
    """A run with some registers changed, at a third of what ``_replace`` takes."""
    fields: list[object] = list(state)
    for name, value in changes.items():
        fields[_PLACES[name]] = value
    return new(ControlState, fields)


_PLACES = {name: place for place, name in enumerate(ControlState._fields)}
_LANES, _REPLY, _KEPT = _PLACES["lanes"], _PLACES["reply"], _PLACES["kept"]
