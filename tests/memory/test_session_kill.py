"""A writer that is killed at any moment leaves a legal history with every acknowledged turn.

`AGENTGRAPH_KILLS` says how often; 200 take well under a minute each way.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session, SQLiteSession
from agentgraph.memory.transcript import legal
from tests.memory.conftest import postgresql_url
from tests.memory.killed_writer import turn, write_to_postgresql, write_to_sqlite
from tests.memory.stores import Item

KILLS = int(os.environ.get("AGENTGRAPH_KILLS", "200"))

# A server that has imported everything forks each writer, so that most of the time is writing.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    ["tests.memory.killed_writer", "agentgraph.extensions.memory.sqlalchemy_session", "asyncpg"]
)


@pytest.fixture(autouse=True)
def _writers_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # The server of Python 3.11 does not take over `sys.path`, and so would import nothing.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # Each writer would import the main module again, which is pytest.
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None)


def write_until_killed(
    target: Callable[[Any, int, Any], None], place: object, first: int, chance: random.Random
) -> list[int]:
    """Run a writer, kill it at a random moment, and return the turns it saw stored."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    writer = PROCESSES.Process(target=target, args=(place, first, sender))
    writer.start()
    sender.close()
    acknowledged = [receiver.recv() for _ in range(chance.randrange(1, 4))]
    # Nothing is waited for here: the moment itself is what the test varies, in parts of a write.
    wait([], timeout=chance.random() * 0.004)
    writer.kill()
    writer.join()
    try:
        while True:
            acknowledged.append(receiver.recv())
    except EOFError:
        receiver.close()
    return acknowledged


async def stored(open_session: Callable[[], Session]) -> list[Item]:
    session = open_session()
    try:
        return list(await session.get_items())
    finally:
        closing = session.close()  # type: ignore[attr-defined]  # both stores here can close
        if closing is not None:
            await closing


def check_kills(
    target: Callable[[Any, int, Any], None], place: object, open_session: Callable[[], Session]
) -> None:
    chance = random.Random(7)
    number = 0
    expected: list[Item] = []
    for _ in range(KILLS):
        acknowledged = write_until_killed(target, place, number, chance)
        items = asyncio.run(stored(open_session))

        assert legal(items)
        started = [item for write in _writes(number, acknowledged[-1]) for item in write]
        assert items[: len(expected) + len(started)] == expected + started
        # What comes after is a beginning of the next turn, cut between writes and never inside.
        rest = items[len(expected) + len(started) :]
        assert rest in _beginnings(acknowledged[-1] + 1)
        expected, number = items, acknowledged[-1] + 2


def _writes(first: int, last: int) -> list[list[Item]]:
    return [write for number in range(first, last + 1) for write in turn(number)]


def _beginnings(number: int) -> list[list[Item]]:
    writes = turn(number)
    return [[item for write in writes[:count] for item in write] for count in range(4)]


def test_a_killed_writer_leaves_a_legal_file_with_every_acknowledged_turn(tmp_path: Path) -> None:
    file = tmp_path / "sessions.db"

    check_kills(write_to_sqlite, file, lambda: SQLiteSession("s", file))


def test_a_killed_writer_leaves_a_legal_history_in_postgresql(postgresql: Path) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url = postgresql_url("asyncpg", postgresql)

    check_kills(
        write_to_postgresql,
        url,
        lambda: SQLAlchemySession.from_url("killed", url=url, create_tables=True),
    )
