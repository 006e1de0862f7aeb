"""What an `EncryptedSession` notices: rows that were moved, left out, repeated, changed, or taken
from another session, key or version; and what it does not take for that."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph.extensions.memory import EncryptedSession
from agentgraph.memory import SQLiteSession
from agentgraph.memory.runs.blocks import append_to_block
from tests.memory.asking import ask
from tests.memory.stores import Item, call, output, user

TURN: list[Item] = [call("1"), output("1"), user("secret answer")]
WRITES: list[list[Item]] = [[user("0")], TURN, [user("2")], [user("3")]]
ALL = [item for write in WRITES for item in write]


@pytest.fixture
def underlying() -> SQLiteSession:
    return SQLiteSession("underlying")


@pytest.fixture
def session(underlying: SQLiteSession) -> EncryptedSession:
    return EncryptedSession("s", underlying, "key", ttl=None)


async def written(session: EncryptedSession) -> list[Any]:
    """Write everything; return the rows as they are stored."""
    for items in WRITES:
        await session.add_items(items)
    return list(await session.underlying_session.get_items())


async def replace(session: EncryptedSession, rows: list[Any]) -> None:
    await session.underlying_session.clear_session()
    await session.underlying_session.add_items(rows)


Change = Callable[[list[Any]], list[Any]]

CHANGES: dict[str, Change] = {
    "a row moved within its save": lambda rows: [rows[0], rows[2], rows[1], *rows[3:]],
    "a row moved out of its save": lambda rows: [*rows[:2], *rows[3:5], rows[2], rows[5]],
    "the first row of a save left out": lambda rows: [rows[0], *rows[2:]],
    "a row in the middle of a save left out": lambda rows: [*rows[:2], *rows[3:]],
    "the last row of a save left out": lambda rows: [*rows[:3], *rows[4:]],
    "a whole save left out": lambda rows: [*rows[:4], *rows[5:]],
    "the first save left out": lambda rows: rows[1:],
    "a row repeated behind itself": lambda rows: [*rows[:2], rows[1], *rows[2:]],
    "a row repeated at the end": lambda rows: [*rows, rows[2]],
    "a save repeated": lambda rows: [*rows, *rows[1:4]],
    "another version": lambda rows: [*rows[:4], {**rows[4], "v": 1}, rows[5]],
    "another key id": lambda rows: [*rows[:4], {**rows[4], "kid": "hkdf-v0"}, rows[5]],
    "the seal of another row": lambda rows: [
        *rows[:4],
        {**rows[4], "seal": rows[5]["seal"]},
        rows[5],
    ],
    "no seal": lambda rows: [*rows[:4], _without_seal(rows[4]), rows[5]],
    "no seal and an older version": lambda rows: [
        *rows[:4],
        {**_without_seal(rows[4]), "v": 1},
        rows[5],
    ],
    "no row at all": lambda rows: [*rows[:4], user("in the clear"), *rows[4:]],
}


def _without_seal(row: Any) -> Any:
    return {key: value for key, value in row.items() if key != "seal"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_row_that_is_not_as_and_where_it_was_written_is_reported(
    session: EncryptedSession, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    rows = await written(session)
    assert await session.get_items() == ALL
    assert await session.damaged_rows() == []
    assert caplog.text == ""

    await replace(session, change(rows))
    await session.get_items()

    assert len(await session.damaged_rows()) >= 1
    assert "EncryptedSession 's': " in caplog.text
    assert "secret" not in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.parametrize("name", ["the seal of another row", "another version", "another key id"])
async def test_a_row_with_a_broken_seal_is_not_read_and_not_popped(
    session: EncryptedSession, name: str
) -> None:
    rows = await written(session)
    await replace(session, CHANGES[name](rows)[:5])

    assert await session.get_items() == ALL[:4]
    assert await session.pop_item() == ALL[3]


async def test_a_repeated_row_is_read_once(session: EncryptedSession) -> None:
    rows = await written(session)
    await replace(session, [*rows, rows[2]])

    assert await session.get_items() == ALL


@pytest.mark.parametrize(("session_id", "key"), [("other", "key"), ("s", "other")])
async def test_a_row_of_another_session_or_key_is_reported_and_left_out(
    session: EncryptedSession, session_id: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = EncryptedSession(session_id, SQLiteSession("other"), key)
    theirs = await written(other)
    rows = await written(session)

    await replace(session, [*rows[:2], theirs[2], *rows[3:]])

    assert output("1") not in await session.get_items()
    assert 2 in await session.damaged_rows()
    assert "rows cannot be read" in caplog.text


async def test_popping_and_going_on_is_no_damage(
    session: EncryptedSession, caplog: pytest.LogCaptureFixture
) -> None:
    await written(session)
    left = list(ALL)
    for _ in range(3):
        assert await session.pop_item() == left.pop()
        assert await session.get_items() == left
    again = EncryptedSession("s", session.underlying_session, "key", ttl=None)
    await again.add_items([user("more"), user("and more")])
    await again.pop_item()
    await session.add_items([user("end")])

    assert await session.get_items() == [*left, user("more"), user("end")]
    assert await session.damaged_rows() == []
    assert caplog.text == ""


async def test_runs_at_once_whose_items_move_are_no_damage(
    session: EncryptedSession, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.gather(*(ask(name, session) for name in ("one", "two", "three")))

    assert await session.damaged_rows() == []
    assert await session.get_items(4) == (await session.get_items())[-4:]
    assert caplog.text == ""


async def test_a_save_that_is_sent_again_is_known_though_it_is_encrypted_anew(
    session: EncryptedSession,
) -> None:
    block = await append_to_block(session, [user("asked")], None)
    for _ in range(2):
        await append_to_block(session, [call("1"), output("1")], block)

    assert await session.get_items() == [user("asked"), call("1"), output("1")]


async def test_a_row_of_version_2_is_not_taken_for_one_of_version_1_without_a_seal(
    session: EncryptedSession,
) -> None:
    rows = [{**_without_seal(row), "v": 1} for row in await written(session)]
    await replace(session, [rows[3], rows[1], rows[1]])

    assert await session.get_items() == []
    assert await session.damaged_rows() == [0, 1, 2]
    assert await session.pop_item() is None


def _of_version_1(session: EncryptedSession, item: Item) -> Item:
    """The row that the published SDK writes."""
    payload = session.cipher.encrypt(json.dumps(item).encode()).decode()
    return {"__enc__": 1, "v": 1, "kid": "hkdf-v1", "payload": payload}


async def test_rows_of_version_1_are_read_as_before_among_others(
    session: EncryptedSession, caplog: pytest.LogCaptureFixture
) -> None:
    old = [_of_version_1(session, item) for item in ALL[:4]]

    await replace(session, old)
    await session.add_items([user("new")])
    await session.underlying_session.add_items([old[0]])

    assert await session.get_items() == [*ALL[:4], user("new"), ALL[0]]
    assert await session.damaged_rows() == []
    assert caplog.text == ""
