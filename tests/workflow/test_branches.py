"""Branches side by side: what each of them gets, what the step gives, and what ends the others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    RunConfig,
    RunContextWrapper,
    Runner,
    RunState,
    SQLiteSession,
    Workflow,
    all_of,
    compile,
    first_of,
    function_tool,
    output_of,
    quorum,
)
from agentgraph.exceptions import MaxTurnsExceeded, RoutingError, UserError
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.workflow.steps import STEP_BEGINS
from tests.workflow.flows import Review, agent, read_by


class Plan(BaseModel):
    queries: list[str]


def length(text: str) -> int:
    return len(text)


async def upper(text: str) -> str:
    return text.upper()


async def never(text: str) -> str:
    await asyncio.sleep(60)
    return text


def boards(*parts: Any, **options: Any) -> tuple[Workflow, Any, Agent[Any]]:
    """A workflow with a draft, branches, and an agent that reads what they give."""
    draft, after = agent("Draft", "a draft"), agent("After", "done")
    flow = Workflow("Board", start=draft)
    board = flow.parallel("board", list(parts), **options)
    flow.then(draft, board)
    flow.then(board, after)
    return flow, board, after


async def test_branches_give_a_list_in_their_order_and_an_agent_reads_their_names() -> None:
    legal, finance = agent("Legal", Review(ok=True), output_type=Review), agent("Finance", "fine")
    flow, board, after = boards(legal, finance, length, join=all_of())
    result = await Runner.run(flow, "hi")
    assert (result.final_output, result.last_agent) == ("done", after)
    assert read_by(legal) == read_by(finance) == [["a draft"]]
    assert result.outputs[board] == [Review(ok=True), "fine", 7]
    assert result.outputs[legal] == Review(ok=True)
    assert result.outputs[length] == 7
    labelled = '{"Legal":{"ok":true,"notes":""},"Finance":"fine","length":7}'
    assert read_by(after) == [[labelled]]


async def test_of_each_branch_the_main_line_has_its_output_only() -> None:
    look = function_tool(length)
    legal = Agent(
        name="Legal",
        tools=[look],
        model=ScriptedModel(
            [
                [function_call("length", {"text": "abc"}, call_id="c")],
                [assistant_message("ok")],
            ]
        ),
    )
    flow, _, _ = boards(legal, upper)
    session = SQLiteSession("s")
    result = await Runner.run(flow, "hi", session=session)
    assert [(item.type, item.agent.name) for item in result.new_items] == [
        ("message_output_item", "Draft"),
        ("message_output_item", "Legal"),
        ("message_output_item", "Draft"),
        ("message_output_item", "After"),
    ]
    stored = await session.get_items()
    assert len(stored) == 5
    assert result.to_input_list() == stored


async def test_what_an_edge_gives_reaches_every_branch() -> None:
    def add(one: str, other: str) -> str:
        return f"{one}+{other}"

    draft, edit, legal = agent("Draft", "d"), agent("Edit", "e"), agent("Legal", "ok")
    flow = Workflow("Gives", start=draft)
    board = flow.parallel("board", [add, legal])
    flow.then(draft, edit)
    flow.then(edit, board, give=(output_of(draft), output_of(edit)))
    result = await Runner.run(flow, "hi")
    assert result.final_output == ["d+e", "ok"]
    assert read_by(legal) == [['{"Draft":"d","Edit":"e"}']]


async def test_the_first_branch_is_the_output_and_ends_the_others() -> None:
    ended: list[str] = []

    async def waits(text: str) -> str:
        try:
            return await never(text)
        finally:
            ended.append("waits")

    flow, race, after = boards(waits, upper, join=first_of(str))
    result = await Runner.run(flow, "hi")
    assert result.outputs[race] == "A DRAFT"
    assert read_by(after) == [["A DRAFT"]]
    assert ended == ["waits"]


async def test_a_quorum_gives_those_that_were_done_in_the_order_of_the_branches() -> None:
    async def late(text: str) -> str:
        await asyncio.sleep(0.01)
        return "late"

    flow, vote, after = boards(late, never, upper, join=quorum(2))
    result = await Runner.run(flow, "hi")
    assert result.outputs[vote] == ["late", "A DRAFT"]
    assert read_by(after) == [['{"late":"late","upper":"A DRAFT"}']]


@pytest.mark.parametrize("count", [0, 1, 5])
async def test_each_item_of_a_list_has_a_branch(count: int) -> None:
    queries = [f"q{number}" for number in range(count)]
    plan = agent("Plan", Plan(queries=queries), output_type=Plan)
    write, most, now = agent("Write", "done"), 0, 0

    async def search(query: str) -> str:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001 * (5 - int(query[1:])))
        now -= 1
        return f"found {query}"

    flow = Workflow("Research", start=plan)
    hits = flow.each(plan, on="queries", run=search, at_most=5, concurrency=2)
    flow.then(hits, write)
    result = await Runner.run(flow, "hi")
    assert result.outputs[hits] == [f"found {query}" for query in queries]
    assert most == min(count, 2)


async def test_an_agent_works_on_each_item_by_itself() -> None:
    plan = agent("Plan", Plan(queries=["a", "b"]), output_type=Plan)
    search, write = agent("Search", "one", "two"), agent("Write", "done")
    flow = Workflow("Research", start=plan)
    flow.then(flow.each(plan, on="queries", run=search, at_most=2, concurrency=1), write)
    await Runner.run(flow, "hi")
    assert read_by(search) == [["a"], ["b"]]
    assert read_by(write) == [['["one","two"]']]


async def test_more_items_than_allowed_end_the_run_and_name_step_and_line() -> None:
    plan = agent("Plan", Plan(queries=["a", "b", "c"]), output_type=Plan)
    flow = Workflow("Research", start=plan)
    flow.each(plan, on="queries", run=upper, at_most=2)
    with pytest.raises(
        RoutingError, match=r"'each upper' \(.*test_branches.*\d+\).* 2 .* 3"
    ) as error:
        await Runner.run(flow, "hi")
    assert error.value.run_data is not None
    assert [item.agent for item in error.value.run_data.new_items] == [plan]


@pytest.mark.parametrize(
    ("on", "words"), [("missing", "no such field"), ("text", "is str"), (None, "is Odd")]
)
async def test_no_list_is_an_error_that_names_the_step(on: Any, words: str) -> None:
    class Odd(BaseModel):
        text: str = "x"

    plan = agent("Plan", Odd(), output_type=Odd)
    flow = Workflow("Research", start=plan)
    flow.each(plan, on=on, run=upper, at_most=2)
    with pytest.raises(UserError, match=f"'each upper'.*{words}"):
        await Runner.run(flow, "hi")


async def test_a_workflow_is_a_step() -> None:
    plan = agent("Plan", Plan(queries=["a", "b"]), output_type=Plan)
    inner = Workflow("Inner", start=plan)
    inner.each(plan, on="queries", run=upper, at_most=3)
    draft, last = agent("Draft", "a draft"), agent("Last", "end")
    flow = Workflow("Outer", start=draft)
    flow.then(draft, inner)
    flow.then(inner, last, give=output_of(inner))
    result = await Runner.run(flow, "hi")
    assert result.outputs[inner] == ["A", "B"]
    assert read_by(plan) == [["a draft"]]
    assert read_by(last) == [['["A","B"]']]


async def test_a_failure_cancels_the_others_and_is_that_of_the_run() -> None:
    ended: list[str] = []

    async def waits(text: str) -> str:
        try:
            return await never(text)
        finally:
            ended.append("waits")

    async def fails(text: str) -> str:
        raise ValueError("broken")

    flow, _, _ = boards(waits, fails)
    with pytest.raises(ValueError, match="broken"):
        await Runner.run(flow, "hi")
    assert ended == ["waits"]


async def test_a_guardrail_that_trips_in_a_branch_ends_the_run() -> None:
    async def trips(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, tripwire_triggered=True)

    legal = agent("Legal", "ok", input_guardrails=[InputGuardrail(trips, run_in_parallel=False)])
    flow, _, _ = boards(legal, never)
    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(flow, "hi")


async def test_guardrails_of_the_run_judge_what_enters_and_leaves_the_run() -> None:
    judged: list[Any] = []

    async def notes(context: Any, of: Any, value: Any) -> GuardrailFunctionOutput:
        judged.append(of.name)
        return GuardrailFunctionOutput(None, tripwire_triggered=False)

    legal = agent("Legal", "ok")
    flow, _, _ = boards(legal, upper)
    config = RunConfig(input_guardrails=[InputGuardrail(notes)])
    await Runner.run(flow, "hi", run_config=config)
    assert judged == ["Draft"]


async def test_turns_of_a_branch_have_the_limit_of_the_run() -> None:
    look = function_tool(length)
    calls = [[function_call("length", {"text": "a"}, call_id=f"c{n}")] for n in range(3)]
    legal = Agent(name="Legal", tools=[look], model=ScriptedModel(calls))
    flow, _, _ = boards(legal)
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(flow, "hi", max_turns=2)


@pytest.mark.parametrize("through_text", [False, True])
async def test_a_call_in_a_branch_that_waits_suspends_the_run(through_text: bool) -> None:
    made: list[str] = []

    @function_tool(needs_approval=True)
    def pay(euros: int) -> str:
        made.append(f"paid {euros}")
        return made[-1]

    def counts(text: str) -> int:
        made.append("counted")
        return len(text)

    clerk = Agent(
        name="Clerk",
        tools=[pay],
        model=ScriptedModel(
            [[function_call("pay", {"euros": 5}, call_id="c")], [assistant_message("ok")]]
        ),
    )
    flow, board, _ = boards(clerk, counts)
    result = await Runner.run(flow, "hi")
    (waiting,) = result.interruptions
    assert (waiting.agent, made) == (clerk, ["counted"])
    state = result.to_state()
    if through_text:
        state = await RunState.from_json(flow, state.to_json())
        (waiting,) = state.get_interruptions()
    state.approve(waiting)
    result = await Runner.run(flow, state)
    assert result.outputs[board] == ["ok", 7]
    assert made == ["counted", "paid 5"]


async def test_branches_share_the_context_and_the_hooks_of_the_run() -> None:
    from agentgraph import RunHooks

    class Hooks(RunHooks[Any]):
        def __init__(self) -> None:
            self.started: list[str] = []

        async def on_agent_start(self, context: Any, agent: Any) -> None:
            self.started.append(agent.name)

    def notes(context: RunContextWrapper[list[str]], text: str) -> str:
        context.context.append(text)
        return text

    hooks, seen = Hooks(), list[str]()
    flow, _, _ = boards(agent("Legal", "ok"), notes)
    result = await Runner.run(flow, "hi", context=seen, hooks=hooks)
    assert hooks.started == ["Draft", "Legal", "After"]
    assert seen == ["a draft"]
    assert result.context_wrapper.usage.requests == 3


@pytest.mark.parametrize("in_a_branch", [False, True])
async def test_a_workflow_that_is_a_step_of_itself_is_refused(in_a_branch: bool) -> None:
    first, inner_first = agent("First", "x"), agent("Inner", "y")
    flow, inner = Workflow("Flow", start=first), Workflow("Inner", start=inner_first)
    flow.then(first, inner)
    back: Any = inner.parallel("both", [flow, upper]) if in_a_branch else flow
    inner.then(inner_first, back)
    with pytest.raises(UserError, match="Workflow 'Flow' is a step of itself"):
        await Runner.run(flow, "hi")


def test_the_type_of_a_run_that_ends_with_branches_is_that_of_the_join() -> None:
    draft = agent("Draft", "d")
    flow = Workflow("Flow", start=draft)
    flow.then(draft, flow.parallel("both", [upper, length]))
    assert compile(flow).output_type == list[str | int]
    race = Workflow("Race", start=draft)
    race.then(draft, race.parallel("one", [upper, length], join=first_of()))
    assert compile(race).output_type == str | int


async def test_a_cancellation_reaches_the_branches() -> None:
    ended, begun = list[str](), asyncio.Event()

    async def waits(text: str) -> str:
        begun.set()
        try:
            return await never(text)
        finally:
            ended.append("waits")

    flow, _, _ = boards(waits, agent("Legal", "fine"))
    task = asyncio.create_task(Runner.run(flow, "hi"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["waits"]


async def test_functions_in_branches_are_announced_as_they_begin() -> None:
    begun: list[str] = []
    token = STEP_BEGINS.set(begun.append)
    try:
        flow, _, _ = boards(upper, length)
        await Runner.run(flow, "hi")
    finally:
        STEP_BEGINS.reset(token)
    assert begun == ["upper", "length"]


def test_a_workflow_with_branches_runs_in_sync_and_again() -> None:
    def made() -> Workflow:
        return boards(agent("Legal", "fine"), upper)[0]

    results = [Runner.run_sync(made(), "hi") for _ in range(2)]
    assert [result.final_output for result in results] == ["done", "done"]
