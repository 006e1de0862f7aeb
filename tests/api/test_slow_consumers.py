"""A consumer that is slower than the run: what waits for it is bounded, and nothing waits for one
that left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agentgraph import Agent, ModelSettings, Runner, RunResultStreaming, function_tool
from agentgraph.exceptions import ModelTimeoutError
from agentgraph.models.interface import Model
from agentgraph.models.response_events import response_events
from agentgraph.running.event_queue import MOST_PENDING
from agentgraph.testing import ScriptedModel, assistant_message
from agentgraph.usage import Usage
from tests.api.calls import call, echo, script

WORDS = 5 * MOST_PENDING
LONG = " ".join(str(number) for number in range(WORDS))


class Talkative(Model):
    """A model that streams its replies without ever waiting for anything.

    Attributes:
        sent: How many events it has given.
        closed: How many of its streams were closed.
    """

    def __init__(self, *replies: list[Any]) -> None:
        self.replies = list(replies)
        self.sent = self.closed = 0

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        output = self.replies.pop(0)
        try:
            for event in response_events(
                output, usage=Usage(requests=1), response_id="r", words_per_delta=1
            ):
                self.sent += 1
                yield event
        finally:
            self.closed += 1


def talker(*before: list[Any], **options: Any) -> Agent[Any]:
    """An agent that says very much, after these replies."""
    model = Talkative(*before, [assistant_message(LONG)])
    return Agent(name="Talker", model=model, **options)


async def idle() -> None:
    """Let everything go on that can."""
    for _ in range(30):
        await asyncio.sleep(0)


def sent_by(result: RunResultStreaming) -> int:
    model = result.current_agent.model
    assert isinstance(model, Talkative)
    return model.sent


async def first_of(result: RunResultStreaming) -> Any:
    """The iterator over the events, after its first one."""
    events: Any = result.stream_events()
    await anext(events)
    await idle()
    return events


async def test_a_model_is_never_further_ahead_than_the_limit() -> None:
    result = Runner.run_streamed(talker(), "go")
    seen, most_ahead, text = 0, 0, ""
    async for event in result.stream_events():
        if seen % 500 == 0:
            await idle()
        if event.type == "raw_response_event":
            seen += 1
            if event.data.type == "response.output_text.delta":
                text += event.data.delta
        if not result.is_complete:
            most_ahead = max(most_ahead, sent_by(result) - seen)
    assert text == result.final_output == LONG
    # The limit was reached, and the event that the consumer holds comes on top of it.
    assert MOST_PENDING // 2 < most_ahead <= MOST_PENDING + 1


async def test_the_events_of_items_that_wait_are_those_of_one_turn() -> None:
    calls = [call("echo", f"c{place}", text="x") for place in range(5)]
    turns = [
        [call("echo", f"t{turn}{each.call_id}", text="x") for each in calls] for turn in range(20)
    ]
    agent = Agent(name="A", model=script(*turns), tools=[echo])
    result = Runner.run_streamed(agent, "go", max_turns=None)
    events, items, most_ahead = result.stream_events(), 0, 0
    async for event in events:
        await idle()
        items += event.type == "run_item_stream_event"
        most_ahead = max(most_ahead, len(result.new_items) - items)
    assert items == 20 * 10 + 1
    assert 5 <= most_ahead <= 10


LEAVING: dict[str, Callable[[RunResultStreaming, Any], Any]] = {
    "close": lambda result, events: events.aclose(),
    "cancel": lambda result, events: result.cancel(),
    "after_turn": lambda result, events: result.cancel(mode="after_turn"),
}


@pytest.mark.parametrize("way", LEAVING)
async def test_a_run_that_waits_for_its_consumer_ends_when_that_leaves(way: str) -> None:
    agent = talker()
    result = Runner.run_streamed(agent, "go")
    events = await first_of(result)
    assert not result.is_complete
    left = LEAVING[way](result, events)
    if left is not None:
        await left
    assert result.run_loop_task is not None
    await asyncio.wait([result.run_loop_task])
    assert result.is_complete
    assert agent.model.closed == 1  # type: ignore[union-attr]
    assert (result.final_output == LONG) is (way == "after_turn")


async def test_a_run_that_waits_for_its_consumer_ends_when_that_is_cancelled() -> None:
    agent, waiting = talker(), asyncio.Event()
    result = Runner.run_streamed(agent, "go")

    async def consume() -> None:
        async for _ in result.stream_events():
            await idle()
            waiting.set()
            await asyncio.Event().wait()

    consumer = asyncio.create_task(consume())
    await waiting.wait()
    consumer.cancel()
    assert result.run_loop_task is not None
    await asyncio.wait([consumer, result.run_loop_task])
    assert result.is_complete
    assert agent.model.closed == 1  # type: ignore[union-attr]


async def test_nothing_waits_where_nobody_consumes() -> None:
    result = Runner.run_streamed(talker(), "go")
    assert result.run_loop_task is not None
    await result.run_loop_task
    assert result.final_output == LONG
    events = [event async for event in result.stream_events()]
    assert len(events) > WORDS


async def test_a_tool_may_wait_for_the_consumer_of_its_own_run() -> None:
    heard = asyncio.Event()

    @function_tool
    async def wait_for_consumer() -> str:
        await heard.wait()
        return "heard"

    asked = [assistant_message(LONG), call("wait_for_consumer")]
    result = Runner.run_streamed(talker(asked, tools=[wait_for_consumer]), "go")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_called":
            heard.set()
    assert [item.output for item in result.new_items if item.type == "tool_call_output_item"] == [
        "heard"
    ]


async def test_each_of_several_agent_tools_waits_for_its_own_listener() -> None:
    heard: dict[str, int] = {}
    ahead: dict[str, int] = {}

    def tool_of(name: str) -> Any:
        model = Talkative([assistant_message(LONG)])

        async def listen(event: Any) -> None:
            await asyncio.sleep(0)
            heard[name] = heard.get(name, 0) + 1
            ahead[name] = max(ahead.get(name, 0), model.sent - heard[name])

        return Agent(name=name, model=model).as_tool(name, "", on_stream=listen)

    names = ["one", "two", "three"]
    calls = [call(name, name, input="q") for name in names]
    agent = Agent(name="A", model=script(calls), tools=[tool_of(name) for name in names])
    result = Runner.run_streamed(agent, "go")
    async for _ in result.stream_events():
        pass
    assert min(heard.values()) > WORDS
    assert all(MOST_PENDING // 2 < most <= MOST_PENDING + 1 for most in ahead.values())


async def test_a_listener_without_a_limit_is_not_waited_for() -> None:
    model, ahead = Talkative([assistant_message(LONG)]), list[int]()

    def listen(event: Any) -> None:
        ahead.append(model.sent)

    tool = Agent(name="B", model=model).as_tool(
        "ask", "", on_stream=listen, on_stream_max_pending_events=None
    )
    agent = Agent(name="A", model=script([call("ask", input="q")]), tools=[tool])
    await Runner.run(agent, "go")
    assert max(ahead[:10]) > WORDS


class TestTheTimeOfAModel:
    """`ModelSettings.timeout` is about the model, however slow the consumer is."""

    @pytest.fixture
    async def pass_time(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
        """Moves the clock of the loop forward, by seconds."""
        loop, passed = asyncio.get_running_loop(), [0.0]
        now = loop.time
        monkeypatch.setattr(loop, "time", lambda: now() + passed[0])

        def move(seconds: float) -> None:
            passed[0] += seconds

        return move

    async def test_does_not_pass_while_it_waits(self, pass_time: Callable[[float], None]) -> None:
        agent = talker(model_settings=ModelSettings(timeout=600))
        result = Runner.run_streamed(agent, "go")
        events = await first_of(result)
        pass_time(1000)
        await idle()
        async for _ in events:
            pass
        assert result.final_output == LONG

    async def test_passes_on_when_it_goes_on(self, pass_time: Callable[[float], None]) -> None:
        class Stuck(Talkative):
            async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                async for event in super().stream_response(*args, **kwargs):
                    if event.type == "response.completed":
                        pass_time(1000)
                        await asyncio.Event().wait()
                    yield event

        model = Stuck([assistant_message(LONG)])
        agent = Agent(name="A", model=model, model_settings=ModelSettings(timeout=600))
        result = Runner.run_streamed(agent, "go")
        events = await first_of(result)
        with pytest.raises(ModelTimeoutError):
            async for _ in events:
                pass


async def test_a_scripted_model_is_held_to_the_limit_too() -> None:
    model = ScriptedModel([[assistant_message(LONG)]], words_per_delta=1)
    result = Runner.run_streamed(Agent(name="A", model=model), "go")
    events = await first_of(result)
    for _ in range(20):
        await idle()
    assert result._events.pending <= MOST_PENDING
    assert len([event async for event in events]) > WORDS
