"""No value leaves a check other than the one that it saw."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    RunHooks,
    Runner,
    SQLiteSession,
    StopAtTools,
    ToolGuardrailFunctionOutput,
    ToolsToFinalOutputResult,
    function_tool,
    tool_output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play


class Judge:
    """An output guardrail that notes what it sees, and trips on a word.

    Args:
        word: What trips it.
    """

    def __init__(self, word: str = "forbidden") -> None:
        self.seen: list[Any] = []
        self.word = word

    async def __call__(self, context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        self.seen.append(output)
        return GuardrailFunctionOutput(None, self.word in str(output))

    @property
    def guardrails(self) -> list[OutputGuardrail[Any]]:
        return [OutputGuardrail(self)]


class Counting:
    """A value with another text each time."""

    texts = 0

    def __str__(self) -> str:
        self.texts += 1
        return f"text {self.texts}"


class Answer(BaseModel):
    text: str


@function_tool
async def weigh() -> dict[str, int]:
    """Weigh."""
    return {"grams": 5}


class TestTheFinalOutputOfARun:
    @pytest.mark.parametrize(
        ("replies", "settings", "expected"),
        [
            ([[assistant_message("said")]], {}, "said"),
            ([[assistant_message("one"), assistant_message("two")]], {}, "two"),
            ([[]], {}, ""),
            ([[assistant_message('{"text":"a"}')]], {"output_type": Answer}, Answer(text="a")),
            ([[call("weigh")]], {"tool_use_behavior": "stop_on_first_tool"}, "{'grams': 5}"),
            (
                [[call("echo", text="a"), call("weigh", "c2")]],
                {"tool_use_behavior": StopAtTools(stop_at_tool_names=["weigh"])},
                "{'grams': 5}",
            ),
            (
                [[call("weigh")]],
                {"tool_use_behavior": "stop_on_first_tool", "output_type": Answer},
                {"grams": 5},
            ),
            (
                [[call("echo", text="a")]],
                {"tool_use_behavior": lambda _, results: ToolsToFinalOutputResult(True, 7)},
                "7",
            ),
        ],
    )
    async def test_is_what_the_guardrails_saw(
        self, play: Play, replies: Any, settings: dict[str, Any], expected: Any
    ) -> None:
        judge = Judge()
        settings = {**settings, "output_guardrails": judge.guardrails}
        played = await play(agent_with(ScriptedModel(replies), echo, weigh, **settings))
        assert (judge.seen, played.final) == ([expected], expected)
        (verdict,) = played.result.output_guardrail_results
        assert verdict.agent_output == expected

    @pytest.mark.parametrize("behavior", ["stop_on_first_tool", "names", "function"])
    @pytest.mark.parametrize("output_type", [None, str])
    async def test_of_a_tool_is_one_text_for_all_who_see_it(
        self, play: Play, behavior: str, output_type: Any
    ) -> None:
        first, second, told_of = Judge(), Judge(), list[Any]()
        behaviors: dict[str, Any] = {
            "stop_on_first_tool": "stop_on_first_tool",
            "names": StopAtTools(stop_at_tool_names=["count"]),
            "function": lambda _, results: ToolsToFinalOutputResult(True, results[0].output),
        }

        class Hooks(RunHooks[Any]):
            async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
                told_of.append(output)

        @function_tool
        async def count() -> Counting:
            """Count."""
            return Counting()

        agent = agent_with(
            ScriptedModel([[call("count")]]),
            count,
            tool_use_behavior=behaviors[behavior],
            output_type=output_type,
            output_guardrails=[*first.guardrails, *second.guardrails],
        )
        played = await play(agent, hooks=Hooks())
        [delivered] = {*first.seen, *second.seen, *told_of, played.final}
        verdicts = played.result.output_guardrail_results
        assert {verdict.agent_output for verdict in verdicts} == {delivered}
        if behavior != "function":  # which may choose any value
            assert played.items[-1].raw_item["output"] == delivered

    @pytest.mark.parametrize("answer", ["late", {"final_output": "late"}])
    async def test_of_an_error_handler_is_judged_too(self, play: Play, answer: Any) -> None:
        judge = Judge()
        agent = agent_with(
            script([call("echo", text="a")]), echo, output_guardrails=judge.guardrails
        )
        handlers: Any = {"max_turns": lambda _: answer}
        played = await play(agent, max_turns=1, error_handlers=handlers)
        assert (judge.seen, played.final) == (["late"], "late")

    @pytest.mark.parametrize("kept", [True, False])
    async def test_of_an_error_handler_that_is_blocked_reaches_nobody(
        self, play: Play, kept: bool
    ) -> None:
        judge, session = Judge(), SQLiteSession("s")
        agent = agent_with(
            script([call("echo", text="a")]), echo, output_guardrails=judge.guardrails
        )
        answer = {"final_output": "forbidden", "include_in_history": kept}
        handlers: Any = {"max_turns": lambda _: answer}
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await play(agent, max_turns=1, error_handlers=handlers, session=session)
        assert judge.seen == ["forbidden"]
        assert "forbidden" not in str(await session.get_items())
        session.close()


BLOCKED: list[tuple[Any, dict[str, Any]]] = [
    ([assistant_message("forbidden")], {}),
    ([assistant_message("forbidden"), assistant_message("forbidden, too")], {}),
    ([assistant_message('{"text":"forbidden"}')], {"output_type": Answer}),
    ([call("echo", text="forbidden")], {"tool_use_behavior": "stop_on_first_tool"}),
    (
        [assistant_message("so: forbidden"), call("echo", text="forbidden")],
        {"tool_use_behavior": "stop_on_first_tool"},
    ),
    (
        [call("echo", "c1", text="x"), call("echo", "c2", text="forbidden")],
        {"tool_use_behavior": lambda _, results: ToolsToFinalOutputResult(True, results[1].output)},
    ),
]
"""Replies that end a run with a forbidden output, and how the agent comes to it."""


@pytest.mark.parametrize(("reply", "settings"), BLOCKED)
class TestABlockedOutput:
    def agent(self, reply: Any, settings: dict[str, Any], judge: Judge, **more: Any) -> Agent[Any]:
        # The arguments of a call are the model's own words, so they are left out of the question.
        @function_tool
        async def echo(text: str) -> str:
            return text

        guardrails = judge.guardrails
        model = ScriptedModel([reply])
        return agent_with(model, echo, output_guardrails=guardrails, **{**settings, **more})

    async def test_stands_in_no_session_and_no_data_for_the_next_run(
        self, play: Play, reply: Any, settings: dict[str, Any]
    ) -> None:
        judge, session = Judge(), SQLiteSession("s")
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await play(self.agent(reply, settings, judge), session=session)
        assert len(judge.seen) == 1
        stored: list[Any] = await session.get_items()
        said = [item for item in stored if item.get("type") != "function_call"]
        assert "forbidden" not in str(said)
        session.close()

    async def test_is_no_output_of_an_agent_tool(
        self, play: Play, reply: Any, settings: dict[str, Any]
    ) -> None:
        judge = Judge()
        inner = self.agent(reply, settings, judge)
        model = script([call("ask", "a1", input="x")])
        played = await play(agent_with(model, inner.as_tool("ask", "Ask.")))
        assert len(judge.seen) == 1
        assert "forbidden" not in str(told(model))
        assert "forbidden" not in str(played.outputs)

    async def test_is_blocked_again_when_the_state_is_run_again(
        self, play: Play, reply: Any, settings: dict[str, Any]
    ) -> None:
        judge = Judge()
        agent = self.agent(reply, settings, judge)
        result = Runner.run_streamed(agent, "go")
        with pytest.raises(OutputGuardrailTripwireTriggered):
            [event async for event in result.stream_events()]
        state = result.to_state()
        judge.word = "something else"
        for _ in range(2):
            with pytest.raises(OutputGuardrailTripwireTriggered):
                await play(agent, state)
        assert len(judge.seen) == 1


class TestTheOutputOfAnAgentTool:
    @pytest.mark.parametrize(
        ("replies", "expected"),
        [
            ([[assistant_message("Buy now!"), call("echo", text="Buy!")], []], ""),
            ([[assistant_message("Buy now!"), call("weigh")], [assistant_message("")]], ""),
            ([[assistant_message("Buy now!"), call("echo", text="a")]], "done"),
        ],
    )
    async def test_is_what_the_guardrails_saw(
        self, play: Play, replies: Any, expected: str
    ) -> None:
        judge = Judge("Buy")
        model = ScriptedModel([*replies, [assistant_message("done")]])
        inner = agent_with(model, echo, weigh, output_guardrails=judge.guardrails)
        outer = script([call("ask", "a1", input="x")])
        played = await play(agent_with(outer, inner.as_tool("ask", "Ask.")))
        assert (judge.seen, played.outputs, told(outer)) == (
            [expected],
            [expected],
            {"a1": expected},
        )

    async def test_is_what_the_guardrails_of_the_whole_run_saw(self, play: Play) -> None:
        judge = Judge("Buy")
        model = ScriptedModel([[assistant_message("Buy now!"), call("echo", text="Buy!")], []])
        inner = agent_with(model, echo)
        outer = script([call("ask", "a1", input="x")])
        config = RunConfig(output_guardrails=judge.guardrails)
        await play(agent_with(outer, inner.as_tool("ask", "Ask.")), run_config=config)
        assert judge.seen[0] == ""
        assert told(outer) == {"a1": ""}

    async def test_after_a_handoff_inside_is_what_the_last_agents_guardrails_saw(
        self, play: Play
    ) -> None:
        judge = Judge("Buy")
        second = Agent(name="B", model=ScriptedModel([[]]), output_guardrails=judge.guardrails)
        reply = [assistant_message("Buy now!"), call("transfer_to_b", "h1")]
        inner = agent_with(ScriptedModel([reply]), handoffs=[second])
        outer = script([call("ask", "a1", input="x")])
        await play(agent_with(outer, inner.as_tool("ask", "Ask.")))
        assert (judge.seen, told(outer)) == ([""], {"a1": ""})

    async def test_that_was_extracted_is_what_the_guardrails_of_the_tool_see(
        self, play: Play
    ) -> None:
        seen: list[Any] = []

        @tool_output_guardrail
        def hide(data: Any) -> ToolGuardrailFunctionOutput:
            seen.append(data.output)
            return ToolGuardrailFunctionOutput.reject_content("hidden")

        inner = agent_with(script(answer="secret"))
        tool = inner.as_tool(
            "ask", "Ask.", custom_output_extractor=lambda result: f"<{result.final_output}>"
        )
        tool.tool_output_guardrails = [hide]
        outer = script([call("ask", "a1", input="x")])
        played = await play(agent_with(outer, tool))
        assert (seen, played.outputs, told(outer)) == (["<secret>"], ["hidden"], {"a1": "hidden"})

    @pytest.mark.parametrize("stops", [True, False])
    async def test_that_a_guardrail_of_the_tool_replaced_is_replaced_everywhere(
        self, play: Play, stops: bool
    ) -> None:
        @tool_output_guardrail
        def hide(data: Any) -> ToolGuardrailFunctionOutput:
            return ToolGuardrailFunctionOutput.reject_content("hidden")

        seen: list[Any] = []

        def decide(context: Any, results: Any) -> ToolsToFinalOutputResult:
            seen.extend([results[0].output, results[0].run_item.output])
            return ToolsToFinalOutputResult(stops, results[0].output)

        @function_tool(tool_output_guardrails=[hide])
        async def tell() -> str:
            return "secret"

        session, judge = SQLiteSession("s"), Judge("secret")
        model = script([call("tell")])
        agent = agent_with(
            model, tell, tool_use_behavior=decide, output_guardrails=judge.guardrails
        )
        played = await play(agent, session=session)
        assert played.final == ("hidden" if stops else "done")
        assert (seen, judge.seen) == (["hidden", "hidden"], [played.final])
        everything = [await session.get_items(), played.result.to_input_list(), played.events]
        assert "secret" not in str(everything)
        session.close()
