"""Reading what the user's code answers in a person's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentgraph.approvals import Decision
from agentgraph.exceptions import UserError


def read_answer(answer: Any, asked: str) -> Decision:
    """Read what the user's code answers in a person's place.

    Args:
        answer: A dictionary with ``approve`` and, if wished, ``reason``.
        asked: What was asked, for the message.

    Raises:
        UserError: It is something else.
    """
    if not isinstance(answer, Mapping) or "approve" not in answer:
        raise UserError(f"{asked} must return a dictionary with 'approve'.")
    return Decision(bool(answer["approve"]), answer.get("reason"))
