"""A process killed in the middle of a run leaves a legal history with every run it saw finished,
and the next process goes on from there. `AGENTGRAPH_KILLS` says how often."""

from __future__ import annotations

import os
import random
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Runner, SQLiteSession
from agentgraph.memory.transcript import legal
from tests.api.killed_run import agents, run_until_killed
from tests.memory.killing import PROCESSES, let_processes_start_at_once

KILLS = int(os.environ.get("AGENTGRAPH_KILLS", "200")) // 8


@pytest.fixture(autouse=True)
def _processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


def killed(file: Path, first: int, chance: random.Random) -> list[int]:
    """Run questions in a process of their own, kill it at a random moment, and return what it saw
    finished."""
    receiver, sender = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=run_until_killed, args=(file, first, sender))
    process.start()
    sender.close()
    finished = [receiver.recv() for _ in range(chance.randrange(1, 4))]
    # Nothing is waited for here: the moment itself is what the test varies, in parts of a run.
    wait([], timeout=chance.random() * 0.02)
    process.kill()
    process.join()
    try:
        while True:
            finished.append(receiver.recv())
    except EOFError:
        receiver.close()
    return finished


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
    found: dict[int, list[str]] = {}
    number = -1
    for item in items:
        if item.get("role") == "user":
            number = int(item["content"].split()[-1])
        found.setdefault(number, []).append(item.get("type") or item["role"])
    return found


async def test_a_killed_process_leaves_whole_turns_and_every_run_it_saw_finished(
    tmp_path: Path,
) -> None:
    file, chance, number = tmp_path / "sessions.db", random.Random(11), 0
    expected: set[int] = set()
    for _ in range(KILLS):
        finished = killed(file, number, chance)
        expected.update(finished)
        session = SQLiteSession("s", file)
        stored = await session.get_items()

        assert legal(stored)
        runs = by_question(stored)
        assert {question for question in expected if runs.get(question) != WHOLE} == set()
        assert [run for run in runs.values() if run not in BEGINNINGS] == []
        # The next run works, whatever the last one left behind.
        number = finished[-1] + 2
        result = await Runner.run(agents(), f"question {number}", session=session)
        assert result.final_output == f"answer {number}"
        expected.add(number)
        session.close()
        number += 1
