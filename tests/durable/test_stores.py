"""Journals keep what the protocol says."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agentgraph import (
    AgentDefinitionError,
    InMemoryJournal,
    JournalError,
    RunInProgress,
    SQLiteJournal,
)
from agentgraph.memory.journals.holders import is_gone, new_holder
from agentgraph.testing import assert_journal_conformance


async def test_the_journal_in_memory_conforms() -> None:
    journal = InMemoryJournal()
    await assert_journal_conformance(lambda: journal)


@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_the_sqlite_journal_conforms(tmp_path: Path, durability: str) -> None:
    await assert_journal_conformance(
        lambda: SQLiteJournal(tmp_path / "runs.db", durability=durability)  # type: ignore[arg-type]
    )


async def test_the_conformance_finds_a_store_that_loses_its_fence() -> None:
    class Unfenced(InMemoryJournal):
        async def append(self, run_id: str, epoch: int, first: int, lines: object) -> None:
            await super().append(run_id, self._run(run_id).epoch, first, lines)  # type: ignore[arg-type]

    journal = Unfenced()
    with pytest.raises(AssertionError, match="later claims fence earlier ones"):
        await assert_journal_conformance(lambda: journal)


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
