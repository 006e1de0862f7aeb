"""What a session keeps of an output that a guardrail blocked, or had not judged yet; and that a
conversation which the server keeps has no output guardrails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    SQLiteSession,
    UserError,
    function_tool,
    output_guardrail,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.api.calls import agent_with, call, echo
from tests.api.conftest import Play

WITHHELD = "Output withheld by an output guardrail."
KEPT_BY_SERVER: list[dict[str, Any]] = [
    {"conversation_id": "c"},
    {"previous_response_id": "r"},
    {"auto_previous_response_id": True},
]


@output_guardrail
async def trip(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, True)


@output_guardrail
async def allow(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


def talker(*replies: Any, **settings: Any) -> tuple[Agent[Any], ScriptedModel]:
    model = ScriptedModel([*(replies or ([assistant_message("hello")],))])
    return agent_with(model, echo, **settings), model


async def kept(session: SQLiteSession) -> list[Any]:
    """What was said, and what tools gave, in a session."""
    items: list[Any] = await session.get_items()
    texts = []
    for item in items:
        content = item.get("output") or item.get("content") or item.get("name")
        texts.append(content if isinstance(content, str) else content[0]["text"])
    return texts


class TestOfAConversationThatTheServerKeeps:
    @pytest.mark.parametrize("options", KEPT_BY_SERVER)
    async def test_an_output_guardrail_is_refused_before_the_model_is_asked(
        self, play: Play, options: dict[str, Any]
    ) -> None:
        for settings, more in (
            ({"output_guardrails": [allow]}, {}),
            ({}, {"run_config": RunConfig(output_guardrails=[allow])}),
        ):
            agent, model = talker(**settings)
            with pytest.raises(UserError, match="'Clerk' cannot be combined with conversation_id"):
                await play(agent, **options, **more)
            assert len(model.calls) == 0

    async def test_one_of_an_agent_that_the_run_does_not_enter_is_none(self, play: Play) -> None:
        guarded, _ = talker(output_guardrails=[allow])
        agent, _ = talker(handoffs=[guarded])
        assert (await play(agent, conversation_id="c")).final == "hello"

    async def test_one_of_an_agent_that_the_run_enters_is_refused_there(self, play: Play) -> None:
        guarded = Agent(name="B", model=ScriptedModel([]), output_guardrails=[allow])
        agent, model = talker([function_call("transfer_to_b", {}, call_id="h")], handoffs=[guarded])
        with pytest.raises(UserError, match="agent 'B' cannot be combined"):
            await play(agent, conversation_id="c")
        assert len(model.calls) == 1

    async def test_one_that_comes_in_mid_run_is_refused_in_the_next_turn(self, play: Play) -> None:
        @function_tool
        async def add() -> str:
            agent.output_guardrails.append(allow)
            return "added"

        agent, model = talker([call("add")], [assistant_message("x")])
        agent.tools = [add]
        with pytest.raises(UserError, match="cannot be combined"):
            await play(agent, conversation_id="c")
        assert len(model.calls) == 1

    async def test_a_run_inside_another_tells_its_failure_function(self, play: Play) -> None:
        inner, _ = talker(output_guardrails=[allow])
        ask = inner.as_tool("ask", "Ask.", conversation_id="c", failure_error_function=None)
        outer = agent_with(ScriptedModel([[call("ask", input="x")]]), ask)
        with pytest.raises(UserError, match="agent 'Clerk' cannot be combined"):
            await play(outer)

    async def test_one_inside_that_keeps_no_conversation_is_none(self, play: Play) -> None:
        inner, _ = talker(output_guardrails=[allow])
        replies = [[call("ask", input="x")], [assistant_message("done")]]
        outer = agent_with(ScriptedModel(replies), inner.as_tool("ask", "Ask."))
        assert (await play(outer, conversation_id="c")).final == "done"


STOPPING: dict[str, Any] = {"tool_use_behavior": "stop_on_first_tool"}


class TestOfATrip:
    async def test_after_a_tools_final_output_the_call_stays_and_the_output_does_not(
        self, play: Play
    ) -> None:
        agent, _ = talker(
            [assistant_message("hi"), call("echo", text="secret")],
            output_guardrails=[trip],
            **STOPPING,
        )
        session = SQLiteSession("s")
        with pytest.raises(OutputGuardrailTripwireTriggered):
            await play(agent, session=session)
        assert await kept(session) == ["go", "echo", WITHHELD]

    async def test_after_the_answer_of_an_error_handler_what_tools_gave_stays(
        self, play: Play
    ) -> None:
        for answer in ("late", {"final_output": "late", "include_in_history": False}):
            agent, _ = talker([call("echo", text="found")], output_guardrails=[trip])
            session, handlers = SQLiteSession("s"), {"max_turns": lambda _, it=answer: it}
            with pytest.raises(OutputGuardrailTripwireTriggered):
                await play(agent, session=session, max_turns=1, error_handlers=handlers)
            assert await kept(session) == ["go", "echo", "found"]


@pytest.mark.parametrize("how", ["task", "consumer", "immediate"])
@pytest.mark.parametrize("stops", [False, True])
class TestOfACancellation:
    """While the output is judged: nothing is lost of what is there."""

    async def test_the_message_stays(self, how: str, stops: bool) -> None:
        reached = asyncio.Event()

        @output_guardrail
        async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            reached.set()
            await asyncio.Event().wait()
            return GuardrailFunctionOutput(None, False)

        reply = [call("echo", text="found")] if stops else [assistant_message("hello")]
        agent, _ = talker(reply, output_guardrails=[judge], **(STOPPING if stops else {}))
        session = SQLiteSession("s")
        if how == "task":
            task: Any = asyncio.create_task(Runner.run(agent, "go", session=session))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            result = Runner.run_streamed(agent, "go", session=session)

            async def consume() -> None:
                [event async for event in result.stream_events()]

            task = asyncio.create_task(consume())
            await reached.wait()
            task.cancel() if how == "consumer" else result.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await kept(session) == (["go", "echo", "found"] if stops else ["go", "hello"])


async def test_a_run_that_was_cancelled_while_its_output_was_judged_goes_on_there() -> None:
    reached, judged = asyncio.Event(), list[Any]()

    @output_guardrail
    async def judge(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        judged.append(output)
        if len(judged) == 1:
            reached.set()
            await asyncio.Event().wait()
        return GuardrailFunctionOutput(None, False)

    agent, model = talker(output_guardrails=[judge])
    session = SQLiteSession("s")
    result = Runner.run_streamed(agent, "go", session=session)
    await reached.wait()
    result.cancel()
    [event async for event in result.stream_events()]
    again = await Runner.run(agent, result.to_state(), session=session)
    assert (again.final_output, judged, len(model.calls)) == ("hello", ["hello", "hello"], 1)
    assert await kept(session) == ["go", "hello"]
