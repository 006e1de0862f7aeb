"""Many runs at once, runs in threads, and runs from code that is not async."""

from __future__ import annotations

import asyncio
import signal
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    OutputGuardrail,
    RunConfig,
    Runner,
    SQLiteSession,
    function_tool,
)
from agentgraph.run import AgentRunner, set_default_agent_runner
from agentgraph.testing import ModelStep, ScriptedModel, assistant_message, function_call
from tests.api.calls import call, echo, script
from tests.api.leaks import running


def conversing(rounds: int) -> Agent[Any]:
    """An agent for any number of runs at a time: what it does follows from what it is shown."""

    def reply(asked: Any) -> list[Any]:
        outputs = sum(item.get("type") == "function_call_output" for item in asked.input)
        who = asked.input[0]["content"]
        if outputs < rounds:
            return [call("echo", f"c{outputs}", text=who)]
        if "transfer_to_closer" in {entry.tool_name for entry in asked.handoffs}:
            return [function_call("transfer_to_closer", {}, call_id="h1")]
        return [assistant_message(f"done for {who}")]

    model = ScriptedModel(reply, record_calls=False)
    closer = Agent(name="Closer", model=model)
    return Agent(name="A", model=model, tools=[echo], handoffs=[closer])


async def test_a_thousand_runs_on_one_loop_do_not_mix() -> None:
    agent = conversing(2)

    async def plain(number: int) -> Any:
        return await Runner.run(agent, f"caller {number}", context=number)

    async def streamed(number: int) -> Any:
        result = Runner.run_streamed(agent, f"caller {number}", context=number)
        async for _ in result.stream_events():
            pass
        return result

    results = await asyncio.gather(
        *(plain(number) if number % 2 else streamed(number) for number in range(1000))
    )
    for number, result in enumerate(results):
        assert result.final_output == f"done for caller {number}"
        assert result.context_wrapper.context == number
        assert len(result.new_items) == 7
        assert result.context_wrapper.usage.requests == 4
    assert running() == set()


async def test_runs_that_wait_for_each_other_do_not_stand_in_each_others_way() -> None:
    everyone = asyncio.Barrier(200)

    @function_tool
    async def meet() -> str:
        await everyone.wait()
        return "met"

    def reply(asked: Any) -> list[Any]:
        return [call("meet")] if len(asked.input) == 1 else [assistant_message("met")]

    agent = Agent(name="A", model=ScriptedModel(reply, record_calls=False), tools=[meet])
    async with asyncio.timeout(120):
        await asyncio.gather(*(Runner.run(agent, "go") for _ in range(200)))


def test_runs_in_many_threads_compile_and_run_one_agent() -> None:
    agent = conversing(1)

    async def check(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, False)

    def run(number: int) -> Any:
        async def fresh() -> Any:
            # Guardrails of its own make each run compile, into one small store of programs.
            config = RunConfig(output_guardrails=[OutputGuardrail(check)])
            return (await Runner.run(agent, f"caller {number}", run_config=config)).final_output

        return asyncio.run(fresh())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(run, range(64)))
    assert answers == [f"done for caller {number}" for number in range(64)]


@pytest.fixture
def loop_of_the_thread() -> Iterator[None]:
    """Close the event loop that `run_sync` keeps for the thread of the test."""
    before = asyncio.new_event_loop()
    asyncio.set_event_loop(before)
    yield
    kept = asyncio.get_event_loop_policy().get_event_loop()
    kept.close()
    before.close()
    asyncio.set_event_loop(None)


@pytest.mark.usefixtures("loop_of_the_thread")
def test_run_sync_uses_the_loop_of_its_thread_and_leaves_it_open() -> None:
    loop = asyncio.get_event_loop_policy().get_event_loop()
    used: list[asyncio.AbstractEventLoop] = []

    @function_tool
    async def look() -> str:
        used.append(asyncio.get_running_loop())
        return "seen"

    agent = Agent(name="A", model=script([call("look")], answer="one"), tools=[look])
    assert Runner.run_sync(agent, "go").final_output == "one"
    agent.model = script(answer="two")
    assert Runner.run_sync(agent, "go").final_output == "two"
    assert used == [loop]
    assert not loop.is_closed()


@pytest.mark.usefixtures("loop_of_the_thread")
def test_run_sync_makes_a_loop_where_the_one_of_the_thread_is_closed() -> None:
    asyncio.get_event_loop_policy().get_event_loop().close()
    assert Runner.run_sync(Agent(name="A", model=script()), "go").final_output == "done"


def test_run_sync_works_in_a_thread_that_never_had_a_loop() -> None:
    answers: list[Any] = []

    def work() -> None:
        answers.append(Runner.run_sync(Agent(name="A", model=script()), "go").final_output)
        asyncio.get_event_loop_policy().get_event_loop().close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == ["done"]


@pytest.mark.usefixtures("loop_of_the_thread")
def test_run_sync_is_silent_about_the_loop_that_it_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from Python 3.12 on, where making a thread's first loop is deprecated."""
    policy = asyncio.get_event_loop_policy()
    get_event_loop = policy.get_event_loop

    def warning() -> asyncio.AbstractEventLoop:
        warnings.warn("There is no current event loop", DeprecationWarning, stacklevel=2)
        return get_event_loop()

    with monkeypatch.context() as patched:
        patched.setattr(policy, "get_event_loop", warning)
        assert Runner.run_sync(Agent(name="A", model=script()), "go").final_output == "done"


async def test_run_sync_is_refused_where_a_loop_is_running() -> None:
    model = script()
    with pytest.raises(RuntimeError, match=r"await Runner\.run"):
        Runner.run_sync(Agent(name="A", model=model), "go")
    assert model.calls == ()


@pytest.mark.usefixtures("loop_of_the_thread")
def test_an_interrupted_run_sync_cancels_its_run_and_lets_the_interrupt_out() -> None:
    left: list[str] = []

    async def think(_: Any) -> Any:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            left.append("model")

    agent = Agent(name="A", model=ScriptedModel([ModelStep.respond(think)]))
    with pytest.raises(KeyboardInterrupt):
        Runner.run_sync(agent, "go")
    assert left == ["model"]
    loop = asyncio.get_event_loop_policy().get_event_loop()
    assert asyncio.all_tasks(loop) == set()
    agent.model = script()
    assert Runner.run_sync(agent, "go").final_output == "done"


@pytest.mark.usefixtures("loop_of_the_thread")
def test_run_sync_raises_what_a_run_raises() -> None:
    agent = Agent(name="A", model=ScriptedModel([[call("absent")]]))
    with pytest.raises(AgentsException) as caught:
        Runner.run_sync(agent, "go", session=SQLiteSession("s"))
    assert caught.value.run_data is not None


async def test_a_runner_of_ones_own_carries_out_every_call_until_the_stock_one_is_back() -> None:
    seen: list[str] = []

    class Noting(AgentRunner):
        async def run(self, starting_agent: Any, input: Any, **kwargs: Any) -> Any:
            seen.append(input)
            return await super().run(starting_agent, input, **kwargs)

    agent = Agent(name="A", model=ScriptedModel(lambda _: [assistant_message("ok")]))
    set_default_agent_runner(Noting())
    try:
        await Runner.run(agent, "noted")
    finally:
        set_default_agent_runner(None)
    await Runner.run(agent, "not noted")
    assert seen == ["noted"]
