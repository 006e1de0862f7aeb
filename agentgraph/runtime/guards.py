"""What each guard of the closed set means: control data only, so it is analysable and replays."""

from __future__ import annotations

from typing import assert_never

from agentgraph.runtime.outcomes import Reply
from agentgraph_compiler.machine import Guard, GuardKind, InvokeKind, State

_COUNTED = (InvokeKind.FUNCTION, InvokeKind.AGENT)
_NO_REPLY = Reply()


def spent(turn: int, limit: int | None) -> bool:
    """Whether no further turn may begin."""
    return limit is not None and turn >= limit


def stopping_call(guard: Guard, state: State, reply: Reply) -> int | None:
    """Index of the first call that a ``STOPS`` guard is about; only function tools count."""
    for index, call in enumerate(reply.calls):
        offer = state.offered.get(call.symbol)
        if (
            offer is not None
            and offer.kind in _COUNTED
            and (not guard.names or call.name in guard.names)
        ):
            return index
    return None


def holds(guard: Guard, state: State, reply: Reply | None, turn: int, limit: int | None) -> bool:
    """Whether ``guard`` holds.

    Args:
        guard: The guard of a transition of ``state``.
        state: The state being left.
        reply: The last reply, if there was one.
        turn: Turns begun.
        limit: The most turns allowed.
    """
    reply = reply or _NO_REPLY
    match guard.kind:
        case GuardKind.OTHERWISE:
            return True
        case GuardKind.CALLS:
            return bool(reply.calls)
        case GuardKind.REQUESTS:
            return bool(reply.requests) and reply.requests[0].symbol == guard.names[0]
        case GuardKind.VERDICT:
            return reply.verdict in guard.names
        case GuardKind.STOPS:
            return stopping_call(guard, state, reply) is not None
        case GuardKind.SPENT:
            return spent(turn, limit)
        case _:
            assert_never(guard.kind)
