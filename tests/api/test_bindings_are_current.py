"""What symbols stand for is the program as it is now: tools that changed while a run waited, and
agents that a hook changes as they start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    CustomTool,
    RunConfig,
    RunHooks,
    ShellTool,
    SQLiteSession,
    ToolGuardrailFunctionOutput,
    function_tool,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play
from tests.api.hosted import custom_call, shell_call


def paying(paid: list[str], till: str = "old", name: str = "pay", **settings: Any) -> Any:
    async def pay(amount: int) -> str:
        paid.append(f"{till} {amount}")
        return f"{till} paid {amount}"

    settings = {"needs_approval": True, **settings}
    return function_tool(pay, name_override=name, **settings)


def approved(state: Any) -> Any:
    for item in state.get_interruptions():
        state.approve(item)
    return state


@pytest.mark.parametrize("behavior", ["raise_error", "return_error_to_model"])
class TestAToolThatChangedWhileItsCallWaited:
    async def waiting(self, play: Play, *tools: Any, **options: Any) -> tuple[Any, Any, Any]:
        model = script([call("pay", amount=5)])
        agent = agent_with(model, *tools)
        return agent, model, approved((await play(agent, **options)).result.to_state())

    async def test_and_is_gone_is_missing_and_the_model_is_told(
        self, play: Play, behavior: Any
    ) -> None:
        paid: list[str] = []
        agent, model, state = await self.waiting(play, paying(paid))
        agent.tools = []
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, played.final) == ([], "done")
        assert told(model) == {"c1": "Tool 'pay' not found in agent 'Clerk'."}

    async def test_and_is_gone_beside_one_that_is_there(self, play: Play, behavior: Any) -> None:
        paid: list[str] = []
        model = script([call("pay", "c1", amount=5), call("spend", "c2", amount=6)])
        kept = paying(paid, name="spend")
        agent = agent_with(model, paying(paid), kept)
        state = approved((await play(agent)).result.to_state())
        agent.tools = [kept]
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, played.final) == (["old 6"], "done")
        assert told(model)["c2"] == "old paid 6"
        assert "not found" in told(model)["c1"]

    async def test_and_was_replaced_is_the_new_one(self, play: Play, behavior: Any) -> None:
        paid: list[str] = []
        agent, model, state = await self.waiting(play, paying(paid))
        agent.tools = [paying(paid, "new")]
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, told(model)) == (["new 5"], {"c1": "new paid 5"})
        assert played.final == "done"

    async def test_and_was_renamed_is_missing(self, play: Play, behavior: Any) -> None:
        paid: list[str] = []
        agent, model, state = await self.waiting(play, paying(paid))
        agent.tools = [paying(paid, name="spend")]
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, played.final) == ([], "done")
        assert told(model) == {"c1": "Tool 'pay' not found in agent 'Clerk'."}

    @pytest.mark.parametrize("how", ["in place", "another tool"])
    async def test_and_has_an_input_guardrail_now_is_screened(
        self, play: Play, behavior: Any, how: str
    ) -> None:
        @tool_input_guardrail
        def refuse(data: Any) -> ToolGuardrailFunctionOutput:
            return ToolGuardrailFunctionOutput.reject_content("not today")

        paid: list[str] = []
        tool = paying(paid)
        agent, model, state = await self.waiting(play, tool)
        if how == "in place":
            tool.tool_input_guardrails = [refuse]
        else:
            agent.tools = [paying(paid, tool_input_guardrails=[refuse])]
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, told(model), played.final) == ([], {"c1": "not today"}, "done")

    async def test_and_has_an_output_guardrail_now_is_judged(
        self, play: Play, behavior: Any
    ) -> None:
        @tool_output_guardrail
        def hide(data: Any) -> ToolGuardrailFunctionOutput:
            return ToolGuardrailFunctionOutput.reject_content("hidden")

        paid: list[str] = []
        tool = paying(paid)
        agent, model, state = await self.waiting(play, tool)
        tool.tool_output_guardrails = [hide]
        config = RunConfig(tool_not_found_behavior=behavior)
        played = await play(agent, state, run_config=config)
        assert (paid, told(model), played.final) == (["old 5"], {"c1": "hidden"}, "done")

    async def test_inside_an_agent_tool_counts_as_well(self, play: Play, behavior: Any) -> None:
        paid: list[str] = []
        done = [[assistant_message("done")]] * 2
        model = ScriptedModel([[call("pay", amount=5)], *done])
        inner = Agent(name="Expert", model=model, tools=[paying(paid)])
        asking = ScriptedModel([[call("ask", "a1", input="x")], *done])
        outer = agent_with(asking, inner.as_tool("ask", "Ask."))
        config = RunConfig(tool_not_found_behavior=behavior)
        first = approved((await play(outer)).result.to_state())
        again = first.fork()
        inner.tools = [paying(paid, "new")]
        assert (await play(outer, first, run_config=config)).final == "done"
        assert paid == ["new 5"]
        inner.tools = []
        assert (await play(outer, again, run_config=config)).final == "done"
        assert paid == ["new 5"]
        assert "not found" in told(model)["c1"]

    async def test_and_is_no_function_counts_as_well(self, play: Play, behavior: Any) -> None:
        done: list[str] = []

        def custom(who: str) -> CustomTool:
            async def work(context: Any, text: str) -> str:
                done.append(who)
                return who

            return CustomTool("work", "Work.", work, needs_approval=True)

        def shell(who: str) -> ShellTool:
            def run(request: Any) -> str:
                done.append(who)
                return who

            return ShellTool(executor=run, needs_approval=True)

        config = RunConfig(tool_not_found_behavior=behavior)
        kinds: list[tuple[Callable[[str], Any], Any]] = [
            (custom, custom_call("work", "x", "c1")),
            (shell, shell_call("x", call_id="c1")),
        ]
        for make, asked in kinds:
            done.clear()
            model = script([asked])
            agent = agent_with(model, make("old"))
            state = approved((await play(agent)).result.to_state())
            agent.tools = [make("new")]
            assert (await play(agent, state, run_config=config)).final == "done"
            assert done == ["new"]


class Setup(RunHooks[Any]):
    """Hooks of a run that change an agent as it starts."""

    def __init__(self, change: Callable[[Any], None], name: str = "A") -> None:
        self.change, self.name = change, name

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        if agent.name == self.name:
            self.change(agent)


class OwnSetup(AgentHooks[Any]):
    """Hooks of an agent that change it as it starts."""

    def __init__(self, change: Callable[[Any], None]) -> None:
        self.change = change

    async def on_start(self, context: Any, agent: Any) -> None:
        self.change(agent)


@function_tool
async def extra() -> str:
    """Give more."""
    return "more"


@pytest.mark.parametrize("session", [False, True])
@pytest.mark.parametrize("hooks", ["of the run", "of the agent"])
class TestAnAgentThatAHookChangesAsItStarts:
    """Counts as it is then, in that very turn."""

    def options(
        self, agent: Agent[Any], change: Callable[[Any], None], hooks: str, session: bool
    ) -> dict[str, Any]:
        options: dict[str, Any] = {"session": SQLiteSession("s")} if session else {}
        if hooks == "of the run":
            return {**options, "hooks": Setup(change, agent.name)}
        agent.hooks = OwnSetup(change)
        return options

    async def test_offers_the_tools_it_has_then(
        self, play: Play, hooks: str, session: bool
    ) -> None:
        model = script([call("extra")])
        agent = Agent(name="A", model=model, tools=[echo])

        def change(agent: Agent[Any]) -> None:
            agent.tools = [extra]
            agent.instructions = "new"

        played = await play(agent, **self.options(agent, change, hooks, session))
        assert [[tool.name for tool in asked.tools] for asked in model.calls] == [["extra"]] * 2
        assert model.calls[0].system_instructions == "new"
        assert (played.outputs, played.final) == (["more"], "done")

    async def test_hands_off_to_the_agents_it_has_then(
        self, play: Play, hooks: str, session: bool
    ) -> None:
        second = Agent(name="B", model=script(answer="from b"))
        agent = Agent(name="A", model=script([call("transfer_to_b", "h1")]))

        def change(agent: Agent[Any]) -> None:
            agent.handoffs = [second]

        played = await play(agent, **self.options(agent, change, hooks, session))
        assert (played.final, played.result.last_agent) == ("from b", second)

    async def test_gives_the_output_type_it_has_then(
        self, play: Play, hooks: str, session: bool
    ) -> None:
        agent = Agent(name="A", model=script(answer='{"response":[1,2]}'))

        def change(agent: Agent[Any]) -> None:
            agent.output_type = list[int]

        played = await play(agent, **self.options(agent, change, hooks, session))
        assert played.final == [1, 2]

    async def test_is_the_target_of_a_handoff(self, play: Play, hooks: str, session: bool) -> None:
        model = script([call("extra", "c2")])
        target = Agent(name="B", model=model)
        first = Agent(name="A", model=script([call("transfer_to_b", "h1")]), handoffs=[target])

        def change(agent: Agent[Any]) -> None:
            agent.tools = [extra]

        played = await play(first, **self.options(target, change, hooks, session))
        assert [tool.name for tool in model.calls[0].tools] == ["extra"]
        assert (played.final, told(model)["c2"]) == ("done", "more")

    async def test_is_behind_an_agent_tool(self, play: Play, hooks: str, session: bool) -> None:
        model = script([call("extra", "c2")])
        inner = Agent(name="B", model=model)

        def change(agent: Agent[Any]) -> None:
            agent.tools = [extra]

        options = self.options(inner, change, hooks, session)
        tool = inner.as_tool("ask", "Ask.", hooks=options.pop("hooks", None), **options)
        played = await play(agent_with(script([call("ask", input="x")]), tool))
        assert [tool.name for tool in model.calls[0].tools] == ["extra"]
        assert played.outputs == ["done"]

    async def test_loses_what_the_hook_takes_away(
        self, play: Play, hooks: str, session: bool
    ) -> None:
        model = script([call("extra")])
        agent = Agent(name="A", model=model, tools=[extra])

        def change(agent: Agent[Any]) -> None:
            agent.tools = []

        options = self.options(agent, change, hooks, session)
        config = RunConfig(tool_not_found_behavior="return_error_to_model")
        played = await play(agent, run_config=config, **options)
        assert list(model.calls[0].tools) == []
        assert "not found" in told(model)["c1"]
        assert played.final == "done"

    async def test_keeps_the_change_when_the_run_waits_and_goes_on(
        self, play: Play, hooks: str, session: bool
    ) -> None:
        paid: list[str] = []
        model = script([call("pay", amount=5)], [call("extra", "c2")])
        agent = Agent(name="A", model=model)
        starts: list[int] = []

        def change(agent: Agent[Any]) -> None:
            starts.append(1)
            agent.tools = [paying(paid), extra]

        options = self.options(agent, change, hooks, session)
        state = approved((await play(agent, **options)).result.to_state())
        played = await play(agent, state, **options)
        assert (paid, played.final, len(starts)) == (["old 5"], "done", 1)
        assert told(model)["c2"] == "more"
