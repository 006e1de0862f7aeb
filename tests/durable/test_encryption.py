"""Encrypted journals: nothing can be read without the key, and nothing can be moved."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentDefinitionError,
    InMemoryJournal,
    JournalError,
    Runner,
    SQLiteJournal,
    function_tool,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.durable.conftest import encrypted_journal

SECRETS = ("marzipan", "sultana", "Confectioner", "pay_for", "praline")


def agent(*replies: list[Any]) -> Agent:
    @function_tool(needs_approval=True)
    def pay_for(sweets: str) -> str:
        """Pay for praline."""
        return f"paid for {sweets}"

    return Agent(name="Confectioner", model=ScriptedModel(list(replies)), tools=[pay_for])


async def filled(path: Path) -> None:
    journal = encrypted_journal(SQLiteJournal(path))
    asks = [function_call("pay_for", {"sweets": "sultana"}, call_id="a")]
    result = await Runner.run(agent(asks), "Buy marzipan.", journal=journal, run_id="a")
    assert len(result.interruptions) == 1
    await journal.aclose()


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


async def test_nothing_of_a_run_is_readable_in_the_file(tmp_path: Path) -> None:
    await filled(tmp_path / "runs.db")
    stored = contents(tmp_path)
    assert [word for word in SECRETS if word.encode() in stored] == []
    (tmp_path / "plain").mkdir()
    asks = [function_call("pay_for", {"sweets": "sultana"}, call_id="a")]
    plain = SQLiteJournal(tmp_path / "plain" / "runs.db")
    await Runner.run(agent(asks), "Buy marzipan.", journal=plain, run_id="a")
    readable = contents(tmp_path / "plain")
    assert [word for word in SECRETS if word.encode() in readable] == list(SECRETS)


async def test_an_encrypted_run_goes_on_in_another_process(tmp_path: Path) -> None:
    await filled(tmp_path / "runs.db")
    journal = encrypted_journal(SQLiteJournal(tmp_path / "runs.db"))
    done = [assistant_message("done")]
    result = await Runner.resume("a", agent(done), journal=journal)
    state = result.to_state()
    state.approve(result.interruptions[0])
    result = await Runner.run(agent(done), state)
    assert result.final_output == "done"
    (run,) = await journal.runs(["done"])
    assert '"workflow": "Confectioner"' in run.note


async def test_another_key_reads_nothing_and_changes_nothing(tmp_path: Path) -> None:
    await filled(tmp_path / "runs.db")
    other = encrypted_journal(SQLiteJournal(tmp_path / "runs.db"), "another secret")
    with pytest.raises(
        JournalError, match=r"The head of run 'a' in .* cannot be decrypted"
    ) as error:
        await Runner.resume("a", agent(), journal=other)
    assert "secret" not in str(error.value)
    with pytest.raises(JournalError, match="Line 1 of run 'a'"):
        await other.read("a")
    await other.aclose()
    right = encrypted_journal(SQLiteJournal(tmp_path / "runs.db"))
    assert len((await Runner.resume("a", agent(), journal=right)).interruptions) == 1


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE agentgraph_lines SET line = (SELECT line FROM agentgraph_lines"
            " WHERE run_id = 'a' AND place = 0) WHERE run_id = 'a' AND place = 1",
            "Line 2 of run 'a' in memory.db was moved",
        ),
        (
            "UPDATE agentgraph_lines SET line = (SELECT head FROM agentgraph_runs"
            " WHERE run_id = 'a') WHERE run_id = 'a' AND place = 1",
            "Line 2 of run 'a' in memory.db was moved",
        ),
        (
            "UPDATE agentgraph_lines SET line = (SELECT line FROM agentgraph_lines"
            " WHERE run_id = 'b' AND place = 0) WHERE run_id = 'a' AND place = 0",
            "Line 1 of run 'a' in memory.db cannot be decrypted",
        ),
        (
            "UPDATE agentgraph_lines SET line = '{\"n\": 1}' WHERE run_id = 'a' AND place = 0",
            "Line 1 of run 'a' in memory.db is not encrypted",
        ),
    ],
)
async def test_lines_that_were_moved_or_replaced_are_named(
    tmp_path: Path, statement: str, words: str
) -> None:
    path = tmp_path / "memory.db"
    journal = encrypted_journal(SQLiteJournal(path))
    for run in ("a", "b"):
        await journal.open(run, "{}")
        epoch = await journal.claim(run, "me", 10)
        await journal.append(run, epoch, 0, ['{"n": 0}', '{"n": 1}'])
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    with pytest.raises(JournalError, match=words.replace("memory.db", ".*")):
        await journal.read("a")


async def test_a_run_that_changes_nothing_keeps_its_time() -> None:
    journal = encrypted_journal(InMemoryJournal())
    await journal.open("a", "{}")
    times = []
    for note in ('{"n": 1}', '{"n": 1}', '{"n": 2}'):
        epoch = await journal.claim("a", "me", 10)
        await journal.finish("a", epoch, "done", note)
        stored = await journal.find("a")
        assert stored is not None
        times.append(stored.updated)
    assert times[0] == times[1] < times[2]


async def test_long_lines_and_many_lines_come_back() -> None:
    journal = encrypted_journal(InMemoryJournal())
    await journal.open("a", "{}")
    epoch = await journal.claim("a", "me", 10)
    lines = [f'{{"text": "{"é" * 60_000}"}}', *(f'{{"n": {n}}}' for n in range(1000))]
    await journal.append("a", epoch, 0, lines)
    await journal.append("a", epoch, 0, lines)
    assert await journal.read("a") == lines


@pytest.mark.parametrize("key", ["", None, b"bytes"])
def test_a_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(AgentDefinitionError, match="EncryptedJournal needs an encryption_key"):
        encrypted_journal(InMemoryJournal(), key)


WITHOUT_CRYPTOGRAPHY = """
import sys
sys.modules["cryptography"] = None
from agentgraph.extensions.journals import EncryptedJournal
"""


def test_a_missing_package_names_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_CRYPTOGRAPHY],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert "EncryptedJournal needs a package that is not installed" in done.stderr
    assert "agentgraph-workflows[encrypt]" in done.stderr
