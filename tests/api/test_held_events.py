"""`stream_events(hold_until_cleared=True)`: the barrier of input guardrails, for the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentgraph import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Runner,
    input_guardrail,
)
from agentgraph.models.interface import Model
from agentgraph.models.response_events import response_events
from agentgraph.testing import assistant_message


class Slow(Model):
    """A model that lets a guardrail end after its third event, and goes on when it did."""

    def __init__(self) -> None:
        self.spoke = asyncio.Event()
        self.judged = asyncio.Event()

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        events = list(response_events([assistant_message("one two three four")]))
        for event in events[:3]:
            yield event
        self.spoke.set()
        await self.judged.wait()
        for event in events[3:]:
            yield event


async def consumed(*, trips: bool, hold: bool) -> tuple[list[str], list[str], bool]:
    """Return the events before and after the guardrail ended, and whether it tripped."""
    model = Slow()

    @input_guardrail
    async def late(context: Any, agent: Any, message: Any) -> GuardrailFunctionOutput:
        await model.spoke.wait()
        model.judged.set()
        return GuardrailFunctionOutput(None, tripwire_triggered=trips)

    agent = Agent(name="A", model=model, input_guardrails=[late])
    result = Runner.run_streamed(agent, "go")
    before: list[str] = []
    after: list[str] = []
    try:
        async for event in result.stream_events(hold_until_cleared=hold):
            (after if model.judged.is_set() else before).append(event.type)
    except InputGuardrailTripwireTriggered:
        return before, after, True
    return before, after, False


async def test_without_the_option_words_come_before_the_verdict() -> None:
    before, _, tripped = await consumed(trips=True, hold=False)

    assert tripped
    assert "raw_response_event" in before


async def test_a_reply_that_a_guardrail_stops_is_never_shown() -> None:
    before, after, tripped = await consumed(trips=True, hold=True)

    assert tripped
    assert "raw_response_event" not in [*before, *after]


async def test_a_cleared_reply_is_shown_whole_and_in_order() -> None:
    held_before, held_after, _ = await consumed(trips=False, hold=True)
    before, after, _ = await consumed(trips=False, hold=False)

    assert held_before == []
    assert held_after == [*before, *after]


@pytest.mark.parametrize("hold", [False, True])
async def test_without_guardrails_nothing_waits(hold: bool) -> None:
    model = Slow()
    result = Runner.run_streamed(Agent(name="A", model=model), "go")
    seen: list[str] = []
    async for event in result.stream_events(hold_until_cleared=hold):
        seen.append(event.type)
        if seen.count("raw_response_event") == 3:
            model.judged.set()

    assert result.final_output == "one two three four"


async def test_leaving_a_held_stream_cancels_the_run() -> None:
    model = Slow()

    @input_guardrail
    async def never(context: Any, agent: Any, message: Any) -> GuardrailFunctionOutput:
        await asyncio.Event().wait()
        raise AssertionError

    result = Runner.run_streamed(Agent(name="A", model=model, input_guardrails=[never]), "go")
    events: Any = result.stream_events(hold_until_cleared=True)
    waiting = asyncio.ensure_future(anext(events))
    await model.spoke.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert result.is_complete
