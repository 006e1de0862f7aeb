"""What becomes of a run when a tool fails, hangs, is called wrongly, or is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph import (
    ModelBehaviorError,
    RunConfig,
    RunContextWrapper,
    Runner,
    ToolErrorFormatterArgs,
    ToolTimeoutError,
    UserError,
    function_tool,
)
from agentgraph.testing import ScriptedModel, function_call
from agentgraph.tool_context import ToolContext
from tests.api.calls import agent_with, call, echo, script, told
from tests.api.conftest import Play


def failing(**settings: Any) -> Any:
    async def fail() -> str:
        """Fail."""
        raise ZeroDivisionError("by zero")

    return function_tool(fail, **settings)


async def test_the_model_is_told_that_a_call_failed_and_not_why(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    model = script([call("fail")])
    await play(agent_with(model, failing()))
    assert told(model) == {"c1": "An error occurred while running the tool. Please try again."}
    [record] = caplog.records
    raised = failing.__code__.co_firstlineno + 3
    assert (record.levelname, record.getMessage()) == (
        "WARNING",
        f"Tool fail of agent Clerk failed with ZeroDivisionError at {__file__}:{raised}; "
        "the model is told that it failed",
    )
    assert "by zero" not in caplog.text


async def test_the_log_has_the_traceback_for_debugging(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="agentgraph")
    await play(agent_with(script([call("fail")]), failing()))
    assert "ZeroDivisionError: by zero" in caplog.text


async def test_a_failure_that_the_program_handles_is_no_warning(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    tool = failing(failure_error_function=lambda context, error: "closed")
    await play(agent_with(script([call("fail")]), tool))
    assert caplog.records == []


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_runs_formatter_writes_what_the_model_is_told(
    play: Play, asynchronous: bool
) -> None:
    seen: list[ToolErrorFormatterArgs[Any]] = []

    def words(args: ToolErrorFormatterArgs[Any]) -> str:
        seen.append(args)
        return f"{args.tool_name}: {args.error}"

    async def later(args: ToolErrorFormatterArgs[Any]) -> str:
        return words(args)

    model = script([call("fail")])
    config = RunConfig(tool_error_formatter=later if asynchronous else words)
    await play(agent_with(model, failing()), run_config=config)
    assert told(model) == {"c1": "fail: by zero"}
    [args] = seen
    assert (args.kind, args.tool_type, args.call_id) == ("tool_exception", "function", "c1")
    assert args.default_message == "An error occurred while running the tool. Please try again."
    assert isinstance(args.error, ZeroDivisionError)
    assert isinstance(args.run_context, ToolContext)


@pytest.mark.parametrize("answer", [None, 3, LookupError("no words")])
async def test_a_formatter_without_a_text_leaves_the_default(play: Play, answer: Any) -> None:
    def words(args: ToolErrorFormatterArgs[Any]) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    model = script([call("fail")])
    await play(agent_with(model, failing()), run_config=RunConfig(tool_error_formatter=words))
    assert told(model) == {"c1": "An error occurred while running the tool. Please try again."}


async def test_the_tools_own_function_comes_before_the_runs_formatter(play: Play) -> None:
    model = script([call("fail")])
    tool = failing(failure_error_function=lambda context, error: "closed")
    config = RunConfig(tool_error_formatter=lambda args: "never asked")
    await play(agent_with(model, tool), run_config=config)
    assert told(model) == {"c1": "closed"}


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_the_model_is_told_in_the_tools_own_words(play: Play, asynchronous: bool) -> None:
    def words(context: RunContextWrapper[Any], error: Exception) -> str:
        assert isinstance(context, ToolContext)
        return f"{context.tool_name} {context.tool_call_id}: {error}"

    async def later(context: RunContextWrapper[Any], error: Exception) -> str:
        return words(context, error)

    model = script([call("fail")])
    await play(agent_with(model, failing(failure_error_function=later if asynchronous else words)))
    assert told(model) == {"c1": "fail c1: by zero"}


async def test_a_tool_without_a_failure_function_ends_the_run(play: Play) -> None:
    agent = agent_with(ScriptedModel([[call("fail")]]), failing(failure_error_function=None))
    with pytest.raises(UserError, match="tool fail of agent Clerk: by zero") as caught:
        await play(agent)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.run_data is not None
    assert caught.value.run_data.last_agent is agent


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{not json", "Invalid JSON input for tool echo"),
        ('{"text": 1}', "Invalid JSON input for tool echo"),
        ("[]", "Invalid JSON input for tool echo"),
        ("{}", "Invalid JSON input for tool echo"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_to_the_model(
    play: Play, arguments: str, message: str
) -> None:
    model = script([function_call("echo", arguments, call_id="c1")])
    await play(agent_with(model, echo))
    assert message in told(model)["c1"]


async def test_arguments_that_do_not_fit_end_a_run_whose_tool_says_so(play: Play) -> None:
    @function_tool(failure_error_function=None)
    async def strict(number: int) -> int:
        return number

    model = ScriptedModel([[function_call("strict", "{not json", call_id="c1")]])
    with pytest.raises(ModelBehaviorError, match="Invalid JSON input for tool strict"):
        await play(agent_with(model, strict))


class TestATimeout:
    async def test_is_told_to_the_model(self, play: Play) -> None:
        @function_tool(timeout=0.01)
        async def hang() -> str:
            await asyncio.Event().wait()
            return "never"

        model = script([call("hang")])
        await play(agent_with(model, hang))
        assert "hang" in told(model)["c1"]
        assert "0.01" in told(model)["c1"]

    async def test_ends_the_run_where_the_tool_says_so(self, play: Play) -> None:
        @function_tool(timeout=0.01, timeout_behavior="raise_exception")
        async def hang() -> str:
            await asyncio.Event().wait()
            return "never"

        with pytest.raises(ToolTimeoutError, match="hang"):
            await play(agent_with(ScriptedModel([[call("hang")]]), hang))


class TestAFailingSibling:
    """One of three parallel calls ends the run: what finished is kept, the rest is over."""

    async def test_what_finished_is_kept_and_the_rest_is_cancelled_and_awaited(
        self, play: Play
    ) -> None:
        finished, hung = asyncio.Event(), asyncio.Event()
        wound_up: list[str] = []

        @function_tool
        async def quick() -> str:
            finished.set()
            return "kept"

        @function_tool
        async def hang() -> str:
            try:
                hung.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                wound_up.append("hang")
                raise
            return "never"

        @function_tool(failure_error_function=None)
        async def fail() -> str:
            await finished.wait()
            await hung.wait()
            raise ZeroDivisionError("by zero")

        calls = [call("hang", "c1"), call("quick", "c2"), call("fail", "c3")]
        agent = agent_with(ScriptedModel([calls]), quick, hang, fail)
        before = asyncio.all_tasks()
        with pytest.raises(UserError, match="tool fail of agent Clerk") as caught:
            await play(agent)
        assert wound_up == ["hang"]
        assert asyncio.all_tasks() == before
        data = caught.value.run_data
        assert data is not None
        kept = [item.output for item in data.new_items if item.type == "tool_call_output_item"]
        assert kept == ["kept"]

    async def test_a_sibling_that_ignores_being_cancelled_is_still_awaited(
        self, play: Play
    ) -> None:
        started = asyncio.Event()
        over: list[bool] = []

        @function_tool
        async def stubborn() -> str:
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                over.append(True)
            return "too late"

        @function_tool(failure_error_function=None)
        async def fail() -> str:
            await started.wait()
            raise ZeroDivisionError("by zero")

        agent = agent_with(
            ScriptedModel([[call("stubborn", "c1"), call("fail", "c2")]]), stubborn, fail
        )
        with pytest.raises(UserError):
            await play(agent)
        assert over == [True]


async def test_a_tool_that_cancels_itself_has_failed(play: Play) -> None:
    @function_tool
    async def give_up() -> str:
        raise asyncio.CancelledError("gave up")

    model = script([call("give_up", "c1"), call("echo", "c2", text="a")])
    played = await play(agent_with(model, give_up, echo))
    assert told(model)["c1"] == "An error occurred while running the tool. Please try again."
    assert played.final == "done"


@pytest.mark.parametrize("calls", [1, 3])
async def test_cancelling_the_run_cancels_its_tools_and_waits_for_them(calls: int) -> None:
    running = 0
    all_running = asyncio.Event()
    wound_up: list[int] = []

    @function_tool
    async def hang(number: int) -> str:
        nonlocal running
        running += 1
        if running == calls:
            all_running.set()
        try:
            await asyncio.Event().wait()
        finally:
            wound_up.append(number)
        return "never"

    model = ScriptedModel([[call("hang", f"c{number}", number=number) for number in range(calls)]])
    task = asyncio.create_task(Runner.run(agent_with(model, hang), "go"))
    await all_running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(wound_up) == list(range(calls))


async def test_cancelling_a_streamed_run_leaves_no_task_behind() -> None:
    started = asyncio.Event()
    wound_up: list[bool] = []

    @function_tool
    async def hang() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            wound_up.append(True)
        return "never"

    before = asyncio.all_tasks()
    result = Runner.run_streamed(agent_with(ScriptedModel([[call("hang")]]), hang), "go")
    await started.wait()
    result.cancel()
    assert [event async for event in result.stream_events()] == []
    assert wound_up == [True]
    assert asyncio.all_tasks() == before
