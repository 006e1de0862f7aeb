"""A process killed in the middle of a run leaves a legal history with every run it saw finished,
and the next process goes on from there."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Runner, SQLiteSession
from agentgraph.memory.transcripts.histories import legal
from tests.api.killed_run import agents, run_until_killed
from tests.memory.killing import (
    let_processes_start_at_once,
    sessions_and_kills,
    work_until_killed,
)


@pytest.fixture(autouse=True)
def _processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


WHOLE = [
    "user",
    *("function_call", "function_call", "function_call_output", "function_call_output"),
    *("function_call", "function_call_output"),
    *("function_call", "function_call_output"),
    "message",
]
# A run is stored by turns: whatever was cut off, these are the beginnings that can be there.
BEGINNINGS = [WHOLE[:length] for length in (0, 1, 5, 7, 9, 10)]


def by_question(items: list[Any]) -> dict[int, list[str]]:
    """The kinds of the items of each question, by its number."""
    results: dict[int, list[str]] = {}
    number = -1
    for item in items:
        if item.get("role") == "user":
            number = int(item["content"].split()[-1])
        results.setdefault(number, []).append(item.get("type") or item["role"])
    return results


async def test_a_killed_process_leaves_whole_turns_and_every_run_it_saw_finished(
    tmp_path: Path,
) -> None:
    file, chance = tmp_path / "sessions.db", random.Random(11)
    for session_id, kills in sessions_and_kills():
        await check_runs(file, SQLiteSession(session_id, file), kills, chance)


async def check_runs(file: Path, session: SQLiteSession, kills: int, chance: random.Random) -> None:
    """Kill runs on one session; after each, it is whole and the next run works."""
    number, agent = 0, agents()
    expected: set[int] = set()
    for _ in range(kills):
        finished = work_until_killed(
            run_until_killed, file, session.session_id, number, chance, longest=0.02
        )
        expected.update(finished)
        stored = await session.get_items()

        assert legal(stored)
        runs = by_question(stored)
        assert {question for question in expected if runs.get(question) != WHOLE} == set()
        assert [run for run in runs.values() if run not in BEGINNINGS] == []
        # The next run works, whatever the last one left behind.
        number = finished[-1] + 2
        result = await Runner.run(agent, f"question {number}", session=session)
        assert result.final_output == f"answer {number}"
        expected.add(number)
        number += 1
    session.close()
