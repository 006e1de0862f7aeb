"""`agentgraph runs approve`, `reject`, `answer`, `fork` and `export`: decisions without the
program, and copies of runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, Runner, RunState, SQLiteJournal, Workflow
from agentgraph.memory.journals.holders import new_holder
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.cli import stored_desk
from tests.cli.command import Ended, agentgraph, written
from tests.cli.stored_desk import PAID, SECRET, desk_of, stored_runs
from tests.durable import killed_payment
from tests.durable.killed_payment import killed

SAYS = [assistant_message("It is done.")]
AGAIN = [function_call("refund", {"order": "17"}, call_id="call_9")]


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    asyncio.run(stored_runs(path))
    PAID.clear()
    return path


def runs(command: str, journal: object, *arguments: object) -> Ended:
    return agentgraph("runs", command, *arguments, "--journal", journal)


def resumed(journal: Path, run_id: str, source: Any) -> Any:
    async def resume() -> Any:
        store = SQLiteJournal(journal)
        result = await Runner.resume(run_id, source, journal=store)
        await store.aclose()
        return result

    return asyncio.run(resume())


def test_a_resume_makes_the_calls_that_were_approved(journal: Path) -> None:
    ended = runs("approve", journal, "order-17", "--all")
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == ["approved refund (call_1)", "approved refund (call_2)"]
    assert "suspended" not in runs("list", journal, "--workflow", "Desk").out
    assert PAID == []
    assert resumed(journal, "order-17", desk_of(SAYS)).final_output == "It is done."
    assert sorted(PAID) == ["17", SECRET]


def test_a_call_that_was_rejected_is_not_made(journal: Path) -> None:
    runs("reject", journal, "order-17", "call_1", "call_2", "--message", "not today")
    result = resumed(journal, "order-17", desk_of(SAYS))
    assert PAID == []
    assert [one.output for one in result.new_items if one.type == "tool_call_output_item"][-2:] == [
        "not today",
        "not today",
    ]


def test_what_is_left_waits_again_once_the_run_has_gone_on(journal: Path) -> None:
    ended = runs("approve", journal, "order-17", "call_2")
    assert "waits for approval: refund (call_1)" in ended.out
    assert [one.call_id for one in resumed(journal, "order-17", desk_of()).interruptions] == [
        "call_1"
    ]
    assert PAID == ["17"]
    assert runs("approve", journal, "order-17").status == 0
    assert resumed(journal, "order-17", desk_of(SAYS)).final_output == "It is done."


def test_a_call_inside_an_agent_tool_is_decided(journal: Path) -> None:
    assert runs("approve", journal, "nested-1", "refund").status == 0
    inner = Agent(name="Payer", tools=[stored_desk.refund], model=ScriptedModel([SAYS]))
    tools = [inner.as_tool("pay", "Pays.")]
    boss = Agent(name="Boss", tools=tools, model=ScriptedModel([SAYS]))
    assert resumed(journal, "nested-1", boss).final_output == "It is done."
    assert PAID == [SECRET]


def test_always_holds_for_later_calls_of_the_tool(journal: Path) -> None:
    runs("approve", journal, "order-17", "--all", "--always")
    result = resumed(journal, "order-17", desk_of(AGAIN, SAYS))
    assert result.final_output == "It is done."
    assert sorted(PAID) == ["17", "17", SECRET]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["order-17"], "2 wait: call_1 (refund), call_2 (refund)"),
        (["order-17", "call_9"], "nothing with the name 'call_9' waits"),
        (["order-17", "refund"], "more than one with the name 'refund' waits"),
        (["done-1"], "nothing waits for a decision in run 'done-1': it is done"),
        (["later"], "nothing waits for a decision in run 'later'"),
        (["order-99"], "there is no run 'order-99'"),
    ],
)
def test_a_decision_on_nothing_is_refused(
    journal: Path, arguments: list[str], message: str
) -> None:
    before = runs("list", journal, "--json").out
    for command in ("approve", "reject"):
        ended = runs(command, journal, *arguments)
        assert (ended.status, ended.out) == (2, "")
        assert message in ended.err
    assert runs("list", journal, "--json").out == before


def test_a_decision_is_made_once(journal: Path) -> None:
    assert runs("approve", journal, "nested-1").status == 0
    ended = runs("reject", journal, "nested-1")
    assert ended.status == 2
    assert "nothing waits" in ended.err


def test_a_run_that_is_alive_is_not_decided_on(journal: Path) -> None:
    async def claim() -> None:
        store = SQLiteJournal(journal)
        await store.claim("order-17", new_holder(), 60.0)
        await store.aclose()

    asyncio.run(claim())
    ended = runs("approve", journal, "order-17", "--all")
    assert ended.status == 2
    assert "run 'order-17' is alive" in ended.err
    assert "alive" not in runs("approve", journal, "nested-1").err


ASKING = """
from typing import Literal
from agentgraph import Agent, Workflow
from agentgraph.testing import ScriptedModel, assistant_message, function_call

writer = Agent(name="Writer", model=ScriptedModel([[assistant_message("Dear Ada")]]))
review = Workflow("Review", start=writer)
asked = review.ask("send", "Send it?", answer=Literal["yes", "no"])
review.then(writer, asked)
"""


@pytest.fixture
def asking(tmp_path: Path, journal: Path) -> Path:
    path = written(tmp_path, "review.py", ASKING)
    resumed_workflow = _workflow(path)

    async def run() -> None:
        store = SQLiteJournal(journal)
        await Runner.run(resumed_workflow, "Dear Ada", journal=store, run_id="letter")
        await store.aclose()

    asyncio.run(run())
    return path


def _workflow(path: Path) -> Workflow:
    namespace: dict[str, Any] = {"__name__": "review"}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    workflow = namespace["review"]
    assert isinstance(workflow, Workflow)
    return workflow


def test_a_question_is_answered(journal: Path, asking: Path) -> None:
    assert "waits for an answer: send" in runs("show", journal, "letter").out
    ended = runs("answer", journal, "letter", "yes", "--program", asking)
    assert ended.status == 0, ended.err
    assert resumed(journal, "letter", _workflow(asking)).final_output == "yes"


def test_an_answer_must_fit(journal: Path, asking: Path) -> None:
    ended = runs("answer", journal, "letter", "perhaps", "--program", asking)
    assert ended.status == 2
    assert "--program" in runs("answer", journal, "letter", "yes").err
    assert "waits for no approval" in runs("approve", journal, "letter").err
    assert "waits for no answer" in runs("answer", journal, "order-17", "yes").err
    assert "suspended" in runs("show", journal, "letter").out


def test_a_fork_begins_at_a_point_of_another_run(journal: Path) -> None:
    ended = runs("fork", journal, "order-17", "--at", 3, "--as", "order-17b")
    assert (ended.status, ended.out) == (0, "order-17b\n")
    assert len(json.loads(runs("show", journal, "order-17b", "--json").out)["outcomes"]) == 3
    assert runs("fork", journal, "order-17", "--at", 9).status == 2
    assert "already" in runs("fork", journal, "order-17", "--as", "order-17b").err
    assert "no run 'order-99'" in runs("fork", journal, "order-99").err


def test_a_run_is_exported_as_a_state_that_goes_on(journal: Path, tmp_path: Path) -> None:
    target = tmp_path / "order.jsonl"
    assert runs("export", journal, "order-17", "--to", target).status == 0
    assert runs("export", journal, "order-17").out == target.read_text()

    async def go_on() -> Any:
        desk = desk_of(SAYS)
        state = await RunState.from_journal(desk, target.read_text())
        for item in state.get_interruptions():
            state.approve(item)
        return await Runner.run(desk, state)

    assert asyncio.run(go_on()).final_output == "It is done."
    assert runs("export", journal, "order-17", "--to", target).status == 2
    assert "has not begun" in runs("export", journal, "later").err


def test_a_run_is_exported_as_a_test(journal: Path, tmp_path: Path) -> None:
    test = tmp_path / "test_order.py"
    program = f"{stored_desk.__file__}:desk"
    ended = runs("export", journal, "done-1", "--as-test", "--program", program, "--to", test)
    assert ended.status == 0, ended.err
    assert f"assert result.final_output == '{SECRET} is there.'" in test.read_text()
    assert test.with_suffix(".jsonl").exists()


@pytest.mark.parametrize(
    ("command", "output"),
    [
        (["answer", "a", "paid 5"], "paid 5"),
        (["reject", "a"], "It is unknown whether this call was carried out"),
    ],
)
def test_a_person_says_what_became_of_an_interrupted_call(
    tmp_path: Path, command: list[str], output: str
) -> None:
    path, paid = tmp_path / "runs.db", list[str]()
    killed(path)
    agent = killed_payment.agent(paid, kill=False, answered=True)
    resumed(path, "a", agent)
    assert "was interrupted: pay" in runs("show", path, "a").out
    assert runs(command[0], path, *command[1:]).status == 0
    result = resumed(path, "a", agent)
    (item,) = [one for one in result.new_items if one.type == "tool_call_output_item"]
    assert item.output.startswith(output)
    assert (result.final_output, paid) == ("done", [])
