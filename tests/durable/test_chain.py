"""What a journal says of damaged lines, with a chain and without one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agentgraph import JournalError, SQLiteJournal

TEXTS = [f'{{"n": {number}}}' for number in range(5)]
CHANGED = "UPDATE agentgraph_lines SET line = '{}' WHERE place = 2"
SWAPPED = "UPDATE agentgraph_lines SET line = '{\"n\": ' || (5 - place) || '}' WHERE place > 2"
WITHOUT_MIDDLE = "DELETE FROM agentgraph_lines WHERE place = 1"
WITHOUT_END = "DELETE FROM agentgraph_lines WHERE place = 4"
CUT = "UPDATE agentgraph_runs SET lines = 4"
OTHER_HEAD = "UPDATE agentgraph_runs SET head = '{\"n\": 1}'"
OTHER_LINK = "UPDATE agentgraph_lines SET chain = '' WHERE place = 3"


async def damaged(path: Path, *statements: str, chain: bool = True, lines: int = 5) -> list[str]:
    journal = SQLiteJournal(path, chain=chain)
    await journal.open("a", "{}")
    epoch = await journal.claim("a", "me", 10)
    for place in range(lines):
        await journal.append("a", epoch, place, TEXTS[place : place + 1])
    await journal.finish("a", epoch, "done", "")
    assert await journal.read("a", min(2, lines)) == TEXTS[2:lines]
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    return await journal.read("a")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ([CHANGED], "line 3 is not as it was stored"),
        ([SWAPPED], "line 4 is not as it was stored"),
        ([WITHOUT_MIDDLE], "line 2 is missing"),
        ([WITHOUT_END], "line 5 is missing"),
        ([WITHOUT_END, CUT], "line 4 is not the last one that was stored"),
        ([OTHER_HEAD], "the head or line 1 is not as it was stored"),
        ([OTHER_LINK], "line 4 is not as it was stored"),
    ],
)
async def test_a_chain_shows_damage(tmp_path: Path, statements: list[str], words: str) -> None:
    with pytest.raises(JournalError, match=rf"Run 'a' in .*runs\.db is damaged: {words}"):
        await damaged(tmp_path / "runs.db", *statements)


async def test_the_head_of_a_run_without_lines_is_in_its_chain(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="damaged: the head is not as it was stored"):
        await damaged(tmp_path / "runs.db", OTHER_HEAD, lines=0)


@pytest.mark.parametrize(
    ("statement", "words"),
    [(WITHOUT_MIDDLE, "line 2 is missing"), (WITHOUT_END, "line 5 is missing")],
)
async def test_a_missing_line_needs_no_chain(tmp_path: Path, statement: str, words: str) -> None:
    with pytest.raises(JournalError, match=words):
        await damaged(tmp_path / "runs.db", statement, chain=False)


async def test_another_line_is_not_seen_without_a_chain(tmp_path: Path) -> None:
    lines = await damaged(tmp_path / "runs.db", CHANGED, chain=False)
    assert lines == [*TEXTS[:2], "{}", *TEXTS[3:]]


async def test_a_run_keeps_the_chain_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    chained, plain = SQLiteJournal(path, chain=True), SQLiteJournal(path)
    await chained.open("a", "{}")
    await plain.open("b", "{}")
    for run in ("a", "b"):
        for place, journal in enumerate((plain, chained, plain)):
            epoch = await journal.claim(run, "me", 10)
            await journal.append(run, epoch, place, TEXTS[place : place + 1])
            await journal.finish(run, epoch, "done", "")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE agentgraph_lines SET line = '{}' WHERE place = 1")
    assert await chained.read("b") == [TEXTS[0], "{}", TEXTS[2]]
    with pytest.raises(JournalError, match="line 2 is not as it was stored"):
        await plain.read("a")
