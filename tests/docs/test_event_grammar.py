"""The order of stream events, as docs/streaming.md states it, holds for every run."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.docs.event_grammar import is_word

U, R, MESSAGE = "agent_updated", "raw_response", "message_output_created"
CALL, OUTPUT = "tool_called", "tool_output_created"
HANDOFF, HANDED = "handoff_called", "handoff_output_created"


@pytest.mark.parametrize(
    ("names", "verdict"),
    [
        ([U, R, R, MESSAGE], True),
        ([U, R, CALL, CALL, OUTPUT, OUTPUT, R, MESSAGE], True),
        ([U, R, HANDOFF, HANDOFF, OUTPUT, HANDED, U, R, MESSAGE], True),
        ([R, U, MESSAGE], False),
        ([U, R, OUTPUT, CALL], False),
        ([U, R, HANDOFF, HANDED, R, U, MESSAGE], False),
        ([U, R, HANDED, MESSAGE], False),
        ([U, "tool_output"], False),
    ],
)
def test_the_grammar_tells_a_right_order_from_a_wrong_one(
    names: Iterable[str], verdict: bool
) -> None:
    assert is_word(names) is verdict
