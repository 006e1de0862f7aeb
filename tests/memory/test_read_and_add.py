"""How a run begins on a session: the history is read and the input stored, at once if it can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentgraph.extensions.memory import EncryptedSession
from agentgraph.memory import SQLiteSession
from agentgraph.memory.session_input import read_and_add
from tests.memory.stores import user
from tests.memory.test_sqlite_session import use_connections


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def test_reading_and_adding_is_one_transaction_and_adds_what_is_not_there_yet(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    use_connections(
        monkeypatch, lambda connection: connection.set_trace_callback(statements.append)
    )
    session = SQLiteSession("s", file)
    await session.add_items([user("one")])
    statements.clear()

    assert await session.read_and_add([user("two")]) == [user("one")]
    assert [text for text in statements if text in ("BEGIN IMMEDIATE", "COMMIT")] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert await session.read_and_add([user("two")]) == [user("one"), user("two")]
    assert await session.read_and_add([user("three")], limit=1) == [user("two")]
    assert await session.get_items() == [user("one"), user("two"), user("three")]
    session.close()


async def test_only_the_input_of_a_run_may_wait_for_the_disk_until_the_next_write(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    use_connections(
        monkeypatch, lambda connection: connection.set_trace_callback(statements.append)
    )
    session = SQLiteSession("s", file)
    await session.get_items()
    statements.clear()

    await session.read_and_add([user("question")])
    await session.add_items([user("acknowledged")])

    told = [text for text in statements if "synchronous =" in text or text == "COMMIT"]
    assert told == ["PRAGMA synchronous = NORMAL", "COMMIT", "PRAGMA synchronous = 2", "COMMIT"]
    session.close()


async def test_a_class_that_reads_or_stores_in_its_own_way_is_asked_in_no_other_way(
    file: Path,
) -> None:
    class Shouting(SQLiteSession):
        async def add_items(self, items: list[Any]) -> None:
            await super().add_items([user(item["content"].upper()) for item in items])

    new: list[Any] = [{"role": "user", "content": "quiet"}]

    assert await read_and_add(Shouting("s", file), new, None) == []
    assert await SQLiteSession("s", file).get_items() == [user("QUIET")]
    encrypted = EncryptedSession("e", SQLiteSession("e", file), "key")
    assert await read_and_add(encrypted, new, None) == []
    assert await encrypted.get_items() == new
    assert b"quiet" not in b"".join(path.read_bytes() for path in file.parent.iterdir())
