"""Which decisions a resumption adds to those that a journal holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agentgraph.approvals import CallKey, Ruling
from agentgraph.exceptions import UserError


def new_rulings(decided: Mapping[CallKey, Ruling], rulings: Sequence[Ruling]) -> tuple[Ruling, ...]:
    """The decisions that the journal does not hold.

    Args:
        decided: What was decided so far, by call.
        rulings: What was decided since, in order; the last one about a call counts.

    Raises:
        UserError: A call was decided otherwise, and that has had its effect.
    """
    latest = {ruling.key: ruling for ruling in rulings if ruling.key is not None}
    new = []
    for key, ruling in latest.items():
        recorded = decided.get(key)
        if recorded is None:
            new.append(ruling)
        elif recorded.decision.approved != ruling.decision.approved:
            raise UserError(
                f"Call {ruling.call_id!r} of tool {ruling.name!r} was decided on already, and the"
                " run went on with that. Decide in state.fork() to do it again otherwise."
            )
    return tuple(new)
