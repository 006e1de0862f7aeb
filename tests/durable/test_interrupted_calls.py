"""Calls that were at work when their process was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    InMemoryJournal,
    Runner,
    RunState,
    SQLiteJournal,
    UserError,
    function_tool,
)
from agentgraph.tools.function import FunctionTool
from tests.durable import killed_payment
from tests.durable.killed_payment import killed

UNKNOWN = "It is unknown whether this call was carried out"


async def resumed(path: Path, **options: Any) -> tuple[Any, Agent, list[str]]:
    paid: list[str] = []
    agent = killed_payment.agent(paid, kill=False, answered=True, **options)
    result = await Runner.resume("a", agent, journal=SQLiteJournal(path))
    return result, agent, paid


def outputs(result: Any) -> list[str]:
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


@pytest.mark.parametrize(
    "options", [{"on_interrupted": "retry"}, {"read_only": True}, {"idempotent": True}]
)
async def test_a_call_that_may_be_repeated_has_the_same_key(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    key = killed(tmp_path / "runs.db")
    result, _, paid = await resumed(tmp_path / "runs.db", **options)
    assert (result.final_output, paid) == ("done", [key])
    assert len(key) == 32


async def test_a_call_that_fails_then_is_not_repeated(tmp_path: Path) -> None:
    killed(tmp_path / "runs.db")
    result, _, paid = await resumed(tmp_path / "runs.db", on_interrupted="fail")
    assert (result.final_output, paid) == ("done", [])
    assert UNKNOWN in outputs(result)[0]


async def test_without_a_failure_function_the_run_fails(tmp_path: Path) -> None:
    killed(tmp_path / "runs.db")
    with pytest.raises(UserError, match=UNKNOWN):
        await resumed(tmp_path / "runs.db", on_interrupted="fail", failure_error_function=None)


@pytest.mark.parametrize("approve", [True, False])
async def test_a_person_decides_about_other_calls(tmp_path: Path, approve: bool) -> None:
    killed(tmp_path / "runs.db")
    waiting, agent, paid = await resumed(tmp_path / "runs.db")
    assert paid == []
    state = waiting.to_state()
    (state.approve if approve else state.reject)(waiting.interruptions[0])
    result = await Runner.run(agent, state)
    assert (result.final_output, len(paid)) == ("done", int(approve))
    assert outputs(result)[0] == "paid 1" if approve else UNKNOWN in outputs(result)[0]


async def test_the_words_of_the_person_reach_the_model(tmp_path: Path) -> None:
    killed(tmp_path / "runs.db")
    waiting, agent, _ = await resumed(tmp_path / "runs.db")
    state = waiting.to_state()
    state.reject(waiting.interruptions[0], rejection_message="It was paid.")
    result = await Runner.run(agent, state)
    assert outputs(result) == ["It was paid."]


def test_options_that_cannot_work_are_refused() -> None:
    def pay() -> None:
        """Pay."""

    with pytest.raises(UserError, match="on_interrupted must be"):
        function_tool(pay, on_interrupted="never")  # type: ignore[call-overload]
    with pytest.raises(UserError, match="read_only must be a bool"):
        function_tool(pay, read_only="yes")  # type: ignore[call-overload]
    assert isinstance(function_tool(pay), FunctionTool)


@pytest.mark.parametrize("through_a_text", [False, True])
async def test_a_person_knows_what_the_call_returned(tmp_path: Path, through_a_text: bool) -> None:
    killed(tmp_path / "runs.db")
    waiting, agent, paid = await resumed(tmp_path / "runs.db")
    (item,) = waiting.interruptions
    assert item.interrupted
    state = waiting.to_state()
    if through_a_text:
        state = await RunState.from_string(agent, state.to_string())
        (item,) = state.get_interruptions()
    state.answer(item, "paid 1 by hand")
    result = await Runner.run(agent, state, journal=SQLiteJournal(tmp_path / "runs.db"))
    assert (result.final_output, paid) == ("done", [])
    assert outputs(result) == ["paid 1 by hand"]


async def test_an_output_without_a_json_form_is_refused(tmp_path: Path) -> None:
    killed(tmp_path / "runs.db")
    waiting, _, _ = await resumed(tmp_path / "runs.db")
    with pytest.raises(UserError, match="must be text or plain data, not object"):
        waiting.to_state().answer(waiting.interruptions[0], object())


async def test_a_call_that_waits_for_approval_was_not_interrupted() -> None:
    agent = killed_payment.agent([], kill=False, answered=False, needs_approval=True)
    waiting = await Runner.run(agent, "Pay.", journal=InMemoryJournal())
    assert not waiting.interruptions[0].interrupted
