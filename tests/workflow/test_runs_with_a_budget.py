"""Runs of workflows with a budget: what counts, what comes once it is spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentDefinitionError,
    BudgetExceeded,
    End,
    ModelResponse,
    Runner,
    RunState,
    SQLiteSession,
    Usage,
    Workflow,
    function_tool,
)
from agentgraph.program import compile
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.workflow.flows import agent, read_by


@function_tool
def look_up() -> str:
    """Look up."""
    return "found"


def busy(turns: int = 9, **fields: Any) -> Agent[Any]:
    """An agent that calls a tool in each turn."""
    model = ScriptedModel([[function_call("look_up", {}, call_id=f"c{n}")] for n in range(turns)])
    return Agent(name="Write", model=model, **{"tools": [look_up], **fields})


def calls_of(one: Agent[Any]) -> int:
    model = one.model
    assert isinstance(model, ScriptedModel)
    return len(model.calls)


async def test_a_run_that_has_spent_its_model_calls_goes_on_with_the_named_step() -> None:
    start, write, person = agent("Start", "seven"), busy(), agent("Person", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.budget(model_calls=3, on_exhausted=person)
    session = SQLiteSession("s")
    result = await Runner.run(flow, "hi", session=session)
    assert (result.final_output, calls_of(write)) == ("done", 2)
    assert read_by(person) == [["seven"]]  # what the last edge handed over
    for history in (result.to_input_list(), await session.get_items()):
        items: Any = history
        calls = [one["call_id"] for one in items if one.get("type") == "function_call"]
        answers = [one["call_id"] for one in items if one.get("type") == "function_call_output"]
        assert calls == answers == ["c0", "c1"]


async def test_without_such_a_step_the_run_ends_with_an_exception_that_names_the_limit() -> None:
    write = busy()
    flow = Workflow("Writing", start=write)
    flow.budget(model_calls=2)
    with pytest.raises(
        BudgetExceeded, match=r"'Writing' \(.*test_runs_with_a_budget.py:\d+\)"
    ) as ended:
        await Runner.run(flow, "hi")
    assert (ended.value.limit, ended.value.most) == ("model_calls", 2)
    assert len(ended.value.run_data.raw_responses) == 2


async def test_a_budget_that_suffices_changes_nothing() -> None:
    start, write = agent("Start", "seven"), agent("Write", "done")
    flow = Workflow("Writing", start=start)
    flow.then(start, write)
    flow.budget(model_calls=2, tokens=1, seconds=60, on_exhausted=End("spent"))
    assert (await Runner.run(flow, "hi")).final_output == "done"


async def test_tokens_are_looked_at_before_a_model_call() -> None:
    def spending(text: str) -> ModelResponse:
        usage = Usage(requests=1, input_tokens=60, output_tokens=40, total_tokens=100)
        return ModelResponse(output=[assistant_message(text)], usage=usage, response_id=None)

    start = Agent[Any](name="Start", model=ScriptedModel([spending("seven")]))
    flow = Workflow("Writing", start=start)
    flow.then(start, agent("Write", "never"))
    flow.budget(tokens=100, on_exhausted=End("spent"))
    assert (await Runner.run(flow, "hi")).final_output == "spent"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_timer_cuts_the_work_at_hand_short(streamed: bool) -> None:
    cancelled: list[str] = []

    async def wait(value: str) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(value)
            raise
        return "never"

    def call(value: str) -> str:
        return f"A person calls about {value}."

    start = agent("Start", "seven")
    async for _ in Runner.run_streamed(agent("Warm", "up"), "hi").stream_events():
        pass  # what a first stream loads shall take none of the time
    flow = Workflow("Waiting", start=start)
    flow.then(start, wait)
    flow.budget(seconds=0.5, on_exhausted=call)
    if streamed:
        result = Runner.run_streamed(flow, "hi")
        async for _ in result.stream_events():
            pass
        output = result.final_output
    else:
        output = (await Runner.run(flow, "hi")).final_output
    assert (output, cancelled) == ("A person calls about seven.", ["seven"])


async def test_runs_inside_count_and_are_cut_short() -> None:
    inner = busy()
    outer = Agent[Any](
        name="Outer",
        tools=[inner.as_tool("ask_inner", "Ask.")],
        model=ScriptedModel([[function_call("ask_inner", {"input": "x"}, call_id="c1")]]),
    )
    flow = Workflow("Asking", start=outer)
    flow.budget(model_calls=3, on_exhausted=End("spent"))
    result = await Runner.run(flow, "hi")
    assert (result.final_output, calls_of(inner)) == ("spent", 2)


async def test_branches_share_the_budget() -> None:
    start, one, two = agent("Start", "seven"), busy(), busy()
    two.name = "Other"
    flow = Workflow("Board", start=start)
    board = flow.parallel("board", [one, two])
    flow.then(start, board)
    flow.budget(model_calls=5, on_exhausted=End("spent"))
    result = await Runner.run(flow, "hi")
    assert (result.final_output, calls_of(one) + calls_of(two)) == ("spent", 4)


async def test_the_budget_holds_no_longer_after_it_was_spent() -> None:
    write, person = busy(), busy(turns=1)
    person.name = "Person"
    person.model = ScriptedModel(
        [[function_call("look_up", {}, call_id="p1")], [assistant_message("done")]]
    )
    flow = Workflow("Writing", start=write)
    flow.budget(model_calls=1, on_exhausted=person)
    assert (await Runner.run(flow, "hi")).final_output == "done"


async def test_a_run_whose_time_is_over_is_resumed_with_new_time() -> None:
    slow = [True]

    async def work(value: str) -> str:
        if slow.pop() if slow else False:
            await asyncio.Event().wait()
        return "done"

    start = agent("Start", "seven")
    flow = Workflow("Waiting", start=start)
    flow.then(start, work)
    flow.budget(seconds=2)
    streamed = Runner.run_streamed(flow, "hi")
    with pytest.raises(BudgetExceeded):
        async for _ in streamed.stream_events():
            pass
    state = await RunState.from_json(flow, streamed.to_state().to_json())
    assert (await Runner.run(flow, state)).final_output == "done"


def test_limits_are_part_of_the_fingerprint() -> None:
    def made(calls: int) -> str:
        flow = Workflow("Writing", start=agent("Start"))
        flow.budget(model_calls=calls)
        return compile(flow).machine.fingerprint

    assert made(3) == made(3) != made(4)


def refused(act: Callable[[Workflow], None]) -> str:
    with pytest.raises(AgentDefinitionError) as error:
        act(Workflow("Flow", start=agent("A")))
    return str(error.value)


def twice(flow: Workflow) -> None:
    flow.budget(model_calls=1)
    flow.budget(model_calls=2)


def test_what_cannot_be_a_budget_is_refused_where_it_is_written() -> None:
    wrong: Any = "20"
    assert "from 1 on, not '20'" in refused(lambda f: f.budget(model_calls=wrong))
    assert "tokens must be a whole number from 1 on, not -1" in refused(
        lambda f: f.budget(tokens=-1)
    )
    assert "seconds must be a number above 0" in refused(lambda f: f.budget(seconds=0))
    assert "seconds must be a number above 0" in refused(lambda f: f.budget(seconds=float("nan")))
    assert "needs a limit" in refused(lambda f: f.budget())
    assert "a step is an agent" in refused(lambda f: f.budget(model_calls=1, on_exhausted=wrong))
    assert "Use End(value)" in refused(lambda f: f.budget(model_calls=1, on_exhausted=End()))
    assert "a workflow has one budget, and line" in refused(twice)
