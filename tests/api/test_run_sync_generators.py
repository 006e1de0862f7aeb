"""`run_sync` closes the async generators that a run has left open, and its loop lives on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agentgraph import Runner, function_tool
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, call


@pytest.fixture(autouse=True)
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The loop of the thread, which `run_sync` keeps."""
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    yield own
    asyncio.set_event_loop(None)
    own.close()


class Source:
    """An async generator that waits while it is being closed."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def lines(self, name: str = "it") -> AsyncIterator[int]:
        try:
            for number in range(3):
                yield number
        finally:
            await asyncio.sleep(0)
            self.ended.append(name)


def runs(tool: Any, *more: Any) -> Any:
    model = ScriptedModel([[call(tool.name)], [assistant_message("done")]])
    return Runner.run_sync(agent_with(model, tool, *more), "go")


def test_one_that_a_tool_leaves_open_is_closed(loop: asyncio.AbstractEventLoop) -> None:
    source, kept = Source(), list[Any]()

    @function_tool
    async def read() -> str:
        kept.append(source.lines("kept"))
        async for _ in kept[0]:
            break
        async for _ in source.lines("dropped"):
            break
        return "read"

    assert runs(read).final_output == "done"
    gc.collect()
    assert sorted(source.ended) == ["dropped", "kept"]
    assert not loop.is_closed()
    assert asyncio.all_tasks(loop) == set()


@pytest.mark.parametrize("error", [LookupError("down"), KeyboardInterrupt()])
def test_one_is_closed_also_where_the_run_ends_with_an_error(error: BaseException) -> None:
    source, kept = Source(), list[Any]()

    @function_tool(failure_error_function=None)
    async def read() -> str:
        kept.append(source.lines())
        async for _ in kept[0]:
            break
        raise error

    with pytest.raises((Exception, KeyboardInterrupt)):
        runs(read)
    assert source.ended == ["it"]


def test_the_next_run_may_begin_new_ones(loop: asyncio.AbstractEventLoop) -> None:
    source = Source()

    @function_tool
    async def read() -> str:
        return str([number async for number in source.lines()])

    for times in (1, 2):
        outputs = [item for item in runs(read).new_items if item.type == "tool_call_output_item"]
        assert outputs[0].output == "[0, 1, 2]"
        assert len(source.ended) == times
    assert asyncio.get_event_loop_policy().get_event_loop() is loop


def test_one_of_the_programs_own_goes_on(loop: asyncio.AbstractEventLoop) -> None:
    source = Source()
    lines = source.lines()
    assert loop.run_until_complete(anext(lines)) == 0

    @function_tool
    async def read() -> str:
        return "read"

    runs(read)
    assert loop.run_until_complete(anext(lines)) == 1
    loop.run_until_complete(lines.aclose())  # type: ignore[attr-defined]


def test_one_that_a_task_reads_in_the_background_goes_on(loop: asyncio.AbstractEventLoop) -> None:
    go, read_on = asyncio.Event(), list[Any]()

    async def waiting() -> AsyncIterator[int]:
        yield 0
        await go.wait()
        yield 1

    async def background() -> list[int]:
        return [number async for number in waiting()]

    @function_tool
    async def read() -> str:
        read_on.append(asyncio.create_task(background()))
        await asyncio.sleep(0)
        return "read"

    runs(read)
    go.set()
    assert loop.run_until_complete(read_on[0]) == [0, 1]


def test_one_that_fails_when_it_is_closed_is_reported(loop: asyncio.AbstractEventLoop) -> None:
    reported, kept = list[Any](), list[Any]()
    loop.set_exception_handler(lambda _, context: reported.append(context))

    async def failing() -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            raise LookupError("while closing")

    @function_tool
    async def read() -> str:
        kept.append(failing())
        async for _ in kept[0]:
            break
        return "read"

    assert runs(read).final_output == "done"
    (context,) = reported
    assert isinstance(context["exception"], LookupError)
    assert context["asyncgen"] is kept[0]
