"""Agents that are made for each run, and agents that change before a run gets to them."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentHooks,
    CompileError,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    RunConfig,
    RunHooks,
    Runner,
    RunState,
    SQLiteSession,
    Workflow,
    function_tool,
    handoff,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import call, echo, script, told
from tests.api.conftest import Play


@function_tool
async def late() -> str:
    """Answer late."""
    return "late"


def two(second: Agent[Any], *replies: Any, **settings: Any) -> Agent[Any]:
    """An agent that does what its model says and then hands over."""
    model = ScriptedModel([*replies, [call(f"transfer_to_{second.name.lower()}", "h1")]] * 3)
    return Agent(name="A", model=model, handoffs=[second], **settings)


class TestAnAgentThatARunHasNotEntered:
    """A change to it counts when the run gets there."""

    async def test_has_the_tools_that_it_was_given_between_two_runs(self, play: Play) -> None:
        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)
        second.tools.append(late)
        second.model = script([call("late")])
        played = await play(first)
        assert (played.final, told(second.model)["c1"]) == ("done", "late")

    async def test_has_the_tools_that_it_was_given_in_the_run(self, play: Play) -> None:
        second = Agent[Any](name="B", model=script([call("late", "c2")]))

        @function_tool
        async def grow() -> str:
            second.tools.append(late)
            return "grown"

        played = await play(two(second, [call("grow")], tools=[grow]))
        assert played.outputs == ["grown", "late"]

    async def test_is_greeted_by_hooks_that_it_was_given_between_two_runs(self, play: Play) -> None:
        heard: list[str] = []

        class Hooks(AgentHooks[Any]):
            async def on_start(self, context: Any, agent: Any) -> None:
                heard.append(f"start {agent.name}")

            async def on_end(self, context: Any, agent: Any, output: Any) -> None:
                heard.append(f"end {agent.name}")

        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)
        second.hooks, second.model = Hooks(), script()
        await play(first)
        assert heard == ["start B", "end B"]

    async def test_is_judged_by_guardrails_that_it_was_given_between_two_runs(
        self, play: Play
    ) -> None:
        judged: list[Any] = []

        def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            judged.append(output)
            return GuardrailFunctionOutput(None, False)

        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)
        second.output_guardrails.append(OutputGuardrail(judge))
        second.model = script(answer="judged")
        await play(first)
        assert judged == ["judged"]

    async def test_leads_to_the_agents_that_it_was_given_between_two_runs(self, play: Play) -> None:
        third = Agent[Any](name="C", model=script(answer="from c"))
        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)
        second.handoffs.append(third)
        second.model = script([call("transfer_to_c", "h2")])
        assert (await play(first)).result.last_agent is third

    async def test_is_shown_by_its_new_name_to_the_agent_that_lists_it(self, play: Play) -> None:
        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)
        second.name, second.handoff_description, second.model = "C", "Knows.", script()
        first.model = model = script([call("transfer_to_c", "h1")])
        assert (await play(first)).result.last_agent is second
        (offered,) = model.calls[0].handoffs
        assert (offered.tool_name, offered.tool_description.endswith("Knows.")) == (
            "transfer_to_c",
            True,
        )

    async def test_that_became_wrong_ends_the_run_when_it_gets_there(self, play: Play) -> None:
        second = Agent[Any](name="B", model=script())
        first = two(second)
        await play(first)

        @function_tool(name_override="late")
        async def impostor() -> str:
            return "?"

        second.tools += [late, impostor]
        with pytest.raises(CompileError, match="late"):
            await play(first)

    async def test_goes_on_from_a_text_after_it_was_changed(self) -> None:
        """The text of a run tells of the machine it was in before and of the one it is in now."""

        @function_tool(needs_approval=True)
        async def pay() -> str:
            return "paid"

        def reply(asked: Any) -> list[Any]:
            return [call("pay")] if not told_of(asked) else [assistant_message("done")]

        def made(*tools: Any) -> tuple[Agent[Any], Agent[Any]]:
            second = Agent[Any](name="B", model=ScriptedModel(reply), tools=list(tools))
            return two(second), second

        first, second = made()
        second.model = script()
        await Runner.run(first, "go")
        second.tools, second.model = [pay], ScriptedModel(reply)
        result = await Runner.run(first, "go")
        again, _ = made(pay)
        state = await RunState.from_string(again, result.to_state().to_string())
        for item in state.get_interruptions():
            state.approve(item)
        assert (await Runner.run(again, state)).final_output == "done"

    async def test_may_give_what_a_text_of_another_process_tells_of(self) -> None:
        """The reader of the text knows the classes of the agent's new tools."""

        class Ticket(BaseModel):
            number: int

        @function_tool
        async def issue() -> Ticket:
            return Ticket(number=7)

        @function_tool(needs_approval=True)
        async def pay() -> str:
            return "paid"

        def made(*tools: Any) -> tuple[Agent[Any], Agent[Any]]:
            model = script([call("issue", "c2")], [call("pay", "c3")])
            second = Agent[Any](name="B", model=model, tools=list(tools))
            return two(second), second

        elsewhere, _ = made(issue, pay)
        text = (await Runner.run(elsewhere, "go")).to_state().to_string()
        here, second = made()
        second.model = script()
        await Runner.run(here, "go")
        second.tools = [issue, pay]
        state = await RunState.from_string(here, text)
        for item in state.get_interruptions():
            state.approve(item)
        second.model = script()
        result = await Runner.run(here, state)
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert outputs == [Ticket(number=7), "paid"]


def told_of(asked: Any) -> bool:
    return any(entry.get("output") == "paid" for entry in asked.input)


class TestAnAgentBehindATool:
    async def test_counts_as_it_is_when_it_is_called(self, play: Play) -> None:
        inner = Agent[Any](name="Inner", model=script())
        outer = Agent[Any](
            name="Outer", model=script([call("ask", input="q")]), tools=[inner.as_tool("ask", "A.")]
        )
        await play(outer)
        inner.tools.append(late)
        inner.model = script([call("late")], answer="inside")
        outer.model = script([call("ask", input="q")])
        assert (await play(outer)).outputs == ["inside"]

    async def test_may_be_another_one_in_the_next_run(self, play: Play) -> None:
        tool: Any = Agent[Any](name="Inner", model=script(answer="one")).as_tool("ask", "A.")
        outer = Agent[Any](name="Outer", model=script([call("ask", input="q")]), tools=[tool])
        assert (await play(outer)).outputs == ["one"]
        tool.agent = Agent(name="Inner", model=script(answer="two"))
        outer.model = script([call("ask", input="q")])
        assert (await play(outer)).outputs == ["two"]


async def test_runs_side_by_side_of_agents_of_one_kind_keep_to_their_own_objects() -> None:
    def made(number: int) -> Agent[Any]:
        @function_tool
        async def who() -> str:
            """Say who."""
            await asyncio.sleep(0)
            return f"tool {number}"

        def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(number, False)

        expert = Agent[Any](
            name="Expert",
            model=script([call("who", "c2")], answer=f"answer {number}"),
            tools=[who],
            output_guardrails=[OutputGuardrail(judge)],
        )
        model = script([call("who")], [call("transfer_to_expert", "h1")])
        return Agent(name="Desk", model=model, tools=[who], handoffs=[expert])

    results = await asyncio.gather(*(Runner.run(made(number), "go") for number in range(20)))
    for number, result in enumerate(results):
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert outputs == [f"tool {number}"] * 2
        assert result.final_output == f"answer {number}"
        assert result.output_guardrail_results[0].output.output_info == number


async def test_a_configuration_made_for_each_run_brings_its_own_guardrails(play: Play) -> None:
    agent = Agent[Any](name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    judged: list[int] = []
    for number in range(12):

        def judge(*arguments: Any, number: int = number) -> GuardrailFunctionOutput:
            judged.append(number)
            return GuardrailFunctionOutput(None, False)

        config = RunConfig(input_guardrails=[InputGuardrail(judge, name="judge")])
        await play(agent, run_config=config)
    assert judged == list(range(12))


async def test_a_guardrail_of_the_run_that_is_changed_between_two_runs_counts(play: Play) -> None:
    agent = Agent[Any](name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    guardrail = InputGuardrail[Any](
        lambda *arguments: GuardrailFunctionOutput(None, True), name="no"
    )
    guardrail.run_in_parallel = False
    config = RunConfig(input_guardrails=[guardrail])
    with pytest.raises(Exception, match="no"):
        await play(agent, run_config=config)
    guardrail.guardrail_function = lambda *arguments: GuardrailFunctionOutput(None, False)
    assert (await play(agent, run_config=config)).final == "ok"


async def test_a_declared_workflow_that_gains_an_agent_between_two_runs_knows_it(
    play: Play,
) -> None:
    second = Agent[Any](name="B", model=script(answer="from b"))
    first = Agent[Any](name="A", model=script())
    workflow = Workflow("W", first)
    await play(workflow)
    workflow.agents = [*workflow.agents, second]
    first.handoffs.append(second)
    first.model = script([call("transfer_to_b", "h1")])
    assert (await play(workflow)).final == "from b"


def with_everything() -> tuple[Agent[Any], dict[str, Any], list[weakref.ref[Any]]]:
    """An agent with one of each of the user's objects, what its run is given, and references."""

    class Own(BaseModel):
        text: str

    class Hooks(RunHooks[Any]): ...

    class Model(ScriptedModel): ...

    @function_tool
    async def work(word: str) -> str:
        return word

    def passes(*arguments: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, False)

    entry, exit = InputGuardrail[Any](passes), OutputGuardrail[Any](passes)
    inner = Agent[Any](name="Inner", model=Model([[assistant_message("in")]]), output_type=None)
    second = Agent[Any](
        name="Second",
        model=Model([[assistant_message('{"response":[{"text":"x"}]}')]]),
        output_type=list[Own],
    )
    transfer = handoff(second)
    model = Model(
        [[call("work", word="x"), call("ask", "c2", input="x")], [call("transfer_to_second", "h")]]
    )
    agent = Agent[Any](
        name="First",
        model=model,
        tools=[work, inner.as_tool("ask", "Ask.")],
        handoffs=[transfer],
        input_guardrails=[entry],
        output_guardrails=[exit],
        output_type=Own,
    )
    held = (agent, inner, second, transfer, work, entry, exit, model, passes, Own, Hooks, Model)
    return agent, {"hooks": Hooks()}, [weakref.ref(one) for one in held]


async def test_what_a_run_was_made_of_goes_when_its_caller_lets_it_go(play: Play) -> None:
    agent, options, references = with_everything()
    played = await play(agent, **options)
    assert played.kinds[-1] == "message_output_item"
    del agent, options, played
    await asyncio.sleep(0)
    gc.collect()
    assert [reference() for reference in references if reference() is not None] == []


async def test_a_session_goes_on_with_agents_made_anew_for_each_run(play: Play) -> None:
    session = SQLiteSession("s")
    for number in range(3):
        model = script([call("echo", f"c{number}", text=str(number))], answer=f"answer {number}")
        await play(Agent(name="A", model=model, tools=[echo]), f"q{number}", session=session)
    assert len(await session.get_items()) == 12


async def test_an_agent_that_is_made_for_one_run_goes_with_its_last_reference() -> None:
    """A web handler makes its agents for each request; none of them waits for the collector."""

    async def handle() -> weakref.ref[Agent[Any]]:
        model = script([call("echo", text="hi")])
        agent = Agent[Any](name="Desk", model=model, tools=[echo])
        await Runner.run(agent, "hi")
        return weakref.ref(agent)

    gc.collect()
    gc.disable()
    try:
        assert (await handle())() is None
    finally:
        gc.enable()
