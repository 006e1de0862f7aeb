"""A process that is killed at any moment leaves a legal history with every acknowledged turn.

Writers that only write are killed inside of writes; whole runs are killed in PostgreSQL here and in
a file in `tests/api`. `AGENTGRAPH_KILLS` says how often; `make kills` does it 200 times.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Runner
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session, SQLiteSession
from agentgraph.memory.transcript import legal
from tests.api.killed_run import agents
from tests.memory.conftest import postgresql_url
from tests.memory.killed_writer import (
    run_on_postgresql,
    turn,
    write_to_postgresql,
    write_to_sqlite,
)
from tests.memory.killing import PROCESSES, let_processes_start_at_once
from tests.memory.stores import Item

KILLS = int(os.environ.get("AGENTGRAPH_KILLS", "60"))
KILLED_RUNS = int(os.environ.get("AGENTGRAPH_KILLS", "15"))


@pytest.fixture(autouse=True)
def _writers_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


def write_until_killed(
    target: Callable[[Any, int, Any], None],
    place: object,
    first: int,
    chance: random.Random,
    longest: float = 0.004,
) -> list[int]:
    """Run a writer, kill it at a random moment, and return the turns it saw stored.

    Args:
        target: The writer.
        place: Where it writes.
        first: The number of its first turn.
        chance: The dice.
        longest: Seconds, about as many as a turn takes.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    writer = PROCESSES.Process(target=target, args=(place, first, sender))
    writer.start()
    sender.close()
    acknowledged = [receiver.recv() for _ in range(chance.randrange(1, 4))]
    # Nothing is waited for here: the moment itself is what the test varies, in parts of a write.
    wait([], timeout=chance.random() * longest)
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


QUESTION = "user"
TWO_CALLS = ["function_call"] * 2 + ["function_call_output"] * 2
ONE_CALL = ["function_call", "function_call_output"]
WHOLE = [QUESTION, *TWO_CALLS, *ONE_CALL, *ONE_CALL, "message"]
CUT = [WHOLE[:length] for length in (1, 5, 7, 9)]


def test_a_killed_run_leaves_whole_turns_in_postgresql_and_the_next_run_works(
    postgresql: Path,
) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url = postgresql_url("asyncpg", postgresql)
    chance, number = random.Random(13), 0
    finished: set[int] = set()
    for _ in range(KILLED_RUNS):
        seen = write_until_killed(run_on_postgresql, url, number, chance, longest=0.02)
        finished.update(seen)
        number = seen[-1] + 2

        items, answer = asyncio.run(_looked_at_and_continued(url, number))

        assert legal(items)
        runs = _kinds_by_question(items)
        assert [n for n in sorted(finished) if runs.get(n) != WHOLE] == []
        assert [kinds for kinds in runs.values() if kinds != WHOLE and kinds not in CUT] == []
        assert answer == f"answer {number}"
        finished.add(number)
        number += 1


async def _looked_at_and_continued(url: str, number: int) -> tuple[list[Item], Any]:
    session = SQLAlchemySession.from_url("run", url=url, create_tables=True)
    try:
        items = list(await session.get_items())
        result = await Runner.run(agents(), f"question {number}", session=session)
        return items, result.final_output
    finally:
        await session.close()


def _kinds_by_question(items: list[Item]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    number = -1
    for item in items:
        if item.get("role") == QUESTION:
            number = int(item["content"].split()[-1])
        found.setdefault(number, []).append(
            QUESTION if item.get("role") == QUESTION else item["type"]
        )
    return found
