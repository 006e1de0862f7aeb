"""Journals keep what the protocol says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from agentgraph import (
    AgentDefinitionError,
    InMemoryJournal,
    JournalError,
    RunInProgress,
    SQLiteJournal,
    SQLiteSession,
)
from agentgraph.memory.journals.holders import is_gone, new_holder
from agentgraph.memory.journals.store import StoredRun
from agentgraph.testing import assert_journal_conformance
from tests.durable.conftest import OpenJournal


async def test_every_journal_conforms(open_journal: OpenJournal) -> None:
    await assert_journal_conformance(open_journal)


async def test_the_conformance_finds_a_store_that_loses_its_fence() -> None:
    class Unfenced(InMemoryJournal):
        async def append(self, run_id: str, epoch: int, first: int, lines: object) -> None:
            await super().append(run_id, self._run(run_id).epoch, first, lines)  # type: ignore[arg-type]

    journal = Unfenced()
    with pytest.raises(AssertionError, match="later claims fence earlier ones"):
        await assert_journal_conformance(lambda: journal)


class Forgetful(InMemoryJournal):
    """It gives each claim another epoch, also one whose answer was lost."""

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        run = self._run(run_id)
        if run.holder == holder:
            self._runs[run_id] = run._replace(holder="")
        return await super().claim(run_id, holder, seconds)


class Talkative(InMemoryJournal):
    """It rewrites the head of a run, and the lines stay."""

    async def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        await super().rewrite(run_id, head, self._lines.get(run_id, ()))


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (Forgetful, "the epoch of the same claim again: 2, expected 1"),
        (Talkative, "the lines after a rewrite"),
    ],
)
async def test_the_conformance_finds_other_faults(store: type[InMemoryJournal], words: str) -> None:
    journal = store()
    with pytest.raises(AssertionError, match=words):
        await assert_journal_conformance(lambda: journal)


VERSION_1 = """
CREATE TABLE agentgraph_journal (version INTEGER NOT NULL);
INSERT INTO agentgraph_journal VALUES (1);
CREATE TABLE agentgraph_runs (
    run_id TEXT PRIMARY KEY, head TEXT NOT NULL, status TEXT NOT NULL, epoch INTEGER NOT NULL,
    holder TEXT NOT NULL, expires REAL NOT NULL, lines INTEGER NOT NULL, note TEXT NOT NULL,
    created REAL NOT NULL, updated REAL NOT NULL
);
CREATE INDEX agentgraph_runs_by_change ON agentgraph_runs (-updated, run_id);
CREATE TABLE agentgraph_lines (
    run_id TEXT NOT NULL, place INTEGER NOT NULL, epoch INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (run_id, place)
) WITHOUT ROWID;
CREATE TABLE agentgraph_machines (fingerprint TEXT PRIMARY KEY, machine TEXT NOT NULL);
CREATE TABLE agentgraph_machines_of_runs (
    run_id TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (run_id, fingerprint)
) WITHOUT ROWID;
INSERT INTO agentgraph_runs VALUES ('a', '{"n": 0}', 'suspended', 3, '', 0.0, 1, '{"n": 2}', 5, 6);
INSERT INTO agentgraph_lines VALUES ('a', 0, 2, '{"n": 1}');
INSERT INTO agentgraph_machines VALUES ('print', '{"n": 3}');
INSERT INTO agentgraph_machines_of_runs VALUES ('a', 'print');
"""
"""A file as the first version of the tables left it."""


async def test_a_file_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
    journals = [SQLiteJournal(path, chain=True) for _ in range(3)]
    stored, *_ = await asyncio.gather(*(journal.find("a") for journal in journals))
    assert stored == StoredRun(
        run_id="a",
        head='{"n": 0}',
        status="suspended",
        epoch=3,
        holder="",
        expires=0.0,
        lines=1,
        note='{"n": 2}',
        created=5.0,
        updated=6.0,
    )
    journal = journals[0]
    epoch = await journal.claim("a", "me", 10)
    await journal.append("a", epoch, 1, ['{"n": 4}'])
    assert await journal.read("a") == ['{"n": 1}', '{"n": 4}']
    assert await journal.machine("print") == '{"n": 3}'
    await journal.finish("a", epoch, "done", "")
    await journal.delete("a")
    assert await journal.machine("print") is None


async def test_a_file_of_sessions_gets_a_journal(tmp_path: Path) -> None:
    session = SQLiteSession("s", tmp_path / "both.db")
    await session.add_items([{"role": "user", "content": "Hello"}])
    journal = SQLiteJournal(tmp_path / "both.db")
    await journal.open("a", "{}")
    assert [run.run_id for run in await journal.runs()] == ["a"]
    assert len(await session.get_items()) == 1
    session.close()


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    journal = SQLiteJournal(path)
    await journal.open("a", "{}")
    await journal.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE agentgraph_journal SET version = 99")
    with pytest.raises(JournalError, match="version 99"):
        await SQLiteJournal(path).open("a", "{}")


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_text("these are no pages of a database, but words" * 200)
    with pytest.raises(JournalError, match=r"runs\.db"):
        await SQLiteJournal(path).open("a", "{}")


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(AgentDefinitionError, match="durability must be"):
        SQLiteJournal(durability="never")  # type: ignore[arg-type]
    with pytest.raises(AgentDefinitionError, match="claim_seconds"):
        SQLiteJournal(claim_seconds=0)


async def test_the_claim_of_a_dead_process_of_this_machine_is_free(tmp_path: Path) -> None:
    mine = new_holder()
    assert not is_gone(mine)
    machine, process, random = mine.split(" ")
    pid = process.partition("-")[0]
    assert is_gone(f"{machine} {pid}-1 {random}"), "another process had the id before"
    assert not is_gone(f"elsewhere {pid}-1 {random}"), "it is unknown what lives on other machines"
    journal = SQLiteJournal(tmp_path / "runs.db")
    await journal.open("a", "{}")
    await journal.claim("a", f"{machine} {pid}-1 {random}", 3600)
    assert await journal.claim("a", mine, 3600) == 2
    with pytest.raises(RunInProgress, match="in progress"):
        await journal.claim("a", new_holder(), 3600)
