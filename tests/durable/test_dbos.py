"""Runs spread over workers of DBOS, which are killed at random."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agentgraph import JournalStore, Runner
from agentgraph.extensions.journals import PostgresJournal
from tests.durable.ten_steps import STEPS
from tests.memory.servers import postgresql_server

pytest.importorskip("dbos", reason="the extra dbos is not installed")

from tests.durable import dbos_worker

RUNS = int(os.environ.get("AGENTGRAPH_DBOS_RUNS", "30"))
SEED = 7
LONGEST = 120.0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as socket_folder:
        yield f"postgresql+psycopg://postgres@/postgres?host={socket_folder}"


@pytest.fixture(autouse=True)
def fresh_log() -> Iterator[None]:
    """The logger of DBOS keeps the stream of the test that made it first."""
    handlers = logging.getLogger("dbos").handlers
    handlers.clear()
    yield
    handlers.clear()


class Workers:
    """Two workers, which are started again after they were killed."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str) -> None:
        url, *rest = self._arguments
        self._processes[name] = subprocess.Popen(
            [sys.executable, dbos_worker.__file__, url, name, *rest],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def wait_until_ready(self, name: str) -> None:
        output = self._processes[name].stdout
        assert output is not None
        assert output.readline() == "ready\n"

    def kill(self, name: str) -> None:
        process = self._processes[name]
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def two_workers(*arguments: str) -> Iterator[Workers]:
    workers = Workers(*arguments)
    names = ("first", "second")
    for name in names:
        workers.start(name)
    try:
        for name in names:
            workers.wait_until_ready(name)
        yield workers
    finally:
        for name in names:
            workers.kill(name)


async def statuses(journal: JournalStore) -> Counter[str]:
    return Counter(run.status for run in await journal.runs(limit=RUNS + 1))


async def test_workers_that_are_killed_finish_every_run(tmp_path: Path, url: str) -> None:
    effects = tmp_path / "effects"
    arguments = (url, str(effects))
    journal = PostgresJournal(url)
    chance = random.Random(SEED)
    kills = 0
    with two_workers(*arguments) as workers:
        runs = dbos_worker.runs_of(url, "starter", *arguments[1:])
        dbos_worker.DBOS.listen_queues([])  # it starts runs and works on none
        dbos_worker.DBOS.launch()
        try:
            for number in range(RUNS):
                await Runner.begin(
                    f"run-{number}", f"run-{number}", journal=journal, max_turns=None
                )
                await runs.resume(f"run-{number}")
            deadline = time.monotonic() + LONGEST
            while (await statuses(journal))["done"] < RUNS:
                assert time.monotonic() < deadline, await statuses(journal)
                await asyncio.sleep(chance.uniform(0.5, 1.5))
                if kills < max(4, RUNS // 10):
                    name = chance.choice(("first", "second"))
                    workers.kill(name)
                    workers.start(name)
                    workers.wait_until_ready(name)
                    kills += 1
        finally:
            dbos_worker.DBOS.destroy()
            await journal.aclose()
    lines = Counter(effects.read_text().splitlines())
    steps = {f"run-{n} {step}" for n in range(RUNS) for step in range(STEPS)}
    assert lines.keys() == steps
    repeated = sum(count - 1 for count in lines.values())
    # An idempotent call that was at work when its worker died is made again, and no other.
    assert repeated <= kills * 4
