"""What each guard of the closed set means: control data only, so it is analysable and replays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from agentgraph.runtime.outcomes import Reply
from agentgraph.runtime.state import RunState
from agentgraph_compiler.machine import FUNCTION_TOOLS, Guard, GuardKind, State

_NO_REPLY = Reply()


def holds(guard: Guard, here: State, state: RunState) -> bool:
    """Whether ``guard`` holds.

    Args:
        guard: The guard of a transition of ``here``.
        here: The state of the machine that is being left.
        state: Where the run is.
    """
    return MEANINGS[guard.kind](guard, here, state)


def stopping_call(guard: Guard, here: State, reply: Reply) -> int | None:
    """Index of the first call that a ``STOPS`` guard is about; only function tools count."""
    for index, call in enumerate(reply.calls):
        offer = here.offered.get(call.symbol)
        if (
            offer is not None
            and offer.kind in FUNCTION_TOOLS
            and (not guard.names or call.name in guard.names)
        ):
            return index
    return None


def _otherwise(guard: Guard, here: State, state: RunState) -> bool:
    return True


def _calls(guard: Guard, here: State, state: RunState) -> bool:
    return bool((state.reply or _NO_REPLY).calls)


def _requests(guard: Guard, here: State, state: RunState) -> bool:
    requests = (state.reply or _NO_REPLY).requests
    return bool(requests) and requests[0].symbol == guard.names[0]


def _verdict(guard: Guard, here: State, state: RunState) -> bool:
    return (state.reply or _NO_REPLY).verdict in guard.names


def _stops(guard: Guard, here: State, state: RunState) -> bool:
    return stopping_call(guard, here, state.reply or _NO_REPLY) is not None


def _spent(guard: Guard, here: State, state: RunState) -> bool:
    return state.limit is not None and state.turn >= state.limit


MEANINGS: Mapping[GuardKind, Callable[[Guard, State, RunState], bool]] = {
    GuardKind.OTHERWISE: _otherwise,
    GuardKind.CALLS: _calls,
    GuardKind.REQUESTS: _requests,
    GuardKind.VERDICT: _verdict,
    GuardKind.STOPS: _stops,
    GuardKind.SPENT: _spent,
}
"""One meaning for each kind; a test sees that none is missing."""
