"""`agentgraph runs resume`, `check` and `prune`: what needs the program, and what ends a run."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from agentgraph import SQLiteJournal
from agentgraph.memory.journals.holders import new_holder
from tests.cli import stored_desk
from tests.cli.command import Ended, agentgraph, written
from tests.cli.stored_desk import SECRET, stored_runs

PROGRAM = f"{stored_desk.__file__}:desk"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    asyncio.run(stored_runs(path))
    return path


def runs(command: str, journal: object, *arguments: object, typed: str | None = None) -> Ended:
    return agentgraph("runs", command, *arguments, "--journal", journal, typed=typed)


ASKS = 'ScriptedModel([[function_call("refund", {"order": "17"}, call_id="call_7")]])'


def changed(folder: Path, name: str, tools: str, model: str = "None") -> Path:
    """Another version of the program."""
    source = f"""
    from agentgraph import Agent, function_tool
    from agentgraph.testing import ScriptedModel, function_call

    @function_tool(needs_approval=True)
    def refund(order: str) -> str:
        "Pay an order back."
        return order

    @function_tool
    def look_up(order: str) -> str:
        "Look an order up."
        return order

    @function_tool
    def hold(order: str) -> str:
        "Hold an order."
        return order

    desk = Agent(name="{name}", tools=[{tools}], model={model})
    """
    return written(folder, f"{name.lower()}.py", source)


def test_a_run_goes_on_after_a_decision(journal: Path) -> None:
    runs("approve", journal, "order-17", "--all")
    ended = runs("resume", journal, "order-17", PROGRAM)
    assert ended.status == 0, ended.err
    assert "↳ refund → 17 is paid back" in ended.out
    assert "You have your money back." in ended.out
    assert "look_up" not in ended.out  # it happened before
    assert "done" in runs("show", journal, "order-17").out


def test_a_run_that_waits_still_waits(journal: Path) -> None:
    ended = runs("resume", journal, "order-17", PROGRAM)
    assert ended.status == 1
    assert "‖ waits for approval: refund" in ended.out


def test_a_run_that_is_over_gives_its_result_again_to_programs(journal: Path) -> None:
    ended = runs("resume", journal, "done-1", PROGRAM, "--json")
    assert ended.status == 0, ended.err
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [one["event"] for one in events] == ["run_started", "run_completed"]
    assert events[-1]["output"] == f"{SECRET} is there."


def test_a_run_that_was_stored_only_begins(journal: Path) -> None:
    ended = runs("resume", journal, "later", PROGRAM)
    assert ended.status == 0, ended.err
    assert "You have your money back." in ended.out


@pytest.mark.parametrize(
    ("run", "program", "message"),
    [
        ("order-99", PROGRAM, "there is no run 'order-99'"),
        ("order-17", "nothing.py", "there is no file nothing.py"),
    ],
)
def test_what_does_not_exist_is_not_resumed(
    journal: Path, run: str, program: str, message: str
) -> None:
    ended = runs("resume", journal, run, program)
    assert ended.status == 2
    assert message in ended.err


def test_a_run_that_is_alive_is_neither_resumed_nor_pruned(journal: Path) -> None:
    async def claim() -> None:
        store = SQLiteJournal(journal)
        await store.claim("done-1", new_holder(), 60.0)
        await store.aclose()

    asyncio.run(claim())
    ended = runs("resume", journal, "done-1", PROGRAM)
    assert ended.status == 2
    assert "run 'done-1' is alive" in ended.err
    assert runs("prune", journal, "--older-than", "0s", "--yes").out == "deleted 0 runs\n"


def test_a_program_that_lost_what_a_run_needs_does_not_go_on(journal: Path, tmp_path: Path) -> None:
    other = changed(tmp_path, "Reception", "refund, look_up")
    ended = runs("resume", journal, "order-17", other)
    assert "suspended" in runs("show", journal, "order-17").out
    assert ended.status == 1, ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_person_at_a_terminal_decides(journal: Path) -> None:
    from tests.cli.pseudo_terminal import on_a_terminal

    question = "approve, reject or quit [a/r/q]: "
    with on_a_terminal("runs", "resume", "order-17", PROGRAM, "--journal", journal) as screen:
        screen.answer(question, "a")
        screen.answer(question, "a")
        assert screen.status() == 0
    assert "done" in runs("show", journal, "order-17").out


def test_the_same_program_takes_all_pending_runs(journal: Path, tmp_path: Path) -> None:
    program = changed(tmp_path, "Desk", "refund, look_up", model=ASKS)
    assert runs("resume", journal, "later", program).status == 1
    ended = runs("check", journal, program)
    assert ended.status == 0, ended.err
    assert ended.out.endswith("2 pending runs: 1 same, 1 moves\n")
    assert "later" not in ended.out
    listed = runs("check", journal, program, "--all").out
    assert "later" in listed
    assert "nested-1" not in listed  # of another workflow


def test_a_move_is_listed_with_its_reason(journal: Path, tmp_path: Path) -> None:
    ended = runs("check", journal, changed(tmp_path, "Desk", "refund, look_up, hold"))
    assert ended.status == 0, ended.err
    assert "moves    agent 'Desk' changed" in ended.out


def test_a_deploy_that_would_lose_a_run_fails(journal: Path, tmp_path: Path) -> None:
    before = runs("list", journal, "--json").out
    source = """
    from agentgraph import Agent, Workflow

    desk = Workflow("Desk", start=Agent(name="Help"))
    """
    other = written(tmp_path, "help.py", source)
    ended = runs("check", journal, other, "--json")
    by_run = {one["run"]: one for one in map(json.loads, ended.out.splitlines())}
    assert ended.status == 1
    assert by_run["order-17"]["verdict"] == "refused"
    assert "agent 'desk'" in by_run["order-17"]["reason"]
    assert "1 pending run of another workflow" in ended.err
    assert by_run["later"]["can_go_on"]
    assert runs("list", journal, "--json").out == before


def test_old_runs_are_deleted_after_a_question(journal: Path) -> None:
    assert "nothing was changed" in runs("prune", journal, "--older-than", "0s", typed="n\n").err
    ended = runs("prune", journal, "--older-than", "0s", typed="y\n")
    assert "Delete 1 run?" in ended.err
    assert ended.out == "deleted 1 run\n"
    assert "done-1" not in runs("list", journal).out
    assert "no such runs" in runs("prune", journal, "--older-than", "0s").err


def test_an_outline_keeps_the_status_and_no_words(journal: Path) -> None:
    ended = runs("prune", journal, "--older-than", "0s", "--outline", "--yes")
    assert ended.out == "erased 1 run\n"
    assert "done" in runs("list", journal, "--status", "done").out
    printed = runs("show", journal, "done-1", "--content")
    assert printed.status == 0, printed.err
    assert "done-1  done" in printed.out
    assert len(json.loads(runs("show", journal, "done-1", "--json").out)["outcomes"]) == 3
    assert SECRET not in printed.out
    assert "was erased" in runs("resume", journal, "done-1", PROGRAM).err


def test_what_may_go_on_is_pruned_by_name_only(journal: Path) -> None:
    runs("prune", journal, "--older-than", "0s", "--yes", "--status", "suspended")
    assert [line.split()[0] for line in runs("list", journal).out.splitlines()[1:]] == [
        "done-1",
        "later",
    ]
    ended = runs(
        "prune", journal, "--older-than", "0s", "--outline", "--status", "running", "--yes"
    )
    assert ended.status == 2
