"""The model never sees the address of an unread result, such as a generator."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agentgraph import Agent, CustomTool, Runner, ShellTool, ToolsToFinalOutputResult
from agentgraph.decorators import function_tool
from agentgraph.exceptions import UserError
from agentgraph.items.tool_payload import to_output_payload
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tools.errors import FAILED
from agentgraph.tools.function import FunctionTool
from tests.api.hosted import custom_call, shell_call
from tests.tools.calls import invoke


def counted() -> Iterator[int]:
    yield 1


async def counted_later() -> AsyncIterator[int]:
    yield 1


class Counter:
    def __call__(self) -> Iterator[int]:
        yield 1


class LaterCounter:
    async def __call__(self) -> AsyncIterator[int]:
        yield 1


class Feed:
    """An iterator that can say what it is."""

    def __iter__(self) -> Feed:
        return self

    def __next__(self) -> int:
        raise StopIteration

    def __repr__(self) -> str:
        return "feed of news"


@pytest.mark.parametrize("function", [counted, counted_later, Counter(), LaterCounter()])
def test_a_generator_is_no_tool(function: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match="is a generator, but a tool call has one result"):
        function_tool(function)


UNREAD = [counted, counted_later, lambda: map(str, (1, 2)), lambda: zip((1,), (2,), strict=True)]


@pytest.mark.parametrize("returned", UNREAD)
async def test_a_generator_that_a_tool_returns_is_a_failure(
    returned: Callable[[], Any],
) -> None:
    text = await invoke(function_tool(lambda: returned(), name_override="listing"))
    assert text == FAILED


async def test_without_a_failure_function_it_ends_the_run() -> None:
    tool = function_tool(lambda: counted(), name_override="listing", failure_error_function=None)
    with pytest.raises(UserError, match="result of tool listing is an unread generator"):
        await invoke(tool)


@pytest.mark.parametrize("returned", UNREAD)
async def test_a_tool_made_by_hand_is_held_to_it(returned: Callable[[], Any]) -> None:
    async def carry_out(context: Any, arguments: str) -> Any:
        return returned()

    tool = FunctionTool("listing", "", {}, carry_out)
    model = ScriptedModel([[function_call("listing", {}, call_id="c1")], [assistant_message("ok")]])
    result = await Runner.run(Agent(name="Desk", model=model, tools=[tool]), "hi")
    output: Any = result.new_items[1]
    assert "cannot be sent to the model" in output.output
    assert "0x" not in output.output


@pytest.mark.parametrize(
    ("tool", "call"),
    [
        (CustomTool("write", "", lambda context, text: counted()), custom_call("write", "x")),
        (ShellTool(executor=lambda request: counted()), shell_call("ls")),  # type: ignore[arg-type, return-value]
    ],
)
async def test_other_kinds_of_tools_are_held_to_it(
    tool: Any, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model = ScriptedModel([[call], [assistant_message("ok")]])
    result = await Runner.run(Agent(name="Desk", model=model, tools=[tool]), "hi")
    told = str(result.new_items[1].raw_item)
    assert FAILED in told
    assert "0x" not in told
    [failure] = [vars(record)["tool_exception"] for record in caplog.records]
    assert "unread generator" in str(failure)


async def test_a_final_output_is_held_to_it() -> None:
    def decide(context: Any, results: Any) -> ToolsToFinalOutputResult:
        return ToolsToFinalOutputResult(is_final_output=True, final_output=counted())

    tool = function_tool(lambda: "done", name_override="work")
    model = ScriptedModel([[function_call("work", {}, call_id="c1")]])
    agent = Agent(name="Desk", model=model, tools=[tool], tool_use_behavior=decide)
    with pytest.raises(UserError, match="tool_use_behavior of agent 'Desk' is an unread generator"):
        await Runner.run(agent, "hi")


def test_an_iterator_with_a_text_of_its_own_is_shown() -> None:
    assert to_output_payload(Feed()) == "feed of news"


@pytest.mark.parametrize("by_hand", [False, True])
async def test_what_is_to_be_awaited_still_is_awaited(by_hand: bool) -> None:
    async def later() -> str:
        return "later"

    async def twice(*call: Any) -> Any:
        return later()

    made = function_tool(lambda: twice(), name_override="twice")
    tool = FunctionTool("twice", "", {}, twice) if by_hand else made
    assert await invoke(tool) == "later"


async def test_a_coroutine_that_comes_after_the_call_was_cancelled_is_closed() -> None:
    begun, may_return = asyncio.Event(), threading.Event()
    loop, over = asyncio.get_running_loop(), threading.Event()

    async def later() -> str:
        return "later"

    @function_tool
    def slow() -> Any:
        loop.call_soon_threadsafe(begun.set)
        may_return.wait(timeout=120)
        try:
            return later()
        finally:
            over.set()

    call = asyncio.create_task(invoke(slow))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        may_return.set()
        await loop.shutdown_default_executor()
        gc.collect()
    assert over.is_set()
    assert [each for each in seen if "never awaited" in str(each.message)] == []
