"""A display that follows a run shows each function before it has worked, also after an approval."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import Agent, RunConfig, Runner, Workflow, function_tool
from agentgraph.cli.run_events import RunEvent, StepStarted
from agentgraph.cli.watch import Watch
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@function_tool(needs_approval=True)
def pay(euros: int) -> str:
    """Pay."""
    return "paid"


@pytest.mark.parametrize("approvals", [0, 1, 3])
async def test_the_line_of_a_function_comes_before_it_is_done(approvals: int) -> None:
    events: list[RunEvent] = []
    begun = asyncio.Event()

    def show(event: RunEvent) -> None:
        events.append(event)
        if isinstance(event, StepStarted):
            begun.set()

    async def receipt(text: str) -> str:
        await asyncio.wait_for(begun.wait(), 5)
        return f"Receipt: {text}"

    calls: list[Any] = [
        [function_call("pay", {"euros": n}, call_id=f"c{n}")] for n in range(approvals)
    ]
    model = ScriptedModel([*calls, [assistant_message("paid")]])
    cashier = Agent(name="Cashier", model=model, tools=[pay])
    flow = Workflow("Paying", start=cashier)
    flow.then(cashier, receipt)

    watch, config = Watch(show), RunConfig(tracing_disabled=True)
    watch.begin()
    result = Runner.run_streamed(flow, "Pay.", run_config=config)
    await watch.follow(result)
    for _ in range(approvals):
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        result = Runner.run_streamed(flow, state, run_config=config)
        await watch.follow(result)
    assert result.final_output == "Receipt: paid"
    kinds = [type(event).__name__ for event in events]
    message = "MessageOutputCreated"
    assert kinds[-4:] == [message, "StepStarted", message, "RunCompleted"]
