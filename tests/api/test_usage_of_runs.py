"""The usage of a run is the sum of every response, wherever in it and in whichever try it came."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    Agent,
    ModelRetrySettings,
    ModelSettings,
    RunContextWrapper,
    Runner,
    RunState,
    Usage,
    function_tool,
)
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message
from tests.api.calls import agent_with, call
from tests.api.conftest import Play

RETRYING = ModelSettings(
    retry=ModelRetrySettings(
        max_retries=2,
        backoff={"initial_delay": 0.0, "jitter": False},
        policy=lambda context: True,
    )
)


class Meter:
    """Makes replies that each cost another power of two, so that a sum says what is in it."""

    def __init__(self) -> None:
        self.made = 0

    def reply(self, *items: Any) -> ModelStep:
        cost = 1 << self.made
        self.made += 1
        usage = Usage(requests=1, input_tokens=cost, output_tokens=0, total_tokens=cost)
        return ModelStep(list(items), usage=usage)

    def script(self, *replies: list[Any]) -> ScriptedModel:
        return ScriptedModel([*(self.reply(*it) for it in replies), self.done()])

    def done(self) -> ModelStep:
        return self.reply(assistant_message("done"))

    @property
    def all(self) -> tuple[int, int]:
        """Requests and tokens of all replies."""
        return self.made, (1 << self.made) - 1


def spent(result: Any) -> tuple[int, int]:
    usage = getattr(result, "context_wrapper", None) or result.context
    usage = usage.usage
    return usage.requests, usage.total_tokens


@function_tool(needs_approval=True)
async def pay() -> str:
    """Pay."""
    return "paid"


@function_tool(failure_error_function=None)
async def fail() -> str:
    """Raise."""
    raise LookupError("down")


def nested(model: ScriptedModel, meter: Meter, depth: int, *tools: Any, **how: Any) -> Agent[Any]:
    """An agent of a model, with agents around it that ask one another."""
    agent = Agent(name="Level 0", model=model, tools=list(tools))
    for level in range(1, depth + 1):
        asking = meter.script([call("ask", f"a{level}", input="x")])
        agent = Agent(
            name=f"Level {level}", model=asking, tools=[agent.as_tool("ask", "A.", **how)]
        )
    return agent


@pytest.mark.parametrize("depth", [0, 1, 3])
class TestOfRunsInsideRuns:
    async def test_is_in_that_of_the_whole(self, play: Play, depth: int) -> None:
        meter = Meter()
        played = await play(nested(meter.script(), meter, depth))
        assert spent(played.result) == meter.all

    async def test_is_there_while_one_inside_waits_and_counts_once_when_it_goes_on(
        self, play: Play, depth: int
    ) -> None:
        meter = Meter()
        agent = nested(meter.script([call("pay")]), meter, depth, pay)
        waiting = await play(agent)
        state = waiting.result.to_state()
        so_far = spent(waiting.result)
        assert so_far[0] == depth + 1
        assert spent(state) == so_far
        again: RunState[Any] = waiting.result.to_state().fork()
        state.approve(state.get_interruptions()[0])
        for _ in range(2):
            played = await play(agent, state)
            assert spent(played.result) == meter.all
        assert spent(again) == so_far

    async def test_counts_what_came_before_a_failure_that_is_told(
        self, play: Play, depth: int
    ) -> None:
        meter = Meter()
        inner = meter.script([call("fail")])
        agent = nested(inner, meter, depth, fail)
        if depth:
            played = await play(agent)
            # The answer of the innermost was never asked for.
            assert spent(played.result) == (meter.made - 1, meter.all[1] - 2)
        else:
            with pytest.raises(Exception, match="down") as raised:
                await play(agent)
            data: Any = raised.value.run_data  # type: ignore[attr-defined]
            assert spent(data) == (1, 1)

    async def test_counts_what_came_before_a_failure_that_ends_the_run(
        self, play: Play, depth: int
    ) -> None:
        meter = Meter()
        agent = nested(
            meter.script([call("fail")]), meter, depth, fail, failure_error_function=None
        )
        with pytest.raises(Exception, match="down") as raised:
            await play(agent)
        data: Any = raised.value.run_data  # type: ignore[attr-defined]
        assert spent(data)[0] == depth + 1
        # No level was asked for its answer.
        assert spent(data)[1] == 1 + sum(1 << (2 * level) for level in range(1, depth + 1))


async def test_calls_side_by_side_add_up(play: Play) -> None:
    meter = Meter()
    inner = [Agent(name=f"E{n}", model=meter.script([call("pay")]), tools=[pay]) for n in range(3)]
    tools = [agent.as_tool(f"ask_{n}", "Ask.") for n, agent in enumerate(inner)]
    asking = [call(f"ask_{n}", f"a{n}", input="x") for n in range(3)]
    agent = agent_with(meter.script(asking), *tools)
    state = (await play(agent)).result.to_state()
    # They are decided on one after the other: each resumption goes into one of the three.
    for left in (3, 2, 1):
        items = state.get_interruptions()
        assert len(items) == left
        state.approve(items[-1])
        played = await play(agent, state)
        assert spent(played.result)[0] == 4 + (4 - left) + (left == 1), left
        state = played.result.to_state()
    assert spent(played.result) == meter.all


@pytest.mark.parametrize("failures", [1, 2])
async def test_a_try_that_failed_counts_as_a_request_without_tokens(
    play: Play, failures: int
) -> None:
    meter = Meter()
    down = [ModelStep(error=ValueError("down")) for _ in range(failures)]
    model = ScriptedModel([*down, meter.reply(call("echo_it")), *down, meter.done()])

    @function_tool
    async def echo_it() -> str:
        return "echo"

    agent = agent_with(model, echo_it, model_settings=RETRYING)
    played = await play(agent)
    requests, tokens = meter.all
    assert spent(played.result) == (requests + 2 * failures, tokens)


async def test_a_run_made_by_hand_in_a_tool_counts_where_it_is_given_the_context(
    play: Play,
) -> None:
    meter = Meter()
    other = Agent(name="Other", model=meter.script())

    @function_tool
    async def by_hand(context: RunContextWrapper[Any]) -> str:
        result = await Runner.run(other, "x")
        context.usage.add(result.context_wrapper.usage)
        return "done by hand"

    played = await play(agent_with(meter.script([call("by_hand")]), by_hand))
    assert spent(played.result) == meter.all


class TestOfARunThatGoesOnAfterAFault:
    """Counts every response once, those of the try that failed among them."""

    @pytest.mark.parametrize("depth", [0, 1, 3])
    async def test_that_was_a_cancellation(self, play: Play, depth: int) -> None:
        reached, tries = asyncio.Event(), list[int]()

        @function_tool
        async def hang() -> str:
            tries.append(1)
            if len(tries) == 1:
                reached.set()
                await asyncio.Event().wait()
            return "at last"

        meter = Meter()
        agent = nested(meter.script([call("hang")]), meter, depth, hang)
        result = Runner.run_streamed(agent, "go")
        await reached.wait()
        result.cancel()
        [event async for event in result.stream_events()]
        state = result.to_state()
        assert spent(result)[0] == spent(state)[0] == depth + 1
        played = await play(agent, state)
        assert (spent(played.result), played.final) == (meter.all, "done")
        assert len(tries) == 2

    @pytest.mark.parametrize("depth", [0, 1, 3])
    async def test_that_was_a_tool_that_raised(self, play: Play, depth: int) -> None:
        tries: list[int] = []

        @function_tool(failure_error_function=None)
        async def flaky() -> str:
            tries.append(1)
            if len(tries) == 1:
                raise LookupError("down")
            return "up"

        meter = Meter()
        agent = nested(
            meter.script([call("flaky")]), meter, depth, flaky, failure_error_function=None
        )
        result = Runner.run_streamed(agent, "go")
        with pytest.raises(Exception, match="down"):
            [event async for event in result.stream_events()]
        state = result.to_state()
        assert spent(state)[0] == depth + 1
        played = await play(agent, state)
        assert (spent(played.result), played.final) == (meter.all, "done")

    async def test_that_was_in_a_sibling(self, play: Play) -> None:
        reached, tries, hung = asyncio.Event(), list[int](), list[int]()

        @function_tool
        async def hang() -> str:
            hung.append(1)
            if len(hung) == 1:
                reached.set()
                await asyncio.Event().wait()
            return "at last"

        @function_tool(failure_error_function=None)
        async def flaky() -> str:
            tries.append(1)
            if len(tries) == 1:
                await reached.wait()
                raise LookupError("down")
            return "up"

        meter = Meter()
        inner = Agent(name="Expert", model=meter.script([call("hang")]), tools=[hang])
        asking = meter.script([call("ask", "a1", input="x"), call("flaky", "f1")])
        agent = agent_with(asking, inner.as_tool("ask", "Ask."), flaky)
        result = Runner.run_streamed(agent, "go")
        with pytest.raises(Exception, match="down"):
            [event async for event in result.stream_events()]
        state = result.to_state()
        assert spent(state)[0] == 2
        played = await play(agent, state)
        assert (spent(played.result), played.final) == (meter.all, "done")
        assert played.outputs == ["done", "up"]
