"""Two processes race for one run: one does the work, the other waits for it or is told so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.durable.killed_program import Place
from tests.durable.racers import race
from tests.memory.killing import PROCESSES, let_processes_start_at_once
from tests.memory.servers import postgresql_server

RACES = int(os.environ.get("AGENTGRAPH_RACES", "250"))
"""How often on each of the two stores."""


@pytest.fixture(autouse=True)
def _processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield Place(tmp_path)
        return
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    with postgresql_server(tmp_path) as socket_folder:
        yield Place(tmp_path, url=f"postgresql+psycopg://postgres@/postgres?host={socket_folder}")


async def test_one_of_two_processes_does_the_work(place: Place) -> None:
    lines: list[tuple[Connection, Connection]] = []
    processes = []
    for _ in range(2):
        names, runs = PROCESSES.Pipe(duplex=False)
        answers, sender = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=race, args=(place, names, sender))
        process.start()
        processes.append(process)
        names.close()
        sender.close()
        lines.append((runs, answers))
    try:
        for _, answers in lines:
            assert answers.recv() == "ready"
        for number in range(RACES):
            run = f"run {number}" + "!" * (number % 2)
            for runs, _ in lines:
                runs.send(run)
            ends = sorted(answers.recv() for _, answers in lines)
            allowed = [["done", "done"], ["done", "in progress"]] if run.endswith("!") else None
            assert ends in (allowed or [["done", "done"]])
        for runs, _ in lines:
            runs.send("")
    finally:
        for process in processes:
            process.join(30)
            process.kill()
    paid = place.effects.read_text().splitlines()
    assert (len(paid), len(set(paid))) == (RACES, RACES)
    journal = place.journal()
    statuses = {(run.status, run.holder) for run in await journal.runs(limit=2 * RACES)}
    assert statuses == {("done", "")}
    await journal.aclose()
