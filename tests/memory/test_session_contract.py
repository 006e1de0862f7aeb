"""What every session store does, whatever is behind it."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

import pytest

from agentgraph.memory import Session, SessionABC, SessionSettings
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError
from agentgraph.memory.session import offers
from tests.memory.stores import Item, Store, call, output, user

TURN: list[Item] = [user("one"), call("c"), output("c"), user("two")]


async def test_items_come_back_as_they_were_stored_and_in_order(store: Store) -> None:
    session = store.open()

    await session.add_items(TURN[:1])
    await session.add_items(TURN[1:])

    assert store.plain(await session.get_items()) == TURN


async def test_a_new_session_is_empty_and_has_nothing_to_pop(store: Store) -> None:
    session = store.open()

    assert await session.get_items() == []
    assert await session.pop_item() is None


async def test_storing_nothing_changes_nothing(store: Store) -> None:
    session = store.open()

    await session.add_items([])

    assert await session.get_items() == []


async def test_a_closed_session_refuses_everything_and_closes_again(store: Store) -> None:
    session: Any = store.open()
    await session.add_items(TURN)
    if store.name == "conversations":
        assert not hasattr(type(session), "close")  # its client is the caller's to close
        return
    for _ in range(2):
        closing = session.close()
        if inspect.isawaitable(closing):
            await closing
    for attempt in (
        lambda: session.add_items(TURN),
        lambda: session.add_items([]),
        session.get_items,
        lambda: session.get_items(0),
        session.pop_item,
        session.clear_session,
    ):
        with pytest.raises(SessionClosedError, match="is closed; make a new session object"):
            await attempt()


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 你好, שלום, 🎉👩‍👩‍👧",
        "'; DROP TABLE agent_messages; --",
        '"quoted" \\ \n\t\x00\x1f',
        "",
    ],
    ids=["unicode", "sql", "control-characters", "empty"],
)
async def test_any_text_survives(store: Store, text: str) -> None:
    session = store.open()

    await session.add_items([user(text)])

    assert store.plain(await session.get_items()) == [user(text)]


@pytest.mark.parametrize("limit", [0, 1, 3, 4, 99])
async def test_a_limit_gives_the_latest_items_oldest_first(store: Store, limit: int) -> None:
    session = store.open()
    await session.add_items(TURN)

    limited = store.plain(await session.get_items(limit))

    assert limited == TURN[len(TURN) - min(limit, len(TURN)) :]


async def test_the_limit_of_the_settings_holds_unless_an_argument_says_otherwise(
    store: Store,
) -> None:
    session = store.open()
    await session.add_items(TURN)
    session.session_settings = SessionSettings(limit=2)

    assert store.plain(await session.get_items()) == TURN[-2:]
    assert store.plain(await session.get_items(1)) == TURN[-1:]


async def test_a_negative_limit_is_refused(store: Store) -> None:
    with pytest.raises(InvalidSessionInput, match="0 or more"):
        await store.open().get_items(-1)


async def test_the_latest_item_that_is_accepted_is_taken_away_and_others_stay(
    moving_store: Store,
) -> None:
    session: Any = moving_store.open()
    if not offers(session, "pop_latest", ("pop_item",)):
        assert moving_store.name == "encrypted"  # nobody needs it to be asked for that
        return
    await session.add_items(TURN)
    kinds = [item.get("type", "message") for item in TURN]

    call = await session.pop_latest(lambda item: item.get("type") == "function_call")

    assert call == TURN[kinds.index("function_call")]
    assert await session.get_items() == [item for item in TURN if item != call]
    assert await session.pop_latest(lambda item: False) is None
    assert await session.get_items() == [item for item in TURN if item != call]


async def test_two_that_pop_at_once_do_not_get_the_same_item(moving_store: Store) -> None:
    session = moving_store.open()
    other = moving_store.open() if moving_store.reopens else session
    items = [user(f"{number}") for number in range(12)]
    await session.add_items(items)

    popped = await asyncio.gather(*(each.pop_item() for each in (session, other) * 6))

    assert sorted(json.dumps(item) for item in popped) == sorted(map(json.dumps, items))
    assert await session.get_items() == []


async def test_pop_takes_the_latest_item_away(store: Store) -> None:
    session = store.open()
    await session.add_items(TURN)

    popped = [await session.pop_item(), await session.pop_item()]

    assert store.plain([item for item in popped if item is not None]) == [TURN[3], TURN[2]]
    assert store.plain(await session.get_items()) == TURN[:2]


async def test_clearing_removes_every_item_and_the_session_goes_on(store: Store) -> None:
    session = store.open()
    await session.add_items(TURN)

    await session.clear_session()
    assert await session.get_items() == []
    await session.clear_session()
    await session.add_items(TURN[:1])

    assert store.plain(await session.get_items()) == TURN[:1]


async def test_sessions_do_not_see_each_other(store: Store) -> None:
    first, second = store.open("first"), store.open("second")
    await first.add_items(TURN)
    await second.add_items(TURN[:1])

    await first.clear_session()

    assert await first.get_items() == []
    assert store.plain(await second.get_items()) == TURN[:1]


async def test_another_object_continues_the_conversation(store: Store) -> None:
    if not store.reopens:
        return
    await store.open().add_items(TURN[:3])
    await store.close()

    reopened = store.open()
    assert store.plain(await reopened.get_items()) == TURN[:3]
    await reopened.add_items(TURN[3:])

    assert store.plain(await reopened.get_items()) == TURN


async def test_an_item_of_a_megabyte_survives(store: Store) -> None:
    session = store.open()
    large = user("é" * 500_000)

    await session.add_items([large, user("small")])

    assert store.plain(await session.get_items()) == [large, user("small")]


async def test_ten_thousand_items_keep_their_order(store: Store) -> None:
    session = store.open()
    # The Conversations API takes 20 items per request, so a tenth of that many is as telling.
    items = [
        user(f"{number}") for number in range(1_000 if store.name == "conversations" else 10_000)
    ]

    await session.add_items(items[: len(items) // 3])
    await session.add_items(items[len(items) // 3 :])

    assert store.plain(await session.get_items()) == items
    assert store.plain(await session.get_items(5)) == items[-5:]


async def test_concurrent_calls_keep_the_items_of_each_call_together(store: Store) -> None:
    first = store.open()
    second = store.open() if store.reopens else first
    turns = [[user(f"{n}.{part}") for part in range(3)] for n in range(12)]

    await asyncio.gather(*((first, second)[n % 2].add_items(turn) for n, turn in enumerate(turns)))

    stored = store.plain(await first.get_items())
    blocks = [stored[start : start + 3] for start in range(0, len(stored), 3)]
    blocks.sort(key=lambda block: turns.index(block) if block in turns else -1)
    assert blocks == turns


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ("hello", "takes a list of input items, got str"),
        ({"role": "user", "content": "x"}, "takes a list of input items, got dict"),
        ([user("fine"), "not an item"], r"items\[1\] is str, not an input item"),
        ([user("fine"), {"foo": 1}], r"items\[1\] is a dict without 'type', 'role' or 'id'"),
        ([user("fine"), {"role": "user", "content": {1}}], r"items\[1\] cannot be written as JSON"),
        ([{"role": "user", "content": float("nan")}], r"items\[0\] cannot be written as JSON"),
    ],
)
async def test_what_is_no_item_is_refused_and_nothing_is_stored(
    store: Store, items: Any, complaint: str
) -> None:
    session = store.open("named")

    with pytest.raises(InvalidSessionInput, match=complaint) as refusal:
        await session.add_items(items)

    assert "named" in str(refusal.value)
    assert await session.get_items() == []


async def test_every_store_is_a_session(store: Store) -> None:
    session = store.open()

    assert isinstance(session, SessionABC)
    assert isinstance(session, Session)
