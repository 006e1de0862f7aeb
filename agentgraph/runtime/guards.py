"""What each guard means. Guards read control data only, so they can be analysed and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agentgraph.runtime.lanes import count
from agentgraph.runtime.outcomes import Reply
from agentgraph.runtime.state import ControlState
from agentgraph_compiler.machine import Event, Guard, GuardKind, Invoke, State, Transition

_NO_REPLY = Reply()
_OTHERWISE = GuardKind.OTHERWISE


def holds(guard: Guard, here: State, state: ControlState) -> bool:
    """Whether ``guard`` holds.

    Args:
        guard: The guard of a transition or a phase of ``here``.
        here: The state of the machine that the run is in.
        state: Where the run is.
    """
    return MEANINGS[guard.kind](guard, here, state)


def first_enabled(
    rows: Iterable[Transition], here: State, state: ControlState
) -> Transition | None:
    """The first transition whose guard holds (SCXML 3.13)."""
    for row in rows:
        guard = row.guard
        if guard.kind is _OTHERWISE or MEANINGS[guard.kind](guard, here, state):
            return row
    return None


def enabled_on(event: Event, here: State, state: ControlState) -> Transition | None:
    """The first transition of a state on an event whose guard holds."""
    return first_enabled(here.by_event.get(event, ()), here, state)


def due(invoke: Invoke, index: int, here: State, state: ControlState) -> int:
    """Index of the first due phase at or after ``index``; the number of phases if none is due."""
    _, session, hooked = state.facts
    if not session and not hooked:
        index = invoke.bare[index]
    phases = invoke.phases
    for phase in phases[index:] if index else phases:
        guard = phase.when
        if guard.kind is _OTHERWISE or MEANINGS[guard.kind](guard, here, state):
            break
        index += 1
    return index


def stopping_call(guard: Guard, here: State, reply: Reply) -> int | None:
    """Index of the first call for which a ``STOPS`` guard holds: a call of an offer that stops."""
    for index, call in enumerate(reply.calls):
        offer = here.offered.get(call.symbol)
        if offer is not None and offer.stops and (not guard.names or call.name in guard.names):
            return index
    return None


def _requests(guard: Guard, here: State, state: ControlState) -> bool:
    requests = (state.reply or _NO_REPLY).requests
    return bool(requests) and requests[0].symbol == guard.names[0]


def _limit_reached(guard: Guard, here: State, state: ControlState) -> bool:
    limit = state.facts.limit
    return limit is not None and state.turn - state.edges.since >= limit


def _rounds_left(guard: Guard, here: State, state: ControlState) -> bool:
    edge, most = guard.names
    return dict(state.edges.taken).get(edge, 0) < int(most)


def _enough_joined(guard: Guard, here: State, state: ControlState) -> bool:
    unfinished = state.owed | state.held | state.queued
    return count(state.lanes) - unfinished.bit_count() >= int(guard.names[0])


MEANINGS: Mapping[GuardKind, Callable[[Guard, State, ControlState], bool]] = {
    GuardKind.OTHERWISE: lambda guard, here, state: True,
    GuardKind.CALLS: lambda guard, here, state: state.reply is not None and bool(state.reply.calls),
    GuardKind.REQUESTS: _requests,
    GuardKind.VERDICT: lambda guard, here, state: (state.reply or _NO_REPLY).verdict in guard.names,
    GuardKind.STOPS: lambda guard, here, state: (
        stopping_call(guard, here, state.reply or _NO_REPLY) is not None
    ),
    GuardKind.SPENT: _limit_reached,
    GuardKind.SESSION: lambda guard, here, state: state.facts.session,
    GuardKind.UNSAVED: lambda guard, here, state: state.facts.session and state.turn > 1,
    GuardKind.ARRIVING: lambda guard, here, state: state.facts.hooked and state.arriving,
    GuardKind.HOOKED: lambda guard, here, state: state.facts.hooked,
    GuardKind.KEPT: lambda guard, here, state: state.kept is not None,
    GuardKind.ACTED: lambda guard, here, state: state.agent in state.acted,
    GuardKind.CASE: lambda guard, here, state: (state.reply or _NO_REPLY).case in guard.names,
    GuardKind.ROUNDS: _rounds_left,
    GuardKind.JOINED: _enough_joined,
}
"""One meaning for each kind; a test checks that none is missing."""
