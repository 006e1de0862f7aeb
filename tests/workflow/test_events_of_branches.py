"""The stream events of branches: one branch at a time, whatever the timing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentgraph import Agent, Runner, Workflow, first_of, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.workflow.flows import agent


class Slow(ScriptedModel):
    """A model that waits before each event of its stream."""

    def __init__(self, turns: list[Any], delay: float) -> None:
        super().__init__(turns)
        self.delay = delay

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async for event in super().stream_response(*args, **kwargs):
            await asyncio.sleep(self.delay)
            yield event


def slow(name: str, delay: float, *turns: Any, **fields: Any) -> Agent[Any]:
    return Agent(name=name, model=Slow(list(turns) or [[assistant_message(name)]], delay), **fields)


def board(*branches: Any, **options: Any) -> Workflow:
    draft, after = agent("Draft", "a draft"), agent("After", "done")
    flow = Workflow("Board", start=draft)
    step = flow.parallel("board", list(branches), **options)
    flow.then(draft, step)
    flow.then(step, after)
    return flow


async def streamed(flow: Workflow) -> tuple[Any, list[Any]]:
    result = Runner.run_streamed(flow, "hi")
    return result, [event async for event in result.stream_events()]


def blocks(events: list[Any]) -> list[str | None]:
    """The branches of events in their order, each as often as it begins anew."""
    return [step for step, _ in groupby(event.step for event in events)]


async def test_events_carry_their_branch_and_come_one_branch_at_a_time() -> None:
    result, events = await streamed(board(slow("One", 0.004), slow("Two", 0), slow("Three", 0.001)))
    assert blocks(events) == [None, "One", None, "Two", None, "Three", None]
    kinds = {event.type for event in events if event.step == "Two"}
    assert kinds == {
        "agent_updated_stream_event",
        "raw_response_event",
        "run_item_stream_event",
    }
    shown = [one.item for one in events if one.type == "run_item_stream_event" and one.step is None]
    assert shown == result.new_items
    assert [item.agent.name for item in shown] == ["Draft", "One", "Two", "Three", "After"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.003]), min_size=1, max_size=4))
async def test_results_and_events_do_not_depend_on_timing(delays: list[float]) -> None:
    names = [f"B{number}" for number in range(len(delays))]
    flow = board(*(slow(name, delay) for name, delay in zip(names, delays, strict=True)))
    result, events = await streamed(flow)
    assert [item.agent.name for item in result.new_items] == ["Draft", *names, "After"]
    assert blocks(events) == [None, *(step for name in names for step in (name, None))]


async def test_interleaved_events_come_as_they_happen() -> None:
    flow = board(slow("One", 0.003), slow("Two", 0.003), interleaved=True)
    _, events = await streamed(flow)
    assert len(blocks(events)) > 5


async def test_of_a_race_the_events_of_the_winner_come_before_its_output() -> None:
    flow = board(slow("One", 60), slow("Two", 0), join=first_of())
    result, events = await asyncio.wait_for(streamed(flow), 10)
    assert blocks(events) == [None, "One", "Two", None]
    assert [item.agent.name for item in result.new_items] == ["Draft", "Two", "After"]


async def test_a_branch_with_too_many_events_waits_for_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agentgraph.drivers.branch_events.MOST_WAITING", 2)
    _, events = await streamed(board(slow("One", 0.002), slow("Two", 0), slow("Three", 0)))
    assert blocks(events) == [None, "One", None, "Two", None, "Three", None]


async def test_events_of_a_workflow_inside_carry_the_branch_in_which_they_happen() -> None:
    inner = Workflow("Inner", start=(plan := slow("Plan", 0)))
    inner.then(plan, inner.parallel("both", [slow("X", 0.002), slow("Y", 0)]))
    _, events = await streamed(board(inner, slow("Last", 0)))
    assert blocks(events) == [None, "Inner", "X", "Inner", "Y", "Inner", None, "Last", None]


async def test_a_branch_that_waits_for_a_decision_gives_its_turn_away() -> None:
    @function_tool(needs_approval=True)
    def pay() -> str:
        return "paid"

    call = [function_call("pay", {}, call_id="c")]
    clerk = slow("Clerk", 0.002, call, [assistant_message("ok")], tools=[pay])
    flow = board(clerk, slow("Two", 0))
    result, events = await streamed(flow)
    assert blocks(events) == [None, "Clerk", "Two", None]
    state = result.to_state()
    state.approve(result.interruptions[0])
    again = Runner.run_streamed(flow, state)
    assert blocks([event async for event in again.stream_events()]) == ["Clerk", None]
    assert [item.agent.name for item in again.new_items if item.type == "message_output_item"] == [
        "Draft",
        "Clerk",
        "Two",
        "After",
    ]
