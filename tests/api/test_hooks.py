"""Hooks: which are called, in which order, with what
(docs/design/behaviour.md, section 7)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunHooks,
    Runner,
    RunResultStreaming,
    function_tool,
)
from agentgraph.exceptions import UserError
from agentgraph.lifecycle import AgentHooksBase, RunHooksBase
from agentgraph.run_context import AgentHookContext
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tool_context import ToolContext
from tests.api.calls import call, echo, script
from tests.api.conftest import Play
from tests.api.leaks import nothing_is_left, running

__all__ = ["nothing_is_left"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")


def recorder(log: list[str], base: type[Any]) -> Any:
    """Hooks that note their own names; those of agents are marked."""
    mark = "own " if base is AgentHooksBase else ""

    def noting(name: str) -> Any:
        async def hook(self: Any, *_: Any, **__: Any) -> None:
            log.append(mark + name.removeprefix("on_"))

        return hook

    names = [name for name in dir(base) if name.startswith("on_")]
    return type("Recorder", (base,), {name: noting(name) for name in names})()


async def test_hooks_are_called_in_the_order_of_the_run(play: Play) -> None:
    log: list[str] = []
    second = Agent(name="B", model=script(), hooks=recorder(log, AgentHooksBase))
    first = Agent(
        name="A",
        model=ScriptedModel(
            [[call("echo", text="x")], [function_call("transfer_to_b", {}, call_id="h1")]]
        ),
        tools=[echo],
        handoffs=[second],
    )
    await play(first, hooks=recorder(log, RunHooksBase))
    assert [entry for entry in log if not entry.startswith("own")] == [
        "agent_start",
        *("llm_start", "llm_end", "tool_start", "tool_end"),
        *("llm_start", "llm_end", "handoff"),
        "agent_start",
        *("llm_start", "llm_end", "agent_end"),
    ]
    assert [entry for entry in log if entry.startswith("own")] == [
        "own start",
        "own llm_start",
        "own llm_end",
        "own end",
    ]


async def test_the_agent_that_is_left_hears_of_the_handoff(play: Play) -> None:
    log: list[Any] = []

    class Hooks(AgentHooks[Any]):
        async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
            log.append((source.name, agent.name))

    second = Agent(name="B", model=script(), hooks=recorder([], AgentHooksBase))
    model = script([function_call("transfer_to_b", {}, call_id="h1")])
    await play(Agent(name="A", model=model, handoffs=[second], hooks=Hooks()))
    assert log == [("A", "B")]


@pytest.mark.parametrize("moment", ["start", "handoff", "tool", "end"])
async def test_hooks_of_the_run_and_of_the_agent_run_side_by_side(play: Play, moment: str) -> None:
    """Each waits for the other, so one after the other would never end."""
    rendezvous = asyncio.Barrier(2)

    class OfTheRun(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            if moment == "start" and agent.name == "A":
                await rendezvous.wait()

        async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
            if moment == "handoff":
                await rendezvous.wait()

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            if moment == "tool":
                await rendezvous.wait()

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            if moment == "end":
                await rendezvous.wait()

    class Own(AgentHooks[Any]):
        async def on_start(self, context: Any, agent: Any) -> None:
            if moment == "start":
                await rendezvous.wait()

        async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
            if moment == "handoff":
                await rendezvous.wait()

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            if moment == "tool":
                await rendezvous.wait()

        async def on_end(self, context: Any, agent: Any, output: Any) -> None:
            if moment == "end":
                await rendezvous.wait()

    second = Agent(name="B", model=script())
    replies: list[Any] = [[call("echo", text="x")]]
    if moment == "handoff":
        replies.append([function_call("transfer_to_b", {}, call_id="h1")])
    agent = Agent(name="A", model=script(*replies), tools=[echo], handoffs=[second], hooks=Own())
    async with asyncio.timeout(120):
        await play(agent, hooks=OfTheRun())


@pytest.mark.parametrize("moment", ["on_start", "on_llm_start", "on_tool_start", "on_end"])
async def test_a_hook_that_raises_ends_the_run_and_the_hook_beside_it(
    play: Play, moment: str
) -> None:
    cancelled = asyncio.Event()
    name = {"on_start": "on_agent_start", "on_end": "on_agent_end"}.get(moment, moment)

    async def fail(self: Any, *_: Any, **__: Any) -> None:
        await asyncio.sleep(0)
        raise BufferError("hook")

    async def stay(self: Any, *_: Any, **__: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    own = type("Own", (AgentHooksBase,), {moment: stay})()
    hooks = type("OfTheRun", (RunHooksBase,), {name: fail})()
    agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo], hooks=own)
    # What fails on a call of a tool is a failure of that tool, by name and with the run's data.
    of_a_tool = moment == "on_tool_start"
    with pytest.raises(UserError if of_a_tool else BufferError, match="hook") as raised:
        await play(agent, hooks=hooks)
    if of_a_tool:
        assert isinstance(raised.value.__cause__, BufferError)
        assert "tool echo of agent A" in str(raised.value)
        assert raised.value.run_data is not None
    assert cancelled.is_set()
    assert running() == set()


async def test_what_the_hooks_are_given(play: Play) -> None:
    got: dict[str, Any] = {}

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            got["start"] = context

        async def on_llm_start(self, context: Any, agent: Any, prompt: Any, items: Any) -> None:
            got.setdefault("llm", []).append((prompt, len(items)))

        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            got["tool"] = (context, tool)

        async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
            got["result"] = result

        async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
            got["end"] = output

    @function_tool
    async def measure() -> dict[str, int]:
        return {"length": 3}

    model = script([call("measure")], answer="three")
    agent = Agent(name="A", model=model, tools=[measure], instructions=lambda *_: "be exact")
    await play(agent, "how long?", context="mine", hooks=Hooks())
    assert isinstance(got["start"], AgentHookContext)
    assert got["start"].context == "mine"
    assert list(got["start"].turn_input) == [{"role": "user", "content": "how long?"}]
    assert got["llm"] == [("be exact", 1), ("be exact", 3)]
    context, tool = got["tool"]
    assert isinstance(context, ToolContext)
    assert (context.tool_name, context.tool_call_id, context.tool_arguments) == (
        "measure",
        "c1",
        "{}",
    )
    assert tool is measure
    assert got["result"] == {"length": 3}
    assert got["end"] == "three"


async def test_a_model_that_fails_was_started_and_never_ended(play: Play) -> None:
    log: list[str] = []
    agent = Agent(name="A", model=ScriptedModel([ConnectionError("down")]))
    with pytest.raises(ConnectionError):
        await play(agent, hooks=recorder(log, RunHooksBase))
    assert log == ["agent_start", "llm_start"]


async def test_the_base_classes_do_nothing_and_do_not_fail(play: Play) -> None:
    second = Agent(name="B", model=script(), hooks=AgentHooks())
    model = script([call("echo", text="x")], [function_call("transfer_to_b", {}, call_id="h1")])
    agent = Agent(name="A", model=model, tools=[echo], handoffs=[second], hooks=AgentHooks())
    assert (await play(agent, hooks=RunHooks())).final == "done"


async def test_hooks_of_an_agent_are_no_hooks_of_a_run() -> None:
    agent = Agent(name="A", model=ScriptedModel([[assistant_message("x")]]))
    with pytest.raises(TypeError, match="AgentHooks belong on"):
        await Runner.run(agent, "go", hooks=AgentHooks())  # type: ignore[arg-type]


class FailsToHear(RunHooks[Any]):
    """Fails to hear of a reply, the first time."""

    def __init__(self) -> None:
        self.failed = False

    async def on_llm_end(self, *arguments: Any) -> None:
        if not self.failed:
            self.failed = True
            raise ValueError("deaf")


async def test_the_items_of_a_reply_are_published_when_a_hook_fails_to_hear_of_it() -> None:
    hooks = FailsToHear()
    agent = Agent(name="A", model=script([call("echo", text="x")]), tools=[echo])
    result = Runner.run_streamed(agent, "go", hooks=hooks)
    events = list[str]()
    with pytest.raises(ValueError, match="deaf"):
        await follow(result, events)
    assert events == ["tool_called"]
    assert [item.type for item in result.new_items] == ["tool_call_item"]

    again = Runner.run_streamed(agent, result.to_state(), hooks=hooks)
    later = list[str]()
    await follow(again, later)
    assert later == ["tool_output_created", "message_output_created"]
    assert [item.type for item in again.new_items] == [
        "tool_call_item",
        "tool_call_output_item",
        "message_output_item",
    ]


async def test_a_reply_that_a_guardrail_still_looks_at_is_not_published_then() -> None:
    looked = asyncio.Event()

    async def look(*arguments: Any) -> GuardrailFunctionOutput:
        await looked.wait()
        return GuardrailFunctionOutput(None, False)

    agent = Agent(name="A", model=script(), input_guardrails=[InputGuardrail(look)])
    result = Runner.run_streamed(agent, "go", hooks=FailsToHear())
    events = list[str]()
    with pytest.raises(ValueError, match="deaf"):
        await follow(result, events)
    assert (events, result.new_items) == ([], [])


async def follow(result: RunResultStreaming, names: list[str]) -> None:
    """Note the names of the events of items, as far as they come."""
    async for event in result.stream_events():
        names += [event.name] if event.type == "run_item_stream_event" else []
