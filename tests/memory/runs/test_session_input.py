"""What the model sees of history and new input, and what of it is stored."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.runs.session_input import combine
from tests.memory.stores import Item, call, output, user

HISTORY: list[Item] = [user("a"), user("b"), user("a")]
NEW: list[Item] = [user("a"), user("c")]
EXTRA: Item = user("extra")


async def test_without_a_callback_the_new_input_follows_the_history_and_is_stored() -> None:
    combined = await combine(HISTORY, NEW)

    assert combined.model_input == [*HISTORY, *NEW]
    assert combined.to_store == NEW
    assert combined.changes == ()


async def test_a_damaged_history_is_mended_for_the_model_and_the_new_input_is_not() -> None:
    combined = await combine([user("a"), call("lost")], [output("mine")])

    assert combined.model_input == [user("a"), output("mine")]
    assert combined.to_store == [output("mine")]
    assert [change.rule for change in combined.changes] == ["call-without-output"]


async def test_a_request_that_nobody_has_answered_is_left_out_and_is_no_fault() -> None:
    request: Item = {"type": "mcp_approval_request", "id": "r", "name": "f", "arguments": "{}"}
    history = [user("a"), request]

    asked_again = await combine(history, [user("b")])
    assert asked_again.model_input == [user("a"), user("b")]
    assert asked_again.changes == ()

    answer: Item = {"type": "mcp_approval_response", "approval_request_id": "r", "approve": True}
    assert (await combine(history, [answer])).model_input == [*history, answer]


@pytest.mark.parametrize(
    ("callback", "stored"),
    [
        (lambda history, new: history + new, NEW),
        (lambda history, new: history[-1:] + new, NEW),
        (lambda history, new: new, NEW),
        (lambda history, new: history, []),
        (lambda history, new: new + history, NEW),
        (lambda history, new: [*history, EXTRA, *new], [EXTRA, *NEW]),
        (lambda history, new: copy.deepcopy(history) + new, NEW),
        (lambda history, new: [*history[:1], user("a"), *new], NEW),
        (lambda history, new: [history[0], user("a"), user("a"), *new], [user("a"), *NEW]),
        (
            lambda history, new: [{**history[0], "content": "shorter"}],
            [{**user("a"), "content": "shorter"}],
        ),
    ],
    ids=[
        "all",
        "shortened",
        "only-new",
        "only-history",
        "reordered",
        "with-more",
        "history-copied",
        "one-copy-of-two",
        "more-copies-than-history-has",
        "history-rewritten",
    ],
)
async def test_what_the_callback_returns_is_seen_and_what_is_no_history_is_stored(
    callback: Callable[[list[Item], list[Item]], list[Item]], stored: list[Item]
) -> None:
    combined = await combine(HISTORY, NEW, callback)

    assert combined.model_input == callback(HISTORY, NEW)
    assert combined.to_store == stored


async def test_the_callback_may_be_a_coroutine_function_and_gets_copies() -> None:
    async def spoil(history: list[Item], new: list[Item]) -> list[Item]:
        history[0]["content"] = "spoilt"
        new.clear()
        return history

    before = copy.deepcopy((HISTORY, NEW))
    combined = await combine(HISTORY, NEW, spoil)

    assert combined.to_store == []
    assert before == (HISTORY, NEW)


async def test_a_callback_that_returns_no_list_is_an_error() -> None:
    wrong: Any = lambda history, new: None  # noqa: E731

    with pytest.raises(
        InvalidSessionInput, match="must return a list of input items, got NoneType"
    ):
        await combine(HISTORY, NEW, wrong)


async def test_input_that_is_stored_already_is_not_stored_again_and_what_was_done_follows() -> None:
    done: list[Item] = [call("1"), output("1")]

    combined = await combine(HISTORY, NEW, stored=NEW, done=done)

    assert combined.model_input == [*HISTORY, *NEW, *done]
    assert combined.to_store == []


async def test_what_was_done_is_mended_for_the_model_when_others_have_damaged_it() -> None:
    combined = await combine(HISTORY, NEW, stored=NEW, done=[call("1"), output("1"), call("2")])

    assert combined.model_input == [*HISTORY, *NEW, call("1"), output("1")]


@pytest.mark.parametrize(
    ("callback", "stored"),
    [
        (lambda history, new: history + new, []),
        (lambda history, new: new, []),
        (lambda history, new: [*history, EXTRA, *new], [EXTRA]),
    ],
    ids=["all", "only-new", "with-more"],
)
async def test_a_callback_gets_unanswered_input_as_new_and_it_is_not_stored_twice(
    callback: Callable[[list[Item], list[Item]], list[Item]], stored: list[Item]
) -> None:
    done: list[Item] = [call("1"), output("1")]
    combined = await combine(HISTORY, NEW, callback, stored=NEW, done=done)

    assert combined.model_input == [*callback(HISTORY, NEW), *done]
    assert combined.to_store == stored
