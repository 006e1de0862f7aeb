"""A process that is killed at any moment leaves a legal history with every acknowledged turn.

Writers that only write are killed inside of writes; whole runs are killed in PostgreSQL here and on
a file in `tests/api`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from agentgraph import Runner
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session, SQLiteSession
from agentgraph.memory.transcripts.histories import legal
from tests.api.killed_run import agents
from tests.memory.conftest import postgresql_url
from tests.memory.killed_writer import (
    run_on_postgresql,
    turn,
    write_to_postgresql,
    write_to_sqlite,
)
from tests.memory.killing import (
    let_processes_start_at_once,
    sessions_and_kills,
    work_until_killed,
)
from tests.memory.stores import Item


@pytest.fixture(autouse=True)
def _writers_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


async def settled(session: Session) -> list[Item]:
    """The items of a session whose writer was killed.

    A server may still be at the last thing it was told, which is a commit at most. That holds the
    row of the session until it is done, so whoever gets the row comes after it.
    """
    if isinstance(session, SQLAlchemySession):
        async with session.engine.begin() as connection:
            await connection.execute(
                text("SELECT 1 FROM agent_sessions WHERE session_id = :id FOR UPDATE"),
                {"id": session.session_id},
            )
    return list(await session.get_items())


async def check_writers(
    target: Callable[..., None], place: object, session: Session, kills: int, chance: random.Random
) -> None:
    """Kill writers to one session; after each, everything they have said is there is there."""
    number = 0
    expected: list[Item] = []
    for _ in range(kills):
        acknowledged = work_until_killed(
            target, place, session.session_id, number, chance, longest=0.004
        )
        items = await settled(session)

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


async def test_a_killed_writer_leaves_a_legal_file_with_every_acknowledged_turn(
    tmp_path: Path,
) -> None:
    file, chance = tmp_path / "sessions.db", random.Random(7)
    for session_id, kills in sessions_and_kills():
        session = SQLiteSession(session_id, file)
        await check_writers(write_to_sqlite, file, session, kills, chance)
        session.close()


async def test_a_killed_writer_leaves_a_legal_history_in_postgresql(postgresql: Path) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url, chance = postgresql_url("asyncpg", postgresql), random.Random(7)
    for session_id, kills in sessions_and_kills():
        session = SQLAlchemySession.from_url(f"writer {session_id}", url=url, create_tables=True)
        assert await session.get_items() == []
        await check_writers(write_to_postgresql, url, session, kills, chance)
        await session.close()


QUESTION = "user"
TWO_CALLS = ["function_call"] * 2 + ["function_call_output"] * 2
ONE_CALL = ["function_call", "function_call_output"]
WHOLE = [QUESTION, *TWO_CALLS, *ONE_CALL, *ONE_CALL, "message"]
CUT = [WHOLE[:length] for length in (1, 5, 7, 9)]


async def test_a_killed_run_leaves_whole_turns_in_postgresql_and_the_next_run_works(
    postgresql: Path,
) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url, chance = postgresql_url("asyncpg", postgresql), random.Random(13)
    for session_id, kills in sessions_and_kills():
        session = SQLAlchemySession.from_url(f"run {session_id}", url=url, create_tables=True)
        assert await session.get_items() == []
        await check_runs(url, session, kills, chance)
        await session.close()


async def check_runs(
    url: str, session: SQLAlchemySession, kills: int, chance: random.Random
) -> None:
    """Kill runs on one session; after each, the turns they finished are there, and the next run
    works."""
    number, finished, agent = 0, set[int](), agents()
    for _ in range(kills):
        seen = work_until_killed(
            run_on_postgresql, url, session.session_id, number, chance, longest=0.02
        )
        finished.update(seen)
        items = await settled(session)

        assert legal(items)
        runs = _kinds_by_question(items)
        assert [n for n in sorted(finished) if runs.get(n) != WHOLE] == []
        assert [kinds for kinds in runs.values() if kinds != WHOLE and kinds not in CUT] == []
        number = seen[-1] + 2
        result = await Runner.run(agent, f"question {number}", session=session)
        assert result.final_output == f"answer {number}"
        finished.add(number)
        number += 1


def _kinds_by_question(items: list[Item]) -> dict[int, list[str]]:
    kinds: dict[int, list[str]] = {}
    number = -1
    for item in items:
        if item.get("role") == QUESTION:
            number = int(item["content"].split()[-1])
        kinds.setdefault(number, []).append(
            QUESTION if item.get("role") == QUESTION else item["type"]
        )
    return kinds
