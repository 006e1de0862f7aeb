"""Laws of parallel calls: whatever finishes first, items come in call order and the run's result is
the same; and calls leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentgraph import Agent, RunConfig, Runner, ToolExecutionConfig, function_tool
from agentgraph.exceptions import UserError
from agentgraph.items import ModelResponse
from agentgraph.models.interface import Model
from agentgraph.testing import assistant_message, function_call
from agentgraph.usage import Usage
from tests.api.calls import agent_with, call, script, told
from tests.api.conftest import Play


class Conductor:
    """Tools that finish in the order in which they are let go.

    Args:
        order: Numbers of the calls, the first to finish first.
        failing: Numbers of the calls that fail, and what the model is told of it.
    """

    def __init__(self, order: list[int], failing: frozenset[int] = frozenset()) -> None:
        self.order, self.failing = order, failing
        self.begun: set[int] = set()
        self.finished: list[int] = []
        self.changed = asyncio.Condition()

    async def play(self, number: int) -> str:
        async with self.changed:
            self.begun.add(number)
            self.changed.notify_all()
            await self.changed.wait_for(lambda: self._next() == number)
            self.finished.append(number)
            self.changed.notify_all()
        if number in self.failing:
            raise ZeroDivisionError(f"note {number}")
        return f"note {number}"

    def _next(self) -> int | None:
        if len(self.begun) < len(self.order):
            return None
        return self.order[len(self.finished)]


async def _story(streamed: bool, order: list[int], failing: frozenset[int]) -> tuple[Any, ...]:
    conductor = Conductor(order, failing)
    model = script([call("play", f"c{number}", number=number) for number in range(len(order))])
    played = await Play(streamed)(agent_with(model, function_tool(conductor.play)))
    assert conductor.finished == order
    named = [getattr(event, "name", event.type) for event in played.events]
    items = [(item.type, getattr(item, "call_id", None)) for item in played.items]
    return items, played.outputs, told(model), played.final, named


@given(
    order=st.integers(2, 6).flatmap(lambda count: st.permutations(range(count))),
    failing=st.frozensets(st.integers(0, 5), max_size=3),
    streamed=st.booleans(),
)
async def test_the_result_does_not_depend_on_which_call_finishes_first(
    order: list[int], failing: frozenset[int], streamed: bool
) -> None:
    story = await _story(streamed, order, failing)
    assert story == await _story(streamed, sorted(order), failing)
    items = story[0]
    count = len(order)
    assert items == [
        *(("tool_call_item", f"c{number}") for number in range(count)),
        *(("tool_call_output_item", f"c{number}") for number in range(count)),
        ("message_output_item", None),
    ]


@given(
    order=st.integers(2, 5).flatmap(lambda count: st.permutations(range(count))),
    fails=st.integers(0, 4),
    streamed=st.booleans(),
)
async def test_when_a_call_ends_the_run_all_that_finished_before_is_kept(
    order: list[int], fails: int, streamed: bool
) -> None:
    failing = fails % len(order)
    conductor = Conductor(order)
    cancelled: list[int] = []

    async def play(number: int) -> str:
        try:
            note = await conductor.play(number)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        if number == failing:
            raise ZeroDivisionError("wrong note")
        return note

    model = script([call("play", f"c{number}", number=number) for number in range(len(order))])
    agent = agent_with(model, function_tool(play, failure_error_function=None))
    with pytest.raises(UserError, match="tool play of agent Clerk: wrong note") as caught:
        await Play(streamed)(agent)
    data = caught.value.run_data
    assert data is not None
    kept = [item.output for item in data.new_items if item.type == "tool_call_output_item"]
    before = set(order[: order.index(failing)])
    assert {f"note {number}" for number in before} <= set(kept)
    assert kept == sorted(kept)
    # Every call either finished or was cancelled and waited for.
    assert set(conductor.finished) | set(cancelled) == set(range(len(order)))


@given(limit=st.integers(1, 5), count=st.integers(1, 8))
async def test_a_limit_of_calls_at_a_time_changes_nothing_else(limit: int, count: int) -> None:
    running = most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    model = script([call("work", f"c{number}", number=number) for number in range(count)])
    config = RunConfig(tool_execution=ToolExecutionConfig(max_function_tool_concurrency=limit))
    played = await Play(False)(agent_with(model, function_tool(work)), run_config=config)
    assert played.outputs == list(range(count))
    assert most == min(limit, count)


class ManyCalls(Model):
    """A model that asks for many calls at once and then answers; it keeps nothing."""

    def __init__(self, count: int) -> None:
        self.calls = [function_call("touch", {}, call_id=f"c{number}") for number in range(count)]
        self.asked = False

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.asked = not self.asked
        output: list[Any] = list(self.calls) if self.asked else [assistant_message("done")]
        return ModelResponse(output=output, usage=Usage(requests=1), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


@pytest.mark.slow
async def test_a_hundred_thousand_calls_leave_nothing_behind() -> None:
    made = 0

    @function_tool
    async def touch() -> str:
        nonlocal made
        made += 1
        return "touched"

    agent: Agent[Any] = Agent(name="Clerk", model=ManyCalls(1_000), tools=[touch])

    async def objects_after(runs: int) -> int:
        for _ in range(runs):
            result = await Runner.run(agent, "go")
            assert result.final_output == "done"
        del result
        gc.collect()
        return len(gc.get_objects())

    before = await objects_after(3)
    after = await objects_after(97)
    assert made == 100_000
    # What the test machinery itself holds may differ a little; a call left behind would count
    # tens of thousands of times.
    assert after - before < 200
    assert len(asyncio.all_tasks()) == 1
