"""A run inside another that was cancelled with it goes on where the outer one goes on."""

from __future__ import annotations

import asyncio

import pytest

from agentgraph import Agent, UserError, function_tool
from agentgraph.drivers.workbench import Watcher
from agentgraph.running.ending import carry_out, result_of
from agentgraph.running.launch import launch, live_state
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.user_code.cancellation import in_own_task
from tests.api.scenarios import Case
from tests.replay.world import AT_WORK, World


async def test_a_run_inside_that_a_failure_beside_it_cancelled_goes_on_where_it_was() -> None:
    started, tries = asyncio.Event(), list[str]()

    async def slow() -> str:
        started.set()
        if not tries:
            await asyncio.Event().wait()
        return "slow"

    async def fails_once() -> str:
        await started.wait()
        tries.append("try")
        if len(tries) == 1:
            raise ValueError("once")
        return "fine"

    inner = Agent(
        name="Inner",
        model=ScriptedModel(
            [[function_call("slow", {}, call_id="i1")], [assistant_message("from inside")]]
        ),
        tools=[function_tool(slow)],
    )
    calls = [
        function_call("ask", {"input": "?"}, call_id="c1"),
        function_call("fails_once", {}, call_id="c2"),
    ]
    outer = Agent(
        name="Outer",
        model=ScriptedModel([calls, [assistant_message("done")]]),
        tools=[
            inner.as_tool("ask", "Ask."),
            function_tool(fails_once, failure_error_function=None),
        ],
    )
    AT_WORK.set(World(Case(outer)))
    first = launch(outer, "go", {}, Watcher())
    with pytest.raises(UserError, match="once"):
        await in_own_task(carry_out(first.run), "the first try")
    second = launch(outer, live_state(first), {}, Watcher())
    result = result_of(second.run, await in_own_task(carry_out(second.run), "the second try"))
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs == ["from inside", "fine"]
    assert second.run.bench.context.usage.requests == 4
