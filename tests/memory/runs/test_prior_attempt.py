"""When the input of a run counts as tried before, and how far back a store has to look for that."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph.memory.runs.prior_attempt import PriorAttempt
from tests.memory.stores import Item, call, output, user

ASSISTANT: Item = {"type": "message", "role": "assistant", "content": "yes"}
REQUEST: Item = {"type": "mcp_approval_request", "id": "r", "name": "f", "arguments": "{}"}
RESPONSE: Item = {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True}
TURN: list[Item] = [call("1"), output("1")]
ASKED: list[Item] = [user("a")]


def looked(stored: list[Item], prior: PriorAttempt) -> list[int | None]:
    """Let it look back in a session; return how many items it wanted each time."""
    wanted: list[int | None] = []
    while True:
        count = prior.window
        wanted.append(count)
        if prior.take(stored if count is None else stored[max(0, len(stored) - count) :]):
            return wanted


@pytest.mark.parametrize(
    ("stored", "done"),
    [
        (ASKED, []),
        ([*ASKED, *TURN], TURN),
        ([*ASKED, ASSISTANT, *TURN], [ASSISTANT, *TURN]),
        ([*ASKED, *TURN, {"type": "reasoning", "id": "r", "summary": []}], None),
        ([*ASKED, REQUEST, RESPONSE], [REQUEST, RESPONSE]),
        ([ASSISTANT, *ASKED, *TURN, call("2"), output("2")], [*TURN, call("2"), output("2")]),
        ([], None),
        ([*ASKED, ASSISTANT], None),
        ([*ASKED, *TURN, ASSISTANT], None),
        ([*ASKED, user("b")], None),
        ([*ASKED, *TURN, user("b")], None),
        ([*ASKED, {"role": "system", "content": "x"}], None),
        ([*ASKED, REQUEST], None),
        ([user("b")], None),
        (TURN, None),
    ],
)
def test_an_input_was_tried_when_the_history_ends_with_it_and_turns_without_an_answer(
    stored: list[Item], done: list[Item] | None
) -> None:
    if done is None and stored[-1:] and stored[-1].get("type") == "reasoning":
        done = stored[1:]
    prior = PriorAttempt(ASKED)

    looked(stored, prior)

    assert prior.done == done
    assert prior.history == (stored if done is None else stored[: prior.start])
    assert stored[prior.start :] == ([] if done is None else prior.items)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (
            {"role": "user", "content": "a"},
            {
                "type": "message",
                "id": "1",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}],
            },
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": "u"}]},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": "u", "detail": "auto", "file_id": None}
                ],
            },
        ),
        (output("1"), output("1") | {"id": "2", "status": "completed"}),
    ],
)
def test_an_input_is_known_in_the_form_that_a_store_gave_it(given: Item, stored: Item) -> None:
    prior = PriorAttempt([given])

    looked([ASSISTANT, stored], prior)

    assert (prior.history, prior.items, prior.done) == ([ASSISTANT], [stored], [])


@pytest.mark.parametrize(
    "stored",
    [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "user", "content": [{"type": "input_text", "text": "b"}]},
        {"role": "user", "content": [{"type": "input_text", "text": text} for text in "ab"]},
        {"role": "user", "content": []},
    ],
)
def test_an_input_that_says_something_else_is_another_one(stored: Item) -> None:
    prior = PriorAttempt([{"role": "user", "content": "a"}])

    looked([stored], prior)

    assert prior.done is None


def test_where_a_tool_may_answer_its_output_ends_the_attempt() -> None:
    prior = PriorAttempt(ASKED, tools_answer=True)
    looked([*ASKED, *TURN], prior)
    assert prior.done is None

    prior = PriorAttempt(ASKED, tools_answer=True)
    looked(ASKED, prior)
    assert prior.done == []


def test_an_input_that_another_run_is_at_was_not_tried() -> None:
    prior = PriorAttempt(ASKED)
    looked(ASKED, prior)

    prior.decline()

    assert (prior.done, prior.items, prior.history) == (None, [], ASKED)


def test_an_input_of_several_items_is_found_as_a_whole() -> None:
    new = [user("a"), user("b")]
    for stored, done in (([*new, *TURN], TURN), ([user("b"), *TURN], None), ([*new[:1]], None)):
        prior = PriorAttempt(new)
        looked([ASSISTANT, *stored], prior)
        assert prior.done == done


@pytest.mark.parametrize("limit", [0, 1, 2, 50])
def test_a_limit_holds_for_what_stands_before_the_input_and_the_attempt_is_never_cut(
    limit: int,
) -> None:
    before = [user(str(number)) for number in range(20)] + [ASSISTANT]
    turns = [item for number in range(5) for item in (call(f"{number}"), output(f"{number}"))]
    prior = PriorAttempt(ASKED, limit)

    looked([*before, *ASKED, *turns], prior)

    assert prior.done == turns
    assert prior.history == before[len(before) - min(limit, len(before)) :]


def test_a_store_reads_on_only_while_the_attempt_is_not_decided() -> None:
    answered: list[Item] = [*ASKED, ASSISTANT] * 100
    assert looked(answered, PriorAttempt(ASKED, 10)) == [11]
    assert looked(answered, PriorAttempt(ASKED)) == [None]
    unfinished: list[Item] = [*answered, *ASKED, *TURN * 10]
    wanted = looked(unfinished, PriorAttempt(ASKED, 3))
    assert wanted[0] == 4
    assert max(count or 0 for count in wanted) < 80


ITEMS = st.sampled_from([user("a"), user("b"), ASSISTANT, call("1"), output("1"), REQUEST])


@given(
    stored=st.lists(ITEMS, max_size=12),
    new=st.lists(ITEMS, max_size=3),
    limit=st.one_of(st.none(), st.integers(0, 14)),
)
def test_a_limit_never_changes_what_was_tried(
    stored: list[Any], new: list[Any], limit: int | None
) -> None:
    whole, limited = PriorAttempt(new), PriorAttempt(new, limit)
    looked(stored, whole)
    looked(stored, limited)

    assert limited.done == whole.done
    history = whole.history
    assert limited.history == (
        history if limit is None else history[max(0, len(history) - limit) :]
    )
