"""`EncryptedSession`: what is stored, which key opens what, age, and what a wrong key can do."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from agentgraph.extensions.memory import EncryptedSession
from agentgraph.memory import SessionSettings, SQLiteSession
from agentgraph.memory.errors import InvalidSessionInput
from tests.memory.stores import Item, user

ITEMS: list[Item] = [user("my secret"), user("another"), user("third")]


@pytest.fixture
def underlying() -> SQLiteSession:
    return SQLiteSession("underlying")


class Clock:
    """The clock that Fernet and the session read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_only_ciphertext_is_stored(underlying: SQLiteSession) -> None:
    await EncryptedSession("s", underlying, "key").add_items(ITEMS)

    stored: list[Any] = list(await underlying.get_items())

    assert "secret" not in json.dumps(stored)
    assert [sorted(envelope) for envelope in stored] == [
        ["__enc__", "kid", "payload", "seal", "v"]
    ] * 3
    assert {envelope["kid"] for envelope in stored} == {"hkdf-v1"}


@pytest.mark.parametrize(("session_id", "key"), [("s", "wrong"), ("other", "key")])
async def test_another_key_or_session_reads_nothing_and_destroys_nothing(
    underlying: SQLiteSession, session_id: str, key: str
) -> None:
    right = EncryptedSession("s", underlying, "key")
    await right.add_items(ITEMS)
    wrong = EncryptedSession(session_id, underlying, key)

    assert await wrong.get_items() == []
    assert await wrong.get_items(2) == []
    assert await wrong.pop_item() is None

    assert await right.get_items() == ITEMS


async def test_popping_passes_over_what_the_key_does_not_open_and_keeps_it(
    underlying: SQLiteSession,
) -> None:
    right, other = (EncryptedSession("s", underlying, key) for key in ("key", "other"))
    await right.add_items(ITEMS)
    await other.add_items([user("theirs 1"), user("theirs 2")])

    assert await right.pop_item() == ITEMS[-1]

    assert await right.get_items() == ITEMS[:-1]
    assert await other.get_items() == [user("theirs 1"), user("theirs 2")]


async def test_a_pop_is_one_transaction_of_the_underlying_session(
    underlying: SQLiteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = (EncryptedSession("s", underlying, key) for key in ("mine", "theirs"))
    await mine.add_items(ITEMS[:1])
    await theirs.add_items(ITEMS[1:])
    monkeypatch.setattr(SQLiteSession, "add_items", None)  # nothing has to be put back

    assert await mine.pop_item() == ITEMS[0]
    assert await mine.pop_item() is None

    assert await theirs.get_items() == ITEMS[1:]


async def test_what_is_too_old_is_passed_over_and_stays(
    underlying: SQLiteSession, clock: Clock
) -> None:
    session = EncryptedSession("s", underlying, "key", ttl=60)
    await session.add_items(ITEMS)
    clock.now += 61

    assert await session.pop_item() is None

    clock.now -= 61
    assert await session.get_items() == ITEMS


async def test_a_pop_that_is_cancelled_keeps_what_the_key_does_not_open(
    underlying: SQLiteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = (EncryptedSession("s", underlying, key) for key in ("mine", "theirs"))
    await mine.add_items(ITEMS[:1])
    await theirs.add_items(ITEMS[1:])
    pop = underlying.pop_item

    async def cancelled() -> Item | None:
        if not popping.cancelling():
            popping.cancel()
            await asyncio.sleep(0)
        return await pop()

    monkeypatch.setattr(underlying, "pop_item", cancelled)
    popping = asyncio.create_task(mine.pop_item())
    await asyncio.wait([popping])

    assert popping.cancelled()
    assert await mine.get_items() == []
    assert await theirs.get_items() == ITEMS[1:]


async def test_a_limit_counts_only_items_that_can_be_read(underlying: SQLiteSession) -> None:
    right, other = (EncryptedSession("s", underlying, key) for key in ("key", "other"))
    await right.add_items(ITEMS)
    await other.add_items([user(str(number)) for number in range(20)])

    assert await right.get_items(2) == ITEMS[-2:]
    scanning_little = EncryptedSession("s", underlying, "key", max_scan_items=21)
    assert await scanning_little.get_items(2) == ITEMS[-1:]


async def test_what_was_stored_without_encryption_is_left_out(underlying: SQLiteSession) -> None:
    odd: Item = {"type": "message", "payload": 3}
    await underlying.add_items([user("plain"), odd])
    session = EncryptedSession("s", underlying, "key")

    await session.add_items(ITEMS[:1])

    assert await session.get_items() == ITEMS[:1]


async def test_an_item_can_be_read_until_its_time_is_over(
    underlying: SQLiteSession, clock: Clock
) -> None:
    session = EncryptedSession("s", underlying, "key", ttl=60)
    await session.add_items(ITEMS[:1])
    clock.now += 50
    await session.add_items(ITEMS[1:])

    clock.now += 9
    assert await session.get_items() == ITEMS
    clock.now += 2
    assert await session.get_items() == ITEMS[1:]
    assert [await session.pop_item() for _ in range(3)] == [ITEMS[2], ITEMS[1], None]


async def test_an_item_can_be_read_for_as_many_seconds_as_its_time_says(
    underlying: SQLiteSession, clock: Clock
) -> None:
    clock.now = int(clock.now) + 0.9
    session = EncryptedSession("s", underlying, "key", ttl=1)
    await session.add_items(ITEMS)

    clock.now += 0.9
    assert await session.get_items() == ITEMS
    clock.now += 1.1
    assert await session.get_items() == []


async def test_without_a_time_an_item_can_be_read_always(
    underlying: SQLiteSession, clock: Clock
) -> None:
    session = EncryptedSession("s", underlying, "key", ttl=None)
    await session.add_items(ITEMS)

    clock.now += 10**9

    assert await session.get_items() == ITEMS


@pytest.mark.parametrize("jump", [-10, -3600, -86400])
async def test_a_clock_that_is_set_back_hides_nothing(
    underlying: SQLiteSession, clock: Clock, jump: int
) -> None:
    session = EncryptedSession("s", underlying, "key", ttl=60)
    await session.add_items(ITEMS)

    clock.now += jump

    assert await session.get_items() == ITEMS
    assert await session.get_items(1) == ITEMS[-1:]


async def test_a_clock_that_jumped_ahead_and_came_back_hides_nothing_for_good(
    underlying: SQLiteSession, clock: Clock
) -> None:
    session = EncryptedSession("s", underlying, "key", ttl=60)
    await session.add_items(ITEMS)

    clock.now += 86400
    assert await session.get_items() == []
    assert await session.pop_item() is None
    clock.now -= 86400

    assert await session.get_items() == ITEMS


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"encryption_key": ""}, "needs an encryption_key"),
        ({"encryption_key": b"key"}, "needs an encryption_key that is a non-empty text"),
        ({"encryption_key": "\ud800"}, "needs an encryption_key that is a non-empty text"),
        ({"session_id": ""}, "needs a session id"),
        ({"ttl": -1}, "0 or more"),
        ({"ttl": "60"}, "must be 0 or more, got '60'"),
        ({"max_scan_items": 0}, "1 or more"),
    ],
)
def test_what_cannot_work_is_refused(
    underlying: SQLiteSession, arguments: dict[str, Any], complaint: str
) -> None:
    given: dict[str, Any] = {"session_id": "s", "encryption_key": "key", **arguments}

    with pytest.raises(InvalidSessionInput, match=complaint):
        EncryptedSession(underlying_session=underlying, **given)


def test_everything_else_is_that_of_the_underlying_session(underlying: SQLiteSession) -> None:
    underlying.session_settings = SessionSettings(limit=4)
    session = EncryptedSession("s", underlying, "key")

    assert session.db_path == ":memory:"
    assert session.session_settings == SessionSettings(limit=4)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = session.nonsense
