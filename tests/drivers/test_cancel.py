"""Stopping a run: whichever way it is stopped, no task goes on, the session holds whole turns, and
nothing is announced any more (docs/design/behaviour.md, section 4)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunHooks,
    Runner,
    RunResultStreaming,
    SQLiteSession,
    function_tool,
)
from agentgraph.memory.transcripts.histories import legal
from agentgraph.models.interface import Model
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.leaks import nothing_is_left, running

__all__ = ["nothing_is_left"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")


class Stuck:
    """A place that a run reaches and does not leave; `left` says that it was cancelled there."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.left = False

    async def stay(self) -> None:
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left = True


def stuck_in(place: str, stuck: Stuck) -> Agent[Any]:
    """An agent whose run stops in the model, in the stream of the model, in one of two tools, in a
    guardrail, or in a tool that runs an agent."""

    async def reply(_: Any) -> Any:
        await stuck.stay()

    async def events(_: Any) -> AsyncIterator[Any]:
        await stuck.stay()
        yield None

    @function_tool
    async def wait() -> str:
        await stuck.stay()
        return "never"

    async def guard(*_: Any) -> GuardrailFunctionOutput:
        await stuck.stay()
        return GuardrailFunctionOutput(None, False)

    match place:
        case "model":
            return Agent(name="A", model=ScriptedModel([ModelStep.respond(reply)]))
        case "stream":
            return Agent(name="A", model=ScriptedModel([ModelStep.stream(events)]))
        case "one of two tools":
            model = script([call("wait"), call("echo", "c2", text="x")])
            return Agent(name="A", model=model, tools=[wait, echo])
        case "guardrail":
            return Agent(name="A", model=script(), input_guardrails=[InputGuardrail(guard)])
        case _:
            inner = Agent(name="Inner", model=ScriptedModel([ModelStep.respond(reply)]))
            tool = inner.as_tool("ask", "Ask.")
            return Agent(name="A", model=script([call("ask", input="q")]), tools=[tool])


PLACES = ["model", "one of two tools", "guardrail", "agent tool"]


@pytest.mark.parametrize("place", PLACES)
async def test_cancelling_the_task_around_a_run_cancels_what_it_does(place: str) -> None:
    stuck, session = Stuck(), SQLiteSession("s")
    task = asyncio.create_task(Runner.run(stuck_in(place, stuck), "go", session=session))
    await stuck.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stuck.left
    assert running() == set()
    assert legal(await session.get_items())


@pytest.mark.parametrize("place", PLACES)
async def test_a_deadline_around_a_run_ends_it(place: str) -> None:
    stuck = Stuck()

    async def run_with_a_deadline() -> None:
        async with asyncio.timeout(120) as deadline:
            reached = asyncio.create_task(stuck.reached.wait())
            reached.add_done_callback(lambda _: deadline.reschedule(0))
            await Runner.run(stuck_in(place, stuck), "go")

    with pytest.raises(TimeoutError):
        await run_with_a_deadline()
    assert stuck.left
    assert running() == set()


@pytest.mark.parametrize("place", [*PLACES, "stream"])
async def test_cancel_ends_a_streamed_run_at_once_and_wakes_its_consumer(place: str) -> None:
    stuck, session = Stuck(), SQLiteSession("s")
    result = Runner.run_streamed(stuck_in(place, stuck), "go", session=session)

    async def consume() -> list[str]:
        return [event.type async for event in result.stream_events()]

    consumer = asyncio.create_task(consume())
    await stuck.reached.wait()
    result.cancel()
    result.cancel()
    assert result.is_complete
    events = await consumer  # no exception reaches it
    assert events == [] or events[0] == "agent_updated_stream_event"
    assert stuck.left
    assert result.final_output is None
    assert result.run_loop_exception is None
    assert [event async for event in result.stream_events()] == []
    assert running() == set()
    assert legal(await session.get_items())


async def test_a_run_cancelled_before_it_began_does_nothing() -> None:
    model, session = script(), SQLiteSession("s")
    result = Runner.run_streamed(Agent(name="A", model=model), "go", session=session)
    result.cancel()
    assert [event async for event in result.stream_events()] == []
    assert result.is_complete
    assert model.calls == ()
    assert await session.get_items() == []
    assert result.current_agent.name == "A"
    assert result.to_input_list() == [{"role": "user", "content": "go"}]


async def test_cancelling_from_the_loop_over_the_events_ends_that_loop() -> None:
    agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo])
    result = Runner.run_streamed(agent, "go")
    seen = []
    async for event in result.stream_events():
        seen.append(event.type)
        result.cancel()
    assert seen == ["agent_updated_stream_event"]


async def test_leaving_the_loop_over_the_events_cancels_the_run() -> None:
    stuck = Stuck()
    result = Runner.run_streamed(stuck_in("one of two tools", stuck), "go")
    events = result.stream_events()
    async for event in events:
        if event.type == "run_item_stream_event":
            break
    await stuck.reached.wait()
    await events.aclose()  # type: ignore[attr-defined]  # an iterator to types, a generator really
    assert stuck.left
    assert result.is_complete
    assert running() == set()


async def stream_never_begun() -> tuple[RunResultStreaming, AsyncGenerator[Any, None], Stuck]:
    """A run that is at work in its tools, and its stream, of which no event was asked for."""
    stuck = Stuck()
    result = Runner.run_streamed(stuck_in("one of two tools", stuck), "go")
    events = result.stream_events()
    assert isinstance(events, AsyncGenerator)
    await stuck.reached.wait()
    return result, events, stuck


def assert_ended(result: RunResultStreaming, stuck: Stuck) -> None:
    assert stuck.left
    assert result.is_complete
    assert result.final_output is None
    assert running() == set()


async def test_closing_a_stream_before_its_first_event_cancels_the_run() -> None:
    result, events, stuck = await stream_never_begun()
    await events.aclose()
    assert_ended(result, stuck)
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_leaving_a_block_around_a_stream_before_its_first_event_cancels_the_run() -> None:
    result, events, stuck = await stream_never_begun()
    with pytest.raises(LookupError):
        async with aclosing(events):
            raise LookupError
    assert_ended(result, stuck)


async def test_a_consumer_cancelled_before_its_first_step_cancels_the_run() -> None:
    result, events, stuck = await stream_never_begun()
    first = asyncio.ensure_future(anext(events))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert_ended(result, stuck)


async def test_a_deadline_that_has_passed_before_the_first_event_cancels_the_run() -> None:
    result, events, stuck = await stream_never_begun()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(events), 0)
    assert_ended(result, stuck)


async def test_a_stream_dropped_with_the_consumer_that_never_began_cancels_the_run() -> None:
    async def consume(events: AsyncGenerator[Any, None]) -> None:
        async for _ in events:
            pass

    result, events, stuck = await stream_never_begun()
    consumer = asyncio.create_task(consume(events))
    del events
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    del consumer
    gc.collect()
    assert result.run_loop_task is not None
    await asyncio.wait([result.run_loop_task])
    assert stuck.left
    assert result.is_complete


async def test_closing_the_stream_of_a_run_that_is_over_changes_nothing() -> None:
    agent = Agent(name="A", model=script(answer="the end"))
    result = Runner.run_streamed(agent, "go")
    assert result.run_loop_task is not None
    await result.run_loop_task
    events = result.stream_events()
    assert isinstance(events, AsyncGenerator)
    await events.aclose()
    assert result.final_output == "the end"
    assert (await anext(result.stream_events())).type == "agent_updated_stream_event"


def test_a_stream_made_while_no_loop_runs_gives_every_event() -> None:
    async def begin() -> RunResultStreaming:
        return Runner.run_streamed(Agent(name="A", model=script(answer="the end")), "go")

    async def consume(events: AsyncIterator[Any]) -> list[str]:
        return [event.type async for event in events]

    with asyncio.Runner() as runner:
        result = runner.run(begin())
        seen = runner.run(consume(result.stream_events()))
    assert seen[0] == "agent_updated_stream_event"
    assert result.final_output == "the end"


async def test_a_streamed_run_goes_on_to_its_end_when_its_result_is_dropped() -> None:
    finished = asyncio.Event()

    @function_tool
    async def work() -> str:
        gc.collect()
        await asyncio.sleep(0)
        return "worked"

    class Hooks(RunHooks[Any]):
        async def on_agent_end(self, *_: Any) -> None:
            finished.set()

    agent = Agent(name="A", model=script([call("work")]), tools=[work])
    Runner.run_streamed(agent, "go", hooks=Hooks())
    gc.collect()
    await asyncio.wait_for(finished.wait(), 120)
    while running():
        await asyncio.wait(running())


async def test_cancelling_the_consumer_cancels_the_run_before_it_leaves() -> None:
    stuck = Stuck()
    result = Runner.run_streamed(stuck_in("agent tool", stuck), "go")

    async def consume() -> None:
        async for _ in result.stream_events():
            pass

    consumer = asyncio.create_task(consume())
    await stuck.reached.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert stuck.left
    assert result.run_loop_task is not None
    assert result.run_loop_task.done()
    assert running() == set()


async def test_a_cancelled_tool_may_clean_up_and_tells_nothing_any_more() -> None:
    stuck, cleaned = Stuck(), asyncio.Event()

    @function_tool
    async def careful() -> str:
        try:
            await stuck.stay()
        finally:
            await asyncio.sleep(0)
            cleaned.set()
        return "never"

    model = script([call("careful")])
    result = Runner.run_streamed(Agent(name="A", model=model, tools=[careful]), "go")
    await stuck.reached.wait()
    result.cancel()
    assert [event async for event in result.stream_events()] == []
    assert cleaned.is_set()


async def test_a_tool_that_swallows_its_cancellation_does_not_bring_the_run_back() -> None:
    stuck = Stuck()

    @function_tool
    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await stuck.stay()
        return "I go on"

    model = script([call("stubborn")])
    result = Runner.run_streamed(Agent(name="A", model=model, tools=[stubborn]), "go")
    await stuck.reached.wait()
    result.cancel()
    assert [event async for event in result.stream_events()] == []
    assert len(model.calls) == 1
    assert result.final_output is None


async def test_a_tool_that_swallows_the_cancellation_of_a_plain_run_does_not_save_it() -> None:
    stuck, session = Stuck(), SQLiteSession("s")

    @function_tool
    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await stuck.stay()
        return "I go on"

    model = script([call("stubborn")])
    agent = Agent(name="A", model=model, tools=[stubborn])
    task = asyncio.create_task(Runner.run(agent, "go", session=session))
    await stuck.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(model.calls) == 1
    stored = [item.get("type", "message") for item in await session.get_items()]
    assert stored == ["message", "function_call", "function_call_output"]


async def test_a_run_in_the_cleanup_of_a_cancelled_task_goes_through() -> None:
    async def cancelled() -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo])
            return await Runner.run(agent, "say goodbye")

    task = asyncio.create_task(cancelled())
    await asyncio.sleep(0)
    task.cancel()
    assert (await task).final_output is not None


async def test_after_turn_is_seen_before_the_next_turn_when_it_comes_with_a_tools_output() -> None:
    model, session = script([call("echo", text="x")]), SQLiteSession("s")
    agent = Agent(name="A", model=model, tools=[echo])
    result = Runner.run_streamed(agent, "go", session=session)
    seen = []
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            seen.append(event.name)
            if event.name == "tool_output_created":
                result.cancel(mode="after_turn")
                result.cancel(mode="after_turn")
    assert seen == ["tool_called", "tool_output_created"]
    assert len(model.calls) == 1
    assert result.is_complete
    assert result.final_output is None
    assert result.current_turn == 1
    assert result.context_wrapper.usage.requests == 1
    stored = [item.get("type", "message") for item in await session.get_items()]
    assert stored == ["message", "function_call", "function_call_output"]


async def test_after_turn_in_the_last_turn_lets_it_finish() -> None:
    result = Runner.run_streamed(Agent(name="A", model=script(answer="the end")), "go")
    async for _ in result.stream_events():
        result.cancel(mode="after_turn")
    assert result.final_output == "the end"


async def test_after_turn_before_the_first_event_makes_no_call_and_stores_nothing() -> None:
    model, session = script(), SQLiteSession("s")
    result = Runner.run_streamed(Agent(name="A", model=model), "go", session=session)
    result.cancel(mode="after_turn")
    events = [event.type async for event in result.stream_events()]
    assert events in ([], ["agent_updated_stream_event"])
    assert model.calls == ()
    assert result.final_output is None
    assert await session.get_items() == []


async def test_after_turn_saves_a_handoff_turn_and_can_be_gone_on_from() -> None:
    session = SQLiteSession("s")
    second = Agent(name="B", model=script(answer="from b"))
    handing_over = [function_call("transfer_to_b", {}, call_id="h1")]
    model = ScriptedModel([handing_over, [assistant_message("later")]])
    first = Agent(name="A", model=model, handoffs=[second])
    result = Runner.run_streamed(first, "go", session=session)
    async for event in result.stream_events():
        if event.type == "run_item_stream_event" and event.name == "handoff_output_created":
            result.cancel(mode="after_turn")
    assert result.last_agent is second
    assert second.model.calls == ()  # type: ignore[union-attr]
    stored = await session.get_items()
    assert [item.get("type") for item in stored[1:]] == ["function_call", "function_call_output"]
    again = await Runner.run(result.last_agent, "and now?", session=session)
    assert again.final_output == "from b"


async def test_after_turn_without_a_consumer_stops_too() -> None:
    model = script([call("stop")])

    @function_tool
    async def stop() -> str:
        result.cancel(mode="after_turn")
        return "stopping"

    result = Runner.run_streamed(Agent(name="A", model=model, tools=[stop]), "go")
    assert result.run_loop_task is not None
    await result.run_loop_task
    assert len(model.calls) == 1
    assert [item.type for item in result.new_items] == ["tool_call_item", "tool_call_output_item"]


async def test_a_stream_that_fails_is_closed_before_the_error_leaves() -> None:
    closed = asyncio.Event()

    class Broken(Model):
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

        async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            class Failed:
                type = "response.failed"

            try:
                yield Failed()
                yield Failed()
            finally:
                closed.set()

    result = Runner.run_streamed(Agent(name="A", model=Broken()), "go")
    with pytest.raises(Exception, match=r"response\.failed"):
        async for _ in result.stream_events():
            pass
    assert closed.is_set()
