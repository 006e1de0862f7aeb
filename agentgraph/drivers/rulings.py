"""The decisions that a resumption adds to those in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentgraph.approvals import CallKey, Ruling
from agentgraph.exceptions import UserError


def new_rulings(
    recorded: Mapping[CallKey, Ruling], rulings: Sequence[Ruling]
) -> tuple[Ruling, ...]:
    """The decisions that the journal does not hold yet.

    Args:
        recorded: The recorded decisions, by call.
        rulings: The decisions since then, in order; the last one on a call counts.

    Raises:
        UserError: A decision contradicts a recorded one, which has already had its effect.
    """
    latest = {ruling.key: ruling for ruling in rulings if ruling.key is not None}
    new = []
    for key, ruling in latest.items():
        earlier = recorded.get(key)
        if earlier is None:
            new.append(ruling)
        elif earlier.decision.answer != ruling.decision.answer:
            raise UserError(
                f"Question {ruling.name!r} was answered already, and the run went on with that"
                " answer. To answer otherwise, answer in state.fork()."
            )
        elif earlier.decision.approved != ruling.decision.approved:
            raise UserError(
                f"Call {ruling.call_id!r} of tool {ruling.name!r} was decided already, and the"
                " run went on with that decision. To decide otherwise, decide in state.fork()."
            )
    return tuple(new)
