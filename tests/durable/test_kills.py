"""Runs whose processes are killed at random moments: each ends as if nothing had happened, and no
effect with an outcome happens twice.

`AGENTGRAPH_RUN_KILLS` says how many processes are killed on each store.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from agentgraph import JournalStore
from tests.durable.killed_program import Place, work, work_in_a_process
from tests.memory.killing import PROCESSES, let_processes_start_at_once
from tests.memory.servers import postgresql_server

KILLS = int(os.environ.get("AGENTGRAPH_RUN_KILLS", "20"))
LONGEST_WAIT = 60.0


@pytest.fixture(autouse=True)
def _processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    let_processes_start_at_once(monkeypatch)


@pytest.fixture(params=["sqlite", "sqlite async", "sqlite exit", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "killed"
    folder.mkdir()
    kind, _, durability = request.param.partition(" ")
    if kind == "sqlite":
        yield Place(folder, durability or "sync")
        return
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    with postgresql_server(tmp_path) as socket_folder:
        yield Place(folder, url=f"postgresql+psycopg://postgres@/postgres?host={socket_folder}")


class Process:
    """A process at work on a run."""

    def __init__(self, place: Place, run_id: str, *, streamed: bool) -> None:
        self._receiver, sender = PROCESSES.Pipe(duplex=False)
        arguments = (place, run_id, streamed, sender)
        self._process = PROCESSES.Process(target=work_in_a_process, args=arguments)
        self._process.start()
        sender.close()
        assert self._receiver.recv() == "ready"

    def is_done(self, seconds: float) -> bool:
        """Whether it ends within some seconds; else it is killed."""
        wait([self._process.sentinel], timeout=seconds)
        is_over = self._process.exitcode is not None
        self._process.kill()
        self._process.join()
        if is_over:
            assert self._process.exitcode == 0, "it failed; its traceback stands in the output"
        return is_over


async def answered(journal: JournalStore, run_id: str) -> str:
    """The text of the outcomes that are stored."""
    if await journal.find(run_id) is None:
        return ""
    lines = await journal.read(run_id)
    return "\n".join(line for line in lines if json.loads(line).get("event") == "returned")


def effects_of(place: Place) -> list[str]:
    return place.effects.read_text().splitlines() if place.effects.exists() else []


def without_keys(items: list[Any]) -> list[Any]:
    """Items without keys, and without what the model was told about calls of an unknown end.

    A run that a person was asked about takes more steps, so its later calls have other keys.
    """
    text = re.sub("[0-9a-f]{32}", "KEY", json.dumps(items))
    items = json.loads(text)
    for item in items:
        if item.get("type") == "function_call_output" and item["call_id"].startswith("send"):
            item["output"] = "sent, or unknown"
    return items


def check_effects(effects: list[str], should: list[str], *, at_most_once: bool) -> None:
    """Check that each call that had to happen did so, always with one key."""
    times = Counter(line.rpartition(" ")[::2] for line in effects)
    calls = Counter(call for call, _ in times)
    assert {call: count for call, count in calls.items() if count > 1} == {}, "a key changed"
    missing = {line.rpartition(" ")[0] for line in should} - calls.keys()
    assert [call for call in missing if not call.startswith("send")] == []
    if at_most_once:
        assert [call for (call, _), count in times.items() if count > 1 and "send" in call] == []


async def test_a_killed_run_ends_as_one_that_was_left_alone(place: Place, tmp_path: Path) -> None:
    chance, kills, number = random.Random(16), 0, 0
    journal = place.journal()
    while kills < KILLS:
        run_id, number = f"run {number}", number + 1
        uncut_place = Place(tmp_path / f"uncut {number}")
        uncut_place.folder.mkdir()
        uncut = await work(uncut_place, run_id)
        before = len(effects_of(place))
        done = False
        while not done:
            stored = await answered(journal, run_id)
            first = len(effects_of(place))
            process = Process(place, run_id, streamed=chance.random() < 0.5)
            # Nothing is waited for: the moment is what the test varies.
            done = process.is_done(chance.random() * 0.3 if kills < KILLS else LONGEST_WAIT)
            kills += not done
            new = effects_of(place)[first:]
            repeated = [line for line in new if line.split()[-1] in stored]
            assert repeated == [], "an effect that had an outcome happened again"
        result = await work(place, run_id)
        assert result.final_output == uncut.final_output
        items, should = result.to_input_list(), uncut.to_input_list()
        assert without_keys(items) == without_keys(should)
        session, uncut_session = place.session(run_id), uncut_place.session(run_id)
        stored_items = await session.get_items()
        assert without_keys(stored_items) == without_keys(await uncut_session.get_items())
        session.close()
        uncut_session.close()
        check_effects(
            effects_of(place)[before:],
            effects_of(uncut_place),
            at_most_once=place.durability == "sync",
        )
        run = await journal.find(run_id)
        assert run is not None
        assert (run.status, run.holder) == ("done", "")
    await journal.aclose()
