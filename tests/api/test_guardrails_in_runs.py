"""Guardrails of a run: when they run, what waits for them, and what a trip leaves
(docs/design/behaviour.md, section 5; docs/design/architecture.md, rule 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
    input_guardrail,
    output_guardrail,
)
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message
from tests.api.calls import call, script
from tests.api.conftest import Play
from tests.api.leaks import nothing_is_left, running

__all__ = ["nothing_is_left"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")

PASSED = GuardrailFunctionOutput("fine", False)
TRIPPED = GuardrailFunctionOutput("bad", True)


def guardrail(name: str, check: Callable[[], Any], *, parallel: bool = True) -> InputGuardrail[Any]:
    """An input guardrail that asks `check` and nothing else."""

    async def ask(*_: Any) -> Any:
        return await check()

    return InputGuardrail(ask, name, run_in_parallel=parallel)


async def passes() -> GuardrailFunctionOutput:
    return PASSED


async def trips() -> GuardrailFunctionOutput:
    return TRIPPED


async def stays() -> GuardrailFunctionOutput:
    await asyncio.Event().wait()
    return PASSED


async def test_a_tool_does_not_start_before_a_parallel_guardrail_passed(play: Play) -> None:
    replied, log = asyncio.Event(), list[str]()

    @function_tool
    async def act() -> str:
        log.append("tool")
        return "done"

    async def check() -> GuardrailFunctionOutput:
        await replied.wait()
        for _ in range(20):  # whatever is ready to run may run now
            await asyncio.sleep(0)
        log.append("guardrail")
        return PASSED

    class Hooks(RunHooks[Any]):
        async def on_llm_end(self, *_: Any) -> None:
            replied.set()

    model = script([call("act")])
    agent = Agent(name="A", model=model, tools=[act], input_guardrails=[guardrail("g", check)])
    played = await play(agent, hooks=Hooks())
    assert log == ["guardrail", "tool"]
    assert played.final == "done"


async def test_the_model_is_heard_while_a_guardrail_still_runs() -> None:
    heard = asyncio.Event()

    async def check() -> GuardrailFunctionOutput:
        await heard.wait()
        return PASSED

    agent = Agent(name="A", model=script(answer="a b c"), input_guardrails=[guardrail("g", check)])
    result = Runner.run_streamed(agent, "go")
    kinds = []
    async for event in result.stream_events():
        kinds.append(event.type)
        if event.type == "raw_response_event" and event.data.type == "response.completed":
            assert result.input_guardrail_results == []
            heard.set()
    assert kinds[-1] == "run_item_stream_event"
    assert [entry.output.output_info for entry in result.input_guardrail_results] == ["fine"]


async def test_a_trip_cancels_the_model_and_the_other_guardrails(play: Play) -> None:
    thinking, cancelled = asyncio.Event(), list[str]()

    async def think(_: Any) -> Any:
        thinking.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append("model")

    async def sibling() -> GuardrailFunctionOutput:
        try:
            return await stays()
        finally:
            cancelled.append("sibling")

    async def trip() -> GuardrailFunctionOutput:
        await thinking.wait()
        return TRIPPED

    session = SQLiteSession("s")
    agent = Agent(
        name="A",
        model=ScriptedModel([ModelStep.respond(think)]),
        input_guardrails=[guardrail("first", passes), guardrail("slow", sibling)],
    )
    config = RunConfig(input_guardrails=[guardrail("trip", trip)])
    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        await play(agent, session=session, run_config=config)
    assert sorted(cancelled) == ["model", "sibling"]
    assert running() == set()
    data = caught.value.run_data
    assert data is not None
    assert caught.value.guardrail_result.guardrail.get_name() == "trip"
    results = [result.guardrail.get_name() for result in data.input_guardrail_results]
    assert results == ["first", "trip"]
    assert data.new_items == []
    assert await session.get_items() == [{"role": "user", "content": "go"}]


async def test_results_stand_in_the_order_in_which_the_guardrails_finished(play: Play) -> None:
    gate = asyncio.Event()

    async def late() -> GuardrailFunctionOutput:
        await gate.wait()
        return PASSED

    async def early() -> GuardrailFunctionOutput:
        asyncio.get_running_loop().call_soon(gate.set)
        return PASSED

    agent = Agent(
        name="A", model=script(), input_guardrails=[guardrail("1", late), guardrail("2", early)]
    )
    played = await play(agent)
    names = [entry.guardrail.get_name() for entry in played.result.input_guardrail_results]
    assert names == ["2", "1"]


async def test_a_blocking_guardrail_is_over_before_anything_happens(play: Play) -> None:
    log: list[str] = []

    async def check() -> GuardrailFunctionOutput:
        await asyncio.sleep(0)
        log.append("blocking")
        return PASSED

    async def beside() -> GuardrailFunctionOutput:
        log.append("parallel")
        return PASSED

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, *_: Any) -> None:
            log.append("agent_start")

    guardrails = [guardrail("p", beside), guardrail("b", check, parallel=False)]
    agent = Agent(name="A", model=script(), input_guardrails=guardrails)
    await play(agent, hooks=Hooks())
    assert log[0] == "blocking"
    assert sorted(log[1:]) == ["agent_start", "parallel"]


@pytest.mark.parametrize("parallel", [True, False])
async def test_an_error_in_a_guardrail_leaves_the_run_as_it_is(play: Play, parallel: bool) -> None:
    async def broken() -> GuardrailFunctionOutput:
        raise LookupError("no list of words")

    agent = Agent(
        name="A", model=script(), input_guardrails=[guardrail("g", broken, parallel=parallel)]
    )
    with pytest.raises(LookupError, match="no list of words"):
        await play(agent)


async def test_a_guardrail_that_raises_one_of_our_errors_has_the_run_on_it(play: Play) -> None:
    async def broken() -> GuardrailFunctionOutput:
        raise UserError("set up wrongly")

    agent = Agent(name="A", model=script(), input_guardrails=[guardrail("g", broken)])
    with pytest.raises(UserError, match="set up wrongly") as caught:
        await play(agent)
    assert caught.value.run_data is not None
    assert caught.value.run_data.last_agent is agent


async def test_an_answer_that_is_no_verdict_names_the_guardrail(play: Play) -> None:
    @output_guardrail
    def forgetful(*_: Any) -> Any:
        return None

    agent = Agent(name="A", model=script(), output_guardrails=[forgetful])
    with pytest.raises(UserError, match="Guardrail 'forgetful' of agent 'A' must return"):
        await play(agent)


async def test_a_guardrail_cancelled_from_inside_fails_the_run_aloud(play: Play) -> None:
    @input_guardrail
    async def cancelled(*_: Any) -> Any:
        raise asyncio.CancelledError

    with pytest.raises(UserError, match="although the run was not cancelled"):
        await play(Agent(name="A", model=script(), input_guardrails=[cancelled]))


async def test_guardrails_see_the_history_of_the_session_on_the_first_turn_only(play: Play) -> None:
    seen: list[Any] = []

    @input_guardrail
    def look(_: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        seen.append((agent.name, input if isinstance(input, str) else len(input)))
        return PASSED

    @function_tool
    async def act() -> str:
        return "done"

    session = SQLiteSession("s")
    model = ScriptedModel(
        [
            [call("act")],
            [assistant_message("one")],
            [assistant_message("two")],
        ]
    )
    agent = Agent(name="A", model=model, tools=[act], input_guardrails=[look])
    await play(agent, "first", session=session)
    await play(agent, "second", session=session)
    # The second run has its question and the four items of the first.
    assert seen[1] == ("A", 5)
    assert len(seen) == 2


async def test_an_output_guardrail_judges_what_a_tool_ended_the_run_with(play: Play) -> None:
    judged: list[Any] = []

    @function_tool
    async def secret() -> dict[str, int]:
        return {"pin": 4711}

    async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append(output)
        return TRIPPED

    session = SQLiteSession("s")
    agent = Agent(
        name="A",
        model=script([call("secret")]),
        tools=[secret],
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[OutputGuardrail(judge)],
    )
    with pytest.raises(OutputGuardrailTripwireTriggered) as caught:
        await play(agent, session=session)
    assert judged == ["{'pin': 4711}"]  # the agent has no output type, so its output is text
    assert caught.value.guardrail_result.agent_output == "{'pin': 4711}"
    data = caught.value.run_data
    assert data is not None
    assert len(data.output_guardrail_results) == 1
    # What the tool did, it did: the session knows of it.
    stored = [item.get("type") for item in await session.get_items()]
    assert stored == [None, "function_call", "function_call_output"]


async def test_what_a_blocked_answer_said_is_not_stored_but_a_failing_judge_keeps_it(
    play: Play,
) -> None:
    async def trip(*_: Any) -> GuardrailFunctionOutput:
        return TRIPPED

    async def broken(*_: Any) -> GuardrailFunctionOutput:
        raise LookupError

    for judge, error, kept in (
        (trip, OutputGuardrailTripwireTriggered, 1),
        (broken, LookupError, 2),
    ):
        session = SQLiteSession("s")
        agent = Agent(name="A", model=script(), output_guardrails=[OutputGuardrail(judge)])
        with pytest.raises(error):
            await play(agent, session=session)
        assert len(await session.get_items()) == kept


async def test_output_guardrails_run_side_by_side_and_a_trip_cancels_the_others(play: Play) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(*_: Any) -> GuardrailFunctionOutput:
        started.set()
        try:
            return await stays()
        finally:
            cancelled.set()

    async def trip(*_: Any) -> GuardrailFunctionOutput:
        await started.wait()
        return TRIPPED

    agent = Agent(name="A", model=script(), output_guardrails=[OutputGuardrail(slow)])
    config = RunConfig(output_guardrails=[OutputGuardrail(trip)])
    with pytest.raises(OutputGuardrailTripwireTriggered):
        await play(agent, run_config=config)
    assert cancelled.is_set()


async def test_a_guardrail_may_run_an_agent_of_its_own(play: Play) -> None:
    judge: Agent[Any] = Agent(name="Judge", model=ScriptedModel(lambda _: say_no()))

    @input_guardrail
    async def ask(context: Any, agent: Any, input: Any) -> GuardrailFunctionOutput:
        verdict = await Runner.run(judge, input, context=context.context)
        streamed = Runner.run_streamed(judge, input)
        async for _ in streamed.stream_events():
            pass
        assert streamed.final_output == verdict.final_output
        return GuardrailFunctionOutput(verdict, verdict.final_output == "no")

    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        await play(Agent(name="A", model=script(), input_guardrails=[ask]))
    inner = caught.value.guardrail_result.output.output_info
    assert inner.last_agent is judge


def say_no() -> list[Any]:
    return [assistant_message("no")]


async def test_a_model_that_fails_beside_a_guardrail_ends_the_run_and_the_guardrail(
    play: Play,
) -> None:
    cancelled = asyncio.Event()

    async def slow() -> GuardrailFunctionOutput:
        try:
            return await stays()
        finally:
            cancelled.set()

    async def fail(_: Any) -> Any:
        await asyncio.sleep(0)
        raise ConnectionError("down")

    agent = Agent(
        name="A",
        model=ScriptedModel([ModelStep.respond(fail)]),
        input_guardrails=[guardrail("g", slow)],
    )
    with pytest.raises(ConnectionError, match="down"):
        await play(agent)
    assert cancelled.is_set()
