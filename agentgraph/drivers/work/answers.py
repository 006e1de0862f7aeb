"""Reading the answer of a callback that decides in a person's place."""

from __future__ import annotations

from collections.abc import Mapping

from agentgraph.approvals import Decision
from agentgraph.exceptions import UserError


def read_answer(answer: object, callback: str) -> Decision:
    """Read the answer of a callback that decides in a person's place.

    Args:
        answer: A dictionary with ``approve`` and, optionally, ``reason``.
        callback: The name of the callback, for the message.

    Raises:
        UserError: The answer has another form.
    """
    if not isinstance(answer, Mapping) or "approve" not in answer:
        raise UserError(f"{callback} must return a dictionary with 'approve'.")
    return Decision(bool(answer["approve"]), answer.get("reason"))
