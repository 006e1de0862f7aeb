"""`to_input_list()` of every end of a run is legal input, and keeps what was done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from openai.types.responses import ResponseReasoningItem

from agentgraph import Agent, RunConfig, Runner, function_tool
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import call, echo, script
from tests.api.conftest import Play


def kinds(items: list[Any]) -> list[str]:
    return [item.get("type") or item["role"] for item in items]


def reasoning(item_id: str = "rs_1") -> Any:
    return ResponseReasoningItem(id=item_id, summary=[], type="reasoning")


@function_tool
async def slow() -> str:
    """Never come back."""
    await asyncio.Event().wait()
    return "never"


@function_tool(failure_error_function=None)
async def fail() -> str:
    """Raise."""
    raise LookupError("down")


@function_tool(needs_approval=True)
async def ask() -> str:
    """Wait for a person."""
    return "allowed"


async def cancelled(agent: Agent[Any]) -> Any:
    """Cancel a run once an output was announced, or at its first call where there is none."""
    return await _left(agent, lambda result: result.cancel())


async def broken_off(agent: Agent[Any]) -> Any:
    """Leave the stream in the same place."""
    return await _left(agent, lambda result: None)


async def _left(agent: Agent[Any], leave: Callable[[Any], None]) -> Any:
    result = Runner.run_streamed(agent, "q")
    expected = "tool_output_created" if echo in agent.tools else "tool_called"
    async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
        async for event in events:
            if event.type == "run_item_stream_event" and event.name == expected:
                leave(result)
                break
    return result


async def caller_cancelled(agent: Agent[Any]) -> Any:
    """Cancel the task that reads the stream."""
    result, reached = Runner.run_streamed(agent, "q"), asyncio.Event()
    expected = "tool_output_created" if echo in agent.tools else "tool_called"

    async def read() -> None:
        async for event in result.stream_events():
            if event.type == "run_item_stream_event" and event.name == expected:
                reached.set()

    task = asyncio.create_task(read())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return result


async def failed(agent: Agent[Any]) -> Any:
    """Let a sibling raise."""
    result = Runner.run_streamed(agent, "q")
    with pytest.raises(Exception, match="down"):
        [event async for event in result.stream_events()]
    return result


LEAVING = [cancelled, broken_off, caller_cancelled]
ENDS = [*((way, "slow") for way in LEAVING), (failed, "fail")]


@pytest.mark.parametrize(("end", "sibling"), ENDS, ids=lambda it: getattr(it, "__name__", it))
class TestARunThatEndedInsideATurn:
    async def test_leaves_out_a_call_without_output(self, end: Any, sibling: str) -> None:
        agent = Agent(name="A", model=script([call(sibling)]), tools=[slow, fail])
        result = await end(agent)
        assert kinds(result.to_input_list()) == ["user"]
        assert kinds(result.to_input_list(mode="normalized")) == ["user"]
        # The record is whole.
        assert [item.type for item in result.new_items] == ["tool_call_item"]

    async def test_keeps_the_siblings_that_finished(self, end: Any, sibling: str) -> None:
        reply = [call("echo", "c1", text="x"), call(sibling, "c2")]
        agent = Agent(name="A", model=script(reply), tools=[echo, slow, fail])
        result = await end(agent)
        for mode in ("preserve_all", "normalized"):
            items: list[Any] = result.to_input_list(mode=mode)
            assert legal(items)
            assert [(item.get("type"), item.get("call_id")) for item in items[1:]] == [
                ("function_call", "c1"),
                ("function_call_output", "c1"),
            ]

    async def test_keeps_the_turns_before(self, end: Any, sibling: str) -> None:
        @function_tool
        async def note() -> str:
            return "noted"

        replies = [[call("note", "c1")], [call(sibling, "c2")]]
        agent = Agent(name="A", model=script(*replies), tools=[note, slow, fail])
        result = Runner.run_streamed(agent, "q")
        if end is failed:
            with pytest.raises(Exception, match="down"):
                [event async for event in result.stream_events()]
        else:
            async with aclosing(result.stream_events()) as events:  # type: ignore[type-var]
                async for event in events:
                    if getattr(getattr(event, "item", None), "call_id", None) == "c2":
                        break
        assert kinds(result.to_input_list()) == ["user", "function_call", "function_call_output"]

    async def test_can_be_the_input_of_the_next(self, end: Any, sibling: str) -> None:
        reply = [reasoning(), call("echo", "c1", text="x"), reasoning("rs_2"), call(sibling, "c2")]
        agent = Agent(name="A", model=script(reply), tools=[echo, slow, fail])
        result = await end(agent)
        model = script()
        items = [*result.to_input_list(), {"role": "user", "content": "and now?"}]
        played = await Runner.run(Agent(name="A", model=model), items)
        assert played.final_output == "done"
        assert legal(list(model.calls[0].input))
        assert kinds(list(model.calls[0].input))[-1] == "user"


async def test_a_waiting_run_keeps_what_was_answered_and_leaves_out_what_waits(play: Play) -> None:
    reply = [call("echo", "c1", text="x"), call("ask", "c2")]
    agent = Agent(name="A", model=script(reply), tools=[echo, ask])
    waiting = await play(agent)
    items: list[Any] = waiting.result.to_input_list()
    assert [(item.get("type"), item.get("call_id")) for item in items[1:]] == [
        ("function_call", "c1"),
        ("function_call_output", "c1"),
    ]
    state = waiting.result.to_state()
    state.approve(state.get_interruptions()[0])
    played = await play(agent, state)
    calls = ["function_call", "function_call", "function_call_output", "function_call_output"]
    assert sorted(kinds(played.result.to_input_list())[1:-1]) == calls
    assert legal(played.result.to_input_list())


@pytest.mark.parametrize("policy", ["omit", "preserve", None])
@pytest.mark.parametrize("mode", ["preserve_all", "normalized"])
async def test_ids_of_reasoning_are_kept_as_the_policy_says(
    play: Play, policy: Any, mode: Any
) -> None:
    reply = [reasoning(), call("echo", text="x")]
    agent = Agent(
        name="A",
        model=ScriptedModel([reply, [reasoning("rs_2"), assistant_message("done")]]),
        tools=[echo],
    )
    played = await play(agent, run_config=RunConfig(reasoning_item_id_policy=policy))
    items: list[Any] = played.result.to_input_list(mode=mode)
    ids = [item.get("id") for item in items if item.get("type") == "reasoning"]
    assert ids == ([None, None] if policy == "omit" else ["rs_1", "rs_2"])
    assert legal(items)


@pytest.mark.parametrize("ends", ["finished", "waiting"])
async def test_a_nested_history_holds_no_message_twice(play: Play, ends: str) -> None:
    said = [assistant_message("to b it is", item_id="m1"), call("transfer_to_b", "h1")]
    late = [assistant_message("to c, then", item_id="m2"), call("transfer_to_c", "h2")]
    last = [assistant_message("from c", item_id="m3")]
    if ends == "waiting":
        last = [assistant_message("asking", item_id="m3"), call("ask", "k1")]
    third = Agent(name="C", model=ScriptedModel([last]), tools=[ask])
    second = Agent(name="B", model=ScriptedModel([late]), handoffs=[third])
    first = Agent(name="A", model=ScriptedModel([said]), handoffs=[second])
    config = RunConfig(nest_handoff_history=True)
    played = await play(first, "the question", run_config=config)
    for mode in ("preserve_all", "normalized"):
        items: list[Any] = played.result.to_input_list(mode=mode)
        assert legal(items)
        said = [_text(item) for item in items if item.get("type", "message") == "message"]
        # What is told in a summary is no message of its own any more.
        expected = {"to b it is": mode == "preserve_all", "to c, then": True, "from c": True}
        if ends == "waiting":
            expected["from c"] = False
        assert {words: said.count(words) for words in expected} == expected
        assert str(items).count("the question") == 1


def _text(item: Any) -> str:
    content = item["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


async def test_a_message_said_twice_stands_there_twice(play: Play) -> None:
    again = [assistant_message("same", item_id="m1"), call("echo", "c1", text="x")]
    end = [assistant_message("same", item_id="m2")]
    agent = Agent(name="A", model=ScriptedModel([again, end]), tools=[echo])
    played = await play(agent, [{"role": "assistant", "content": "same"}, "q"])
    assert str(played.result.to_input_list()).count("same") == 3
