"""Threads of sync tools, when the run that waits for them is cancelled: Python cannot stop one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentgraph import Agent, ComputerTool, RunHooks, Runner, function_tool
from tests.api.calls import agent_with, call, script
from tests.api.hosted import RecordedComputer, computer_call
from tests.api.leaks import nothing_is_left

__all__ = ["nothing_is_left"]
pytestmark = pytest.mark.usefixtures("nothing_is_left")


class Thread:
    """Work of a sync tool that begins, and ends when the test lets it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.begun, self.finished = asyncio.Event(), asyncio.Event()
        self.may_finish = threading.Event()

    def work(self) -> str:
        self.loop.call_soon_threadsafe(self.begun.set)
        self.may_finish.wait(60)
        self.loop.call_soon_threadsafe(self.finished.set)
        return "never told"


def with_function(thread: Thread) -> tuple[Agent[Any], str]:
    @function_tool
    def pay(account: str) -> str:
        return thread.work()

    return agent_with(script([call("pay", account="secret")]), pay), "pay"


def with_computer(thread: Thread) -> tuple[Agent[Any], str]:
    class Slow(RecordedComputer):
        def type(self, text: str) -> None:
            thread.work()

    tool = ComputerTool(Slow())
    model = script([computer_call({"type": "type", "text": "secret"})])
    return agent_with(model, tool), tool.name


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("made", [with_function, with_computer])
async def test_a_thread_that_outlives_a_cancelled_run_is_named_once_in_the_log(
    made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    thread = Thread()
    agent, name = made(thread)
    task = asyncio.create_task(Runner.run(agent, "go"))
    await thread.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not thread.finished.is_set()
    thread.may_finish.set()
    await thread.finished.wait()
    (warning,) = warnings_in(caplog)
    assert f"thread of tool {name} of agent Clerk continues" in warning
    assert "secret" not in caplog.text


async def test_a_sync_tool_that_still_waits_for_a_thread_never_begins_after_a_cancellation(
    caplog: pytest.LogCaptureFixture,
) -> None:
    occupant, effects, called = Thread(), list[str](), asyncio.Event()

    @function_tool
    def pay() -> str:
        effects.append("paid")
        return "paid"

    class Hooks(RunHooks[Any]):
        async def on_tool_start(self, *_: Any) -> None:
            # The hook is the last that is awaited before the thread is asked for.
            occupant.loop.call_soon(called.set)

    with ThreadPoolExecutor(1) as pool:
        occupant.loop.set_default_executor(pool)
        occupied = occupant.loop.run_in_executor(pool, occupant.work)
        await occupant.begun.wait()
        agent = agent_with(script([call("pay")]), pay)
        task = asyncio.create_task(Runner.run(agent, "go", hooks=Hooks()))
        await called.wait()
        assert pool._work_queue.qsize() == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        occupant.may_finish.set()
        await occupied
    assert effects == []
    assert warnings_in(caplog) == []


async def test_a_sync_tool_that_raises_a_cancellation_itself_leaves_no_thread(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @function_tool
    def pay() -> str:
        raise asyncio.CancelledError

    result = await Runner.run(agent_with(script([call("pay")]), pay), "go")
    assert result.final_output == "done"
    (warning,) = warnings_in(caplog)
    assert warning.startswith("Tool pay of agent Clerk failed")
