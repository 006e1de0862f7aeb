"""`agentgraph runs list` and `show`: what people see of a journal, and what they do not."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agentgraph import SQLiteJournal
from agentgraph.extensions.journals import EncryptedJournal
from tests.cli.command import Ended, agentgraph
from tests.cli.stored_desk import SECRET, stored_runs


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    asyncio.run(stored_runs(path))
    return path


def runs(command: str, journal: object, *arguments: object) -> Ended:
    return agentgraph("runs", command, *arguments, "--journal", journal)


def ids(ended: Ended) -> list[str]:
    assert ended.status == 0, ended.err
    return [json.loads(line)["run"] for line in ended.out.splitlines()]


def test_a_list_shows_what_each_run_does_and_waits_for(journal: Path) -> None:
    lines = runs("list", journal).out.splitlines()
    assert lines[0].split() == ["run", "status", "age", "turn", "workflow", "agent", "waits", "for"]
    assert [line.split()[0] for line in lines[1:]] == ["order-17", "nested-1", "done-1", "later"]
    assert "suspended" in lines[1]
    assert lines[1].endswith("refund, refund")
    assert "not begun" in lines[4]


def test_a_list_is_read_page_by_page(journal: Path) -> None:
    first = runs("list", journal, "--limit", 2, "--json")
    assert ids(first) == ["order-17", "nested-1"]
    assert "--after nested-1" in first.err
    last = runs("list", journal, "--limit", 2, "--after", "nested-1", "--json")
    assert ids(last) == ["done-1", "later"]
    assert last.err == ""
    assert len(ids(runs("list", journal, "--limit", 1, "--all", "--json"))) == 4


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--status", "suspended"], ["order-17", "nested-1"]),
        (["--status", "done", "--status", "running"], ["done-1", "later"]),
        (["--workflow", "Boss"], ["nested-1"]),
        (["--tool", "refund", "--workflow", "Desk"], ["order-17"]),
        (["--older-than", "1h"], []),
    ],
)
def test_a_list_is_narrowed(journal: Path, filters: list[str], expected: list[str]) -> None:
    assert ids(runs("list", journal, "--json", *filters)) == expected


def test_a_summary_counts_runs(journal: Path) -> None:
    out = runs("list", journal, "--summary").out
    assert "Desk      suspended     1" in out
    assert out.endswith("4 runs\n")


def test_a_run_that_a_dead_process_left_is_cut_short(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute(
            "UPDATE agentgraph_runs SET status = 'running', holder = '' WHERE run_id = 'order-17'"
        )
    assert "cut short" in runs("list", journal).out
    assert "cut short" in runs("show", journal, "order-17").out


def test_a_run_is_shown_with_its_outcomes_and_without_its_content(journal: Path) -> None:
    ended = runs("show", journal, "order-17")
    assert "      2     1  tool   Desk: look_up returned" in ended.out
    assert "      3     2  model  Desk: calls refund, refund" in ended.out
    assert "waits for approval: refund (call_2)" in ended.out
    assert SECRET not in ended.out
    assert "Refund both" not in ended.out


def test_content_is_shown_on_request(journal: Path) -> None:
    out = runs("show", journal, "order-17", "--content").out
    assert "Refund both." in out
    assert f'refund(order="{SECRET}")' in out
    assert f"{SECRET} was delivered" in out
    assert f"{SECRET} is there." in runs("show", journal, "done-1", "--content").out


@pytest.mark.parametrize("content", [False, True])
def test_programs_read_a_run_as_json(journal: Path, content: bool) -> None:
    ended = runs("show", journal, "nested-1", "--json", *(["--content"] if content else []))
    run = json.loads(ended.out)
    assert [one["agent"] for one in run["outcomes"]] == ["Boss", "Payer", "Payer", "Boss"]
    assert [len(one["path"]) for one in run["outcomes"]] == [0, 1, 1, 0]
    assert [one["name"] for one in run["waiting"]] == ["refund"]
    assert (SECRET in ended.out) is content
    assert ("input" in run) is content


def test_only_the_latest_outcomes_are_shown_on_request(journal: Path) -> None:
    out = runs("show", journal, "order-17", "--last", 1).out
    assert "(4 earlier outcomes are not shown)" in out
    assert "look_up" not in out


def test_a_run_that_has_not_begun_is_shown(journal: Path) -> None:
    assert "not begun" in runs("show", journal, "later").out


@pytest.mark.parametrize("command", ["list", "show"])
def test_a_file_that_is_missing_is_not_created(tmp_path: Path, command: str) -> None:
    path = tmp_path / "none.db"
    ended = runs(command, path, *(["a"] if command == "show" else []))
    assert ended.status == 2
    assert f"there is no file {path}" in ended.err
    assert not path.exists()


def test_a_file_that_holds_no_journal_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    text, empty = tmp_path / "a.txt", tmp_path / "other.db"
    text.write_text("no database, but long enough to be taken for one" * 99)
    with closing(sqlite3.connect(empty)) as database, database:
        database.execute("CREATE TABLE mine (a)")
    before = empty.read_bytes()
    for path, message in ((text, "cannot be read"), (empty, "no journal"), (tmp_path, "no file")):
        ended = runs("list", path)
        assert (ended.status, message in ended.err) == (2, True), ended.err
    assert empty.read_bytes() == before


def test_an_unknown_run_is_refused_by_name(journal: Path) -> None:
    for ended in (runs("show", journal, "order-99"), runs("list", journal, "--after", "order-99")):
        assert ended.status == 2
        assert "there is no run 'order-99'" in ended.err


def test_a_wrong_age_and_a_wrong_status_are_refused(journal: Path) -> None:
    assert "is no age" in runs("list", journal, "--older-than", "soon").err
    assert runs("list", journal, "--status", "asleep").status == 2


def test_a_damaged_run_is_named(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute(
            "UPDATE agentgraph_lines SET line = '{' WHERE run_id = 'order-17' AND place = 1"
        )
    ended = runs("show", journal, "order-17")
    assert ended.status == 2
    assert "line 2 of run 'order-17'" in ended.err


def test_encrypted_runs_need_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.db"

    async def store() -> None:
        encrypted = EncryptedJournal(SQLiteJournal(path), "a key")
        await encrypted.open("a", '{"input": "hidden"}')
        epoch = await encrypted.claim("a", "me", 9.0)
        await encrypted.finish("a", epoch, "stopped", '{"workflow": "Hidden"}')
        await encrypted.aclose()

    asyncio.run(store())
    assert "stopped" in runs("list", path).out
    assert "Hidden" not in runs("list", path).out
    monkeypatch.setenv("AGENTGRAPH_JOURNAL_KEY", "a key")
    assert "Hidden" in runs("list", path).out
    monkeypatch.setenv("AGENTGRAPH_JOURNAL_KEY", "another key")
    ended = runs("list", path)
    assert ended.status == 2
    assert "cannot be decrypted" in ended.err
