"""Streamed runs: what third parties' streams may look like, and how failures in them are told
(docs/design/behaviour.md, section 3). The grammar of docs/streaming.md, tested beside it, gives the
order of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph import Agent, ModelBehaviorError, Runner
from agentgraph.models.interface import Model
from agentgraph.models.response_events import response_events
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.usage import Usage
from tests.api.calls import call, echo, script


class Streaming(Model):
    """A third party's model that only streams: the events of each call, in order."""

    def __init__(self, *calls: list[Any]) -> None:
        self.calls = list(calls)

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for event in self.calls.pop(0):
            yield event


def events_of(*output: Any) -> list[Any]:
    """The events that deliver a response."""
    usage = Usage(requests=1, input_tokens=3, output_tokens=4, total_tokens=7)
    return list(response_events(list(output), usage=usage, response_id="r1", words_per_delta=1))


def ended(kind: str, *, error: Any = None, details: Any = None) -> Any:
    """An event that ends a response without completing it."""
    return SimpleNamespace(
        type=kind, response=SimpleNamespace(error=error, incomplete_details=details)
    )


async def drained(agent: Agent[Any], **options: Any) -> tuple[Any, list[Any]]:
    result = Runner.run_streamed(agent, "go", **options)
    return result, [event async for event in result.stream_events()]


async def test_a_model_that_only_streams_works_streamed() -> None:
    model = Streaming(
        events_of(call("echo", text="x")), events_of(assistant_message("one two three"))
    )
    result, events = await drained(Agent(name="A", model=model, tools=[echo]))
    assert result.final_output == "one two three"
    assert result.context_wrapper.usage.total_tokens == 14
    assert result.last_response_id == "r1"
    deltas = [
        event.data.delta
        for event in events
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert "".join(deltas) == "one two three"


async def test_items_told_one_by_one_stand_in_for_an_empty_terminal_response() -> None:
    events = events_of(assistant_message("kept"))
    events[-1].response.output = []
    result, _ = await drained(Agent(name="A", model=Streaming(events)))
    assert result.final_output == "kept"


@pytest.mark.parametrize("cut", [0, 1, 3])
async def test_a_stream_that_ends_early_is_no_response(cut: int) -> None:
    model = Streaming(events_of(assistant_message("never"))[:cut])
    with pytest.raises(ModelBehaviorError, match="did not produce a final response") as caught:
        await drained(Agent(name="A", model=model))
    assert caught.value.run_data is not None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (ended("response.failed", error=SimpleNamespace(message="quota", code="x")), "quota"),
        (ended("response.incomplete", details=SimpleNamespace(reason="too long")), "too long"),
        (ended("response.incomplete"), "'response.incomplete'"),
        (SimpleNamespace(type="response.failed", response=None), "'response.failed'"),
        (SimpleNamespace(type="error", message="overloaded", code=None), "overloaded"),
    ],
)
async def test_a_response_that_failed_says_why_and_has_the_run_on_it(
    event: Any, reason: str
) -> None:
    agent = Agent(name="A", model=Streaming([event]))
    with pytest.raises(ModelBehaviorError, match=reason) as caught:
        await drained(agent)
    assert caught.value.run_data is not None
    assert caught.value.run_data.last_agent is agent


async def test_raw_events_come_as_the_model_sends_them_and_not_at_the_end() -> None:
    """The model goes on only when the consumer has seen what it said so far."""
    seen = asyncio.Event()

    class Waiting(Streaming):
        async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            for event in events_of(assistant_message("one two")):
                seen.clear()
                yield event
                await seen.wait()

    result = Runner.run_streamed(Agent(name="A", model=Waiting()), "go")
    async with asyncio.timeout(120):
        async for event in result.stream_events():
            if event.type == "raw_response_event":
                seen.set()
    assert result.final_output == "one two"


async def test_the_new_agent_is_told_after_the_handoff_and_before_it_says_anything() -> None:
    second = Agent(name="B", model=script(answer="from b"))
    model = ScriptedModel([[function_call("transfer_to_b", {}, call_id="h1")]])
    _, events = await drained(Agent(name="A", model=model, handoffs=[second]))
    names = [
        getattr(event, "name", None) or event.type
        for event in events
        if event.type != "raw_response_event"
    ]
    assert names == [
        "agent_updated_stream_event",
        "handoff_called",
        "handoff_output_created",
        "agent_updated_stream_event",
        "message_output_created",
    ]
    position = max(
        place for place, event in enumerate(events) if event.type == "agent_updated_stream_event"
    )
    assert events[position + 1].type == "raw_response_event"


async def test_a_slow_reader_sees_every_event_in_order() -> None:
    agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo])
    _, fast = await drained(agent)
    agent.model = script([call("echo", text="x")])
    again = Runner.run_streamed(agent, "go")
    slow = []
    async for event in again.stream_events():
        for _ in range(3):
            await asyncio.sleep(0)
        slow.append(event)
    assert [event.type for event in slow] == [event.type for event in fast]


async def test_a_tripped_guardrail_takes_back_what_the_model_said_meanwhile() -> None:
    from agentgraph import (
        GuardrailFunctionOutput,
        InputGuardrail,
        InputGuardrailTripwireTriggered,
    )

    async def trip(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, True)

    agent = Agent(name="A", model=script(), input_guardrails=[InputGuardrail(trip)])
    result = Runner.run_streamed(agent, "go")
    assert result.run_loop_task is not None
    await result.run_loop_task
    seen: list[str] = []

    async def read() -> None:
        nonlocal seen
        async for event in result.stream_events():
            seen += [event.type]

    with pytest.raises(InputGuardrailTripwireTriggered):
        await read()
    assert seen == ["agent_updated_stream_event"]


FOREIGN: list[Any] = [
    {"type": "response.output_text.delta", "delta": "he"},
    {"type": "response.output_item.done", "item": {}, "output_index": 0},
    {"type": "response.completed", "response": {}},
    {"type": "response.failed", "response": {"status": "failed"}},
    {"type": "error", "message": "down"},
    {"progress": 1},
    "text",
    None,
    SimpleNamespace(progress=1),
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=repr)
async def test_what_is_no_event_of_the_client_is_handed_on_and_nothing_is_made_of_it(
    foreign: Any,
) -> None:
    first = [foreign, *events_of(call("echo", text="x")), foreign]
    model = Streaming(first, [foreign, *events_of(assistant_message("done"))])
    result, events = await drained(Agent(name="A", model=model, tools=[echo]))
    assert result.final_output == "done"
    raw = [event.data for event in events if event.type == "raw_response_event"]
    assert sum(event is foreign for event in raw) == 3


@pytest.mark.parametrize("foreign", FOREIGN, ids=repr)
async def test_a_stream_of_nothing_else_has_no_reply(foreign: Any) -> None:
    with pytest.raises(ModelBehaviorError, match="did not produce a final response"):
        await drained(Agent(name="A", model=Streaming([foreign])))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SimpleNamespace(type="error"), "broke off with an error: None"),
        (SimpleNamespace(type="response.failed", response={"error": {"message": "m"}}), "m"),
        (SimpleNamespace(type="response.incomplete", response={}), "'response.incomplete'"),
    ],
)
async def test_an_event_of_failure_may_leave_anything_out(event: Any, message: str) -> None:
    with pytest.raises(ModelBehaviorError, match=message):
        await drained(Agent(name="A", model=Streaming([event])))
