"""Agents used as tools: runs inside a run, what they share with it and what is their own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    ModelBehaviorError,
    RunConfig,
    RunContextWrapper,
    RunHooks,
    Runner,
    SQLiteSession,
    Usage,
    UserError,
    compile,
    function_tool,
    output_guardrail,
)
from agentgraph.exceptions import MaxTurnsExceeded
from agentgraph.program import CompileError
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play


def expert(model: ScriptedModel, *tools: Any, **settings: Any) -> Agent[Any]:
    return Agent(name="Expert", model=model, tools=list(tools), **settings)


def ask(agent: Agent[Any], **settings: Any) -> Any:
    return agent.as_tool("ask", "Ask the expert.", **settings)


async def test_the_final_output_of_the_run_inside_is_the_output_of_the_call(play: Play) -> None:
    inner = script([call("echo", text="a")], answer="forty-two")
    outer = script([call("ask", input="why?")])
    played = await play(agent_with(outer, ask(expert(inner, echo))))
    assert played.kinds == ["tool_call_item", "tool_call_output_item", "message_output_item"]
    assert told(outer) == {"c1": "forty-two"}
    assert inner.calls[0].input == [{"role": "user", "content": "why?"}]


async def test_events_of_the_run_inside_are_not_those_of_the_run(play: Play) -> None:
    inner = script([call("echo", text="a")])
    played = await play(agent_with(script([call("ask", input="x")]), ask(expert(inner, echo))))
    agents = [event for event in played.events if event.type == "agent_updated_stream_event"]
    assert [event.new_agent.name for event in agents] == (["Clerk"] if play.streamed else [])


async def test_context_and_usage_are_shared(play: Play) -> None:
    @function_tool
    async def note(context: RunContextWrapper[list[str]], text: str) -> str:
        context.context.append(text)
        return "noted"

    spent = Usage(requests=1, input_tokens=5, output_tokens=2, total_tokens=7)
    inner = ScriptedModel(
        [
            ModelStep([call("note", text="inside")], usage=spent),
            ModelStep([assistant_message("done")], usage=spent),
        ]
    )
    outer = ScriptedModel(
        [
            ModelStep([call("ask", input="x")], usage=spent),
            ModelStep([assistant_message("done")], usage=spent),
        ]
    )
    notes: list[str] = []
    played = await play(agent_with(outer, ask(expert(inner, note))), context=notes)
    assert notes == ["inside"]
    usage = played.result.context_wrapper.usage
    assert (usage.requests, usage.total_tokens) == (4, 28)


async def test_agents_nest_to_any_depth(play: Play) -> None:
    depth = 12
    agent = Agent(name="Level 0", model=script(answer="bottom"))
    for level in range(1, depth):
        model = script([call("ask", f"c{level}", input=str(level))], answer=f"from {level}")
        agent = Agent(name=f"Level {level}", model=model, tools=[ask(agent)])
    played = await play(agent)
    assert played.final == f"from {depth - 1}"
    assert played.outputs == [f"from {depth - 2}"]
    assert played.result.context_wrapper.usage.requests == 2 * depth - 1


async def test_one_agent_can_be_asked_several_things_at_once(play: Play) -> None:
    both = asyncio.Event()
    asked: list[Any] = []

    async def answer(request: Any) -> Any:
        asked.append(request.input[0]["content"])
        if len(asked) == 2:
            both.set()
        await both.wait()
        return [assistant_message(f"about {request.input[0]['content']}")]

    inner = expert(ScriptedModel(answer))
    calls = [call("ask", "c1", input="one"), call("ask", "c2", input="two")]
    played = await play(agent_with(script(calls), ask(inner)))
    assert played.outputs == ["about one", "about two"]


class TestItsOutput:
    async def test_has_the_type_of_the_agents_output(self, play: Play) -> None:
        @dataclass
        class Answer:
            value: int

        inner = expert(script(answer='{"response":{"value":42}}'), output_type=Answer)
        outer = ScriptedModel([[call("ask", input="x")]])
        agent = agent_with(
            outer, ask(inner), tool_use_behavior="stop_on_first_tool", output_type=Answer
        )
        assert (await play(agent)).final == Answer(42)

    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_can_be_extracted_from_the_result(self, play: Play, asynchronous: bool) -> None:
        def extract(result: Any) -> str:
            assert result.last_agent.name == "Expert"
            return f"{len(result.new_items)} items, {result.final_output}"

        async def extract_later(result: Any) -> str:
            return extract(result)

        inner = expert(script([call("echo", text="a")]), echo)
        tool = ask(inner, custom_output_extractor=extract_later if asynchronous else extract)
        played = await play(agent_with(script([call("ask", input="x")]), tool))
        assert played.outputs == ["3 items, done"]

    @pytest.mark.parametrize(
        ("before", "expected"),
        [
            ([assistant_message("said"), call("echo", text="a")], "a"),
            ([call("echo", text="a")], "a"),
            ([assistant_message("said"), call("weigh")], "said"),
            ([assistant_message("said"), call("echo", text="")], "said"),
            ([call("weigh")], ""),
        ],
    )
    async def test_is_the_last_message_or_text_of_a_tool_when_the_end_is_silent(
        self, play: Play, before: list[Any], expected: str
    ) -> None:
        @function_tool
        async def weigh() -> dict[str, int]:
            return {"grams": 5}

        inner = expert(ScriptedModel([before, []]), echo, weigh)
        played = await play(agent_with(script([call("ask", input="x")]), ask(inner)))
        assert played.outputs == [expected]

    @pytest.mark.parametrize("streamed_inside", [False, True])
    async def test_is_what_the_output_guardrails_saw_even_if_that_is_silence(
        self, play: Play, streamed_inside: bool
    ) -> None:
        judged: list[Any] = []

        @output_guardrail
        async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            judged.append(output)
            return GuardrailFunctionOutput(None, "Buy" in str(output))

        model = ScriptedModel([[assistant_message("Buy now!"), call("echo", text="Buy!")], []])
        inner = expert(model, echo, output_guardrails=[judge])
        tool = ask(inner, on_stream=(lambda event: None) if streamed_inside else None)
        outer = script([call("ask", input="x")])
        played = await play(agent_with(outer, tool))
        assert (judged, played.outputs, told(outer)) == ([""], [""], {"c1": ""})


class TestItsInput:
    async def test_can_have_typed_parameters(self, play: Play) -> None:
        @dataclass
        class Question:
            subject: str
            urgent: bool = False

        seen: list[Any] = []

        async def answer(request: Any) -> Any:
            seen.append(request.input[0]["content"])
            return [assistant_message("done")]

        @function_tool
        async def which(context: RunContextWrapper[Any]) -> str:
            return str(context.tool_input)

        tool = ask(expert(ScriptedModel(answer)), parameters=Question)
        outer = script([call("ask", subject="tea", urgent=True)])
        await play(agent_with(outer, tool))
        assert '"subject": "tea"' in seen[0]
        assert '"urgent": true' in seen[0]

    async def test_is_seen_by_the_tools_inside(self, play: Play) -> None:
        @dataclass
        class Question:
            subject: str

        @function_tool
        async def which(context: RunContextWrapper[Any]) -> str:
            assert context.tool_input is not None
            return f"about {context.tool_input['subject']}"

        inner = script([call("which", "c9")])
        tool = ask(expert(inner, which), parameters=Question)
        await play(agent_with(script([call("ask", subject="tea")]), tool))
        assert told(inner) == {"c9": "about tea"}

    async def test_is_explained_where_somebody_described_it_and_plain_json_otherwise(
        self, play: Play
    ) -> None:
        class Plain(BaseModel):
            subject: str

        class Described(BaseModel):
            subject: str = Field(description="What it is about.")

        inputs = []
        for parameters in (Plain, Described):
            inner = script()
            tool = ask(expert(inner), parameters=parameters)
            await play(agent_with(script([call("ask", subject="tea")]), tool))
            entries: list[Any] = list(inner.calls[0].input)
            inputs.append(entries[0]["content"])
        assert inputs[0] == '{"subject": "tea"}'
        assert '"subject": "tea"' in inputs[1]
        assert "- subject (string, required): What it is about." in inputs[1]

    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_can_be_built_from_the_parameters(self, play: Play, asynchronous: bool) -> None:
        @dataclass
        class Question:
            subject: str

        def build(options: Any) -> str:
            return f"Tell me about {options['params']['subject']}."

        async def build_later(options: Any) -> str:
            return build(options)

        inner = script()
        builder = build_later if asynchronous else build
        tool = ask(expert(inner), parameters=Question, input_builder=builder)
        await play(agent_with(script([call("ask", subject="tea")]), tool))
        assert inner.calls[0].input == [{"role": "user", "content": "Tell me about tea."}]

    async def test_that_does_not_fit_is_told_to_the_model(self, play: Play) -> None:
        inner, outer = script(), script([function_call("ask", '{"input": 3}', call_id="c1")])
        await play(agent_with(outer, ask(expert(inner))))
        assert "input: must be a text" in told(outer)["c1"]
        assert inner.calls == ()


class TestItsFailure:
    async def test_is_told_to_the_model_without_its_text(self, play: Play) -> None:
        inner = ScriptedModel([ZeroDivisionError("by zero")])
        outer = script([call("ask", input="x")])
        await play(agent_with(outer, ask(expert(inner))))
        sentence = "An error occurred while running the tool. Please try again."
        assert told(outer) == {"c1": sentence}

    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_is_told_in_the_tools_own_words(self, play: Play, asynchronous: bool) -> None:
        def words(context: RunContextWrapper[Any], error: Exception) -> str:
            return f"The expert failed: {error}"

        async def words_later(context: RunContextWrapper[Any], error: Exception) -> str:
            return words(context, error)

        inner = ScriptedModel([ZeroDivisionError("by zero")])
        outer = script([call("ask", input="x")])
        handler = words_later if asynchronous else words
        await play(agent_with(outer, ask(expert(inner), failure_error_function=handler)))
        assert told(outer) == {"c1": "The expert failed: by zero"}

    async def test_ends_the_run_where_the_tool_says_so(self, play: Play) -> None:
        inner = ScriptedModel([[call("echo", f"c{turn}", text="a")] for turn in range(2)])
        tool = ask(expert(inner, echo), max_turns=2, failure_error_function=None)
        agent = agent_with(ScriptedModel([[call("ask", input="x")]]), tool)
        with pytest.raises(MaxTurnsExceeded, match=r"Max turns \(2\) exceeded") as caught:
            await play(agent)
        assert caught.value.run_data is not None
        assert caught.value.run_data.last_agent is agent

    @pytest.mark.parametrize("handler", [None, lambda context, error: None])
    async def test_of_another_kind_names_tool_and_agent(self, play: Play, handler: Any) -> None:
        inner = ScriptedModel([ZeroDivisionError("by zero")])
        tool = ask(expert(inner), failure_error_function=handler)
        agent = agent_with(ScriptedModel([[call("ask", input="x")]]), tool)
        with pytest.raises(UserError, match="tool ask of agent Clerk: by zero") as caught:
            await play(agent)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


class TestTheRunInside:
    async def test_has_its_own_turns(self, play: Play) -> None:
        inner = script(*([call("echo", f"c{turn}", text="a")] for turn in range(4)))
        agent = agent_with(script([call("ask", "a1", input="x")]), ask(expert(inner, echo)))
        played = await play(agent, max_turns=2)
        assert played.final == "done"

    async def test_inherits_the_configuration_unless_it_has_its_own(self, play: Play) -> None:
        def answers(text: str) -> ScriptedModel:
            return script(answer=text)

        outer = script([call("ask", "c1", input="x"), call("other", "c2", input="x")])
        first, second = Agent(name="First"), Agent(name="Second")
        agent = Agent(
            name="Clerk",
            tools=[
                first.as_tool("ask", "Ask.", run_config=RunConfig(model=answers("its own"))),
                second.as_tool("other", "Ask another.", run_config={"model": answers("given")}),
            ],
        )
        played = await play(agent, run_config=RunConfig(model=outer))
        assert played.outputs == ["its own", "given"]

        shared = script(answer="inherited")
        inherits = Agent(name="Clerk", model=None, tools=[ask(Agent(name="Expert"))])
        model = ScriptedModel(
            [[call("ask", input="x")], [assistant_message("inside")], [assistant_message("out")]]
        )
        played = await play(inherits, run_config=RunConfig(model=model))
        assert played.outputs == ["inside"]
        assert shared.calls == ()

    async def test_has_its_own_hooks(self, play: Play) -> None:
        class Hooks(RunHooks[Any]):
            def __init__(self) -> None:
                self.heard: list[str] = []

            async def on_agent_start(self, context: Any, agent: Any) -> None:
                self.heard.append(f"start {agent.name}")

            async def on_tool_end(
                self, context: Any, agent: Any, tool: Any, result: object
            ) -> None:
                self.heard.append(f"{tool.name} {result}")

        outside, inside = Hooks(), Hooks()
        inner = script([call("echo", text="a")], answer="inner")
        tool = ask(expert(inner, echo), hooks=inside)
        await play(agent_with(script([call("ask", input="x")]), tool), hooks=outside)
        assert outside.heard == ["start Clerk", "ask inner"]
        assert inside.heard == ["start Expert", "echo a"]

    async def test_remembers_in_its_own_session(self, play: Play) -> None:
        session = SQLiteSession("inner")
        inner = ScriptedModel([[assistant_message("first")], [assistant_message("second")]])
        outer = script([call("ask", "c1", input="one")], [call("ask", "c2", input="two")])
        await play(agent_with(outer, ask(expert(inner), session=session)))
        contents = [item.get("content") for item in await session.get_items()]
        assert contents[0] == "one"
        assert contents[2] == "two"
        assert len(inner.calls[1].input) == 3
        session.close()

    async def test_hands_off_inside(self, play: Play) -> None:
        specialist = Agent(name="Specialist", model=script(answer="special"))
        inner = expert(script([call("transfer_to_specialist", "h1")]), handoffs=[specialist])
        played = await play(agent_with(script([call("ask", input="x")]), ask(inner)))
        assert played.outputs == ["special"]
        assert played.result.last_agent.name == "Clerk"


class TestOnStream:
    @pytest.mark.parametrize("asynchronous", [False, True])
    async def test_hears_of_everything_inside_in_order(
        self, play: Play, asynchronous: bool
    ) -> None:
        heard: list[str] = []

        def listen(told: Any) -> None:
            event = told["event"]
            name = getattr(event, "name", event.type)
            if event.type != "raw_response_event":
                heard.append(f"{told['agent'].name} {told['tool_call'].call_id} {name}")

        async def listen_later(event: Any) -> None:
            await asyncio.sleep(0)
            listen(event)

        inner = script([call("echo", "c9", text="a")])
        tool = ask(expert(inner, echo), on_stream=listen_later if asynchronous else listen)
        played = await play(agent_with(script([call("ask", input="x")]), tool))
        assert heard == [
            "Expert c1 agent_updated_stream_event",
            "Expert c1 tool_called",
            "Expert c1 tool_output",
            "Expert c1 message_output_created",
        ]
        assert inner.calls[0].streamed
        assert played.outputs == ["done"]

    async def test_that_is_slow_slows_the_model_down(self, play: Play) -> None:
        sent: list[int] = []
        seen: list[int] = []
        most_ahead = 0

        class Talkative(ScriptedModel):
            async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
                nonlocal most_ahead
                async for event in super().stream_response(*args, **kwargs):
                    sent.append(1)
                    most_ahead = max(most_ahead, len(sent) - len(seen))
                    yield event

        async def listen(event: Any) -> None:
            await asyncio.sleep(0)
            if event["event"].type == "raw_response_event":
                seen.append(1)

        inner = Talkative([[assistant_message(f"{n}", item_id=f"m{n}") for n in range(20)]])
        tool = ask(
            Agent(name="Expert", model=inner), on_stream=listen, on_stream_max_pending_events=3
        )
        played = await play(agent_with(script([call("ask", input="x")]), tool))
        assert played.outputs == ["19"]
        assert len(seen) == len(sent) > 40
        assert most_ahead <= 4

    @pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
    async def test_that_fails_does_not_lose_the_work(
        self, play: Play, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
    ) -> None:
        def listen(event: Any) -> None:
            raise kind("secret")

        played = await play(
            agent_with(script([call("ask", input="x")]), ask(expert(script()), on_stream=listen))
        )
        assert played.outputs == ["done"]
        assert "on_stream of agent tool 'ask'" in caplog.text
        assert "secret" not in caplog.text


async def test_cancelling_the_run_cancels_the_runs_inside() -> None:
    started = asyncio.Event()
    wound_up: list[str] = []

    @function_tool
    async def hang() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            wound_up.append("hang")
        return ""

    inner = expert(ScriptedModel([[call("hang", "c9")]]), hang)
    asks = ScriptedModel([[call("ask", "c8", input="x")]])
    middle = Agent(name="Middle", model=asks, tools=[ask(inner)])
    calls = [call("ask", input="x"), call("echo", "c2", text="a")]
    outer = agent_with(ScriptedModel([calls]), ask(middle), echo)
    before = asyncio.all_tasks()
    task = asyncio.create_task(Runner.run(outer, "go"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert wound_up == ["hang"]
    assert asyncio.all_tasks() == before


async def test_a_disabled_agent_tool_is_not_offered(play: Play) -> None:
    model = ScriptedModel([[call("ask", input="x")]])
    agent = agent_with(model, ask(expert(script()), is_enabled=lambda context, agent: False))
    with pytest.raises(ModelBehaviorError, match="Tool ask not found"):
        await play(agent)


def test_an_agent_that_always_asks_itself_is_an_error_of_the_compiler() -> None:
    agent: Agent[Any] = Agent(name="Clerk", tool_use_behavior="run_llm_again")
    agent.tools.append(ask(agent))
    diagnostics = _diagnostics(agent)
    assert any("agent-tool-recursion" in text for text in diagnostics)


def _diagnostics(agent: Agent[Any]) -> list[str]:
    try:
        return [diagnostic.rule.name for diagnostic in compile(agent).diagnostics]
    except CompileError as error:
        return [diagnostic.rule.name for diagnostic in error.diagnostics]


def test_an_agent_tool_is_drawn_once_with_an_arrow_from_its_user() -> None:
    inner = expert(script(), echo)
    program = compile(agent_with(script(), ask(inner)))
    drawing = program.draw(None, level="agents")
    assert "agent_clerk -> agent_expert_expert" in drawing
    assert drawing.count("<b>Expert</b>") == 1
    assert "expert" in program.machine.submachine
