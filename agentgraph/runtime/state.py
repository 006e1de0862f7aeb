"""The state of a run: control data only, so that a step costs the same on every turn.

The transcript is an append-only log beside it.
"""

from __future__ import annotations

from typing import NamedTuple

from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Reply


class RunState(NamedTuple):
    """Where a run is.

    Args:
        state: Id of the state of the machine.
        sequence: How many states were entered; the first half of the ids now pending.
        turn: Turns begun; a turn is one model call and all that it causes.
        limit: The most turns allowed; ``None`` means no limit.
        pending: Indexes of the commands whose outcome is owed.
        order: Indexes issued on entering the state, in order; outputs are released in this order.
        awaiting: Indexes of calls that wait for approval, in call order.
        performed: For each call of the reply, the sequence in which it was last performed.
        reply: Control data of the last reply.
        replied: Id of the outcome that holds the last reply.
        output: Id of the outcome that holds the final output, once there is one.
    """

    state: str
    sequence: int = 0
    turn: int = 0
    limit: int | None = None
    pending: frozenset[int] = frozenset()
    order: tuple[int, ...] = ()
    awaiting: tuple[int, ...] = ()
    performed: tuple[int, ...] = ()
    reply: Reply | None = None
    replied: CommandId | None = None
    output: CommandId | None = None
