"""What a call of a function tool does, and what becomes of it when it goes wrong."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import logging
import threading
from typing import Any

import pytest

from agentgraph.decorators import function_tool
from agentgraph.exceptions import (
    AgentsException,
    MaxTurnsExceeded,
    ModelBehaviorError,
    ToolTimeoutError,
    UserError,
)
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.arguments import InvalidToolArguments
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import (
    FAILED,
    default_tool_error_function,
    default_tool_timeout_error_message,
)
from agentgraph.tools.function import FunctionTool
from agentgraph.tools.invocation import call_needs_approval
from tests.tools.calls import context_of, invoke


class TestHappyPath:
    async def test_sync_and_async_functions_get_their_arguments(self) -> None:
        @function_tool
        def joined(a: int, b: str) -> str:
            return f"{a}{b}"

        @function_tool
        async def summed(a: int, b: int = 2) -> int:
            return a + b

        assert await invoke(joined, {"a": 1, "b": "x"}) == "1x"
        assert await invoke(summed, {"a": 1}) == 3

    async def test_the_context_of_the_call_is_given_where_it_is_asked_for(self) -> None:
        @function_tool
        def wrapped(ctx: RunContextWrapper[dict[str, str]], key: str) -> str:
            return ctx.context[key]

        @function_tool
        async def called(ctx: ToolContext[Any]) -> list[Any]:
            assert ctx.agent is not None
            return [ctx.tool_name, ctx.tool_call_id, ctx.tool_arguments, ctx.agent.name]

        assert await invoke(wrapped, {"key": "a"}, context={"a": "b"}) == "b"
        assert await invoke(called, "{}") == ["called", "call-1", "{}", "Desk"]

    async def test_no_text_at_all_is_a_call_without_arguments(self) -> None:
        @function_tool
        async def ping() -> str:
            return "pong"

        assert await invoke(ping, "") == "pong"

    async def test_a_sync_function_leaves_the_loop_and_keeps_the_context_variables(self) -> None:
        name = contextvars.ContextVar[str]("name")
        may_finish = threading.Event()

        @function_tool
        def blocking() -> list[Any]:
            assert may_finish.wait(timeout=120)
            return [name.get(), threading.get_ident()]

        name.set("caller")
        call = asyncio.create_task(invoke(blocking))
        # The loop runs on while the function blocks, or this line would never be reached.
        asyncio.get_running_loop().call_soon(may_finish.set)
        assert (await call)[0] == "caller"
        assert (await call)[1] != threading.get_ident()

    async def test_a_sync_function_may_return_an_awaitable(self) -> None:
        async def later() -> str:
            return "later"

        assert await invoke(function_tool(lambda: later(), name_override="later")) == "later"

    async def test_an_object_with_an_async_call_runs_in_the_loop(self) -> None:
        class Asker:
            async def __call__(self, question: str) -> int:
                return threading.get_ident()

        assert await invoke(function_tool(Asker()), {"question": "q"}) == threading.get_ident()

    async def test_a_call_leaves_nothing_behind(self) -> None:
        @function_tool
        async def ping(a: int) -> int:
            return a

        async def count_after(calls: int) -> int:
            for number in range(calls):
                await invoke(ping, {"a": number})
            gc.collect()
            return len(gc.get_objects())

        await count_after(100)
        before = await count_after(10)
        assert await count_after(10_000) - before < 50


BAD_ARGUMENTS = [
    ("{bad", "Expecting property name enclosed in double quotes at character 1"),
    ("", "a: Field required"),
    ("null", "expected a JSON object"),
    ("[1]", "expected a JSON object"),
    ("{}", "a: Field required"),
    ('{"a": "x"}', "a: Input should be a valid integer"),
    ('{"a": 1.5}', "a: Input should be a valid integer"),
    ("[" * 100_000, "nested too deeply"),
    ('{"a": ' + "9" * 5_000 + "}", "a number is too long"),
]


class TestBadArguments:
    @pytest.mark.parametrize(("arguments", "told"), BAD_ARGUMENTS)
    async def test_the_model_is_told_what_is_wrong(self, arguments: str, told: str) -> None:
        @function_tool
        async def tool(a: int) -> int:
            return a

        assert told in await invoke(tool, arguments)

    @pytest.mark.parametrize(("arguments", "told"), BAD_ARGUMENTS)
    async def test_without_a_failure_function_the_run_ends_and_the_tool_is_named(
        self, arguments: str, told: str
    ) -> None:
        @function_tool(failure_error_function=None)
        def tool(a: int) -> int:
            return a

        with pytest.raises(ModelBehaviorError, match="Invalid JSON input for tool tool"):
            await invoke(tool, arguments)

    async def test_the_function_is_never_called_with_them(self) -> None:
        calls: list[int] = []
        tool = function_tool(calls.append, name_override="tool", strict_mode=False)
        await invoke(tool, "{bad")
        assert calls == []

    async def test_what_the_model_wrote_is_never_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        @function_tool
        async def tool(a: int) -> int:
            return a

        with caplog.at_level(logging.DEBUG):
            assert "secret" not in await invoke(tool, '{"a": "secret"}')
            await invoke(tool, '{"a": "secret')
        assert caplog.records
        assert "secret" not in caplog.text

    async def test_many_problems_are_summed_up(self) -> None:
        @function_tool
        async def tool(a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> int:
            return a

        assert "and 2 more" in await invoke(tool, "{}")


class TestFailures:
    async def test_by_default_the_model_is_told_that_it_failed(self) -> None:
        @function_tool
        def tool() -> str:
            raise ValueError("out of stock")

        assert await invoke(tool) == FAILED

    @pytest.mark.parametrize(
        "error",
        [
            json.JSONDecodeError("Expecting value", "a private page", 0),
            InvalidToolArguments("another", "key: private", is_json=True),
            ToolTimeoutError("another", 3),
        ],
    )
    async def test_an_error_of_something_that_the_tool_calls_stays_private(
        self, error: Exception
    ) -> None:
        @function_tool
        def tool() -> str:
            raise error

        assert await invoke(tool) == FAILED

    @pytest.mark.parametrize("is_async", [True, False])
    async def test_the_tools_own_function_writes_what_the_model_is_told(
        self, is_async: bool
    ) -> None:
        def sync_handler(ctx: RunContextWrapper[Any], error: Exception) -> str:
            return f"{ctx.context}: {type(error).__name__}"

        async def async_handler(ctx: RunContextWrapper[Any], error: Exception) -> str:
            return sync_handler(ctx, error)

        @function_tool(failure_error_function=async_handler if is_async else sync_handler)
        async def tool() -> str:
            raise KeyError("x")

        assert await invoke(tool, context="ctx") == "ctx: KeyError"

    async def test_without_a_failure_function_the_error_names_tool_and_agent(self) -> None:
        @function_tool(failure_error_function=None)
        def tool() -> str:
            raise ValueError("out of stock")

        with pytest.raises(
            UserError, match="Error running tool tool of agent Desk: out of stock"
        ) as caught:
            await invoke(tool)
        assert isinstance(caught.value.__cause__, ValueError)

    async def test_our_own_exceptions_leave_unchanged(self) -> None:
        stopped = MaxTurnsExceeded("too long")

        @function_tool(failure_error_function=None)
        async def tool() -> str:
            raise stopped

        with pytest.raises(AgentsException) as caught:
            await invoke(tool)
        assert caught.value is stopped

    @pytest.mark.parametrize("failure", [ValueError(), asyncio.CancelledError()], ids=repr)
    async def test_a_failing_failure_function_ends_the_run(self, failure: BaseException) -> None:
        def handler(ctx: RunContextWrapper[Any], error: Exception) -> str:
            raise RuntimeError("handler broke")

        @function_tool(failure_error_function=handler)
        async def tool() -> str:
            raise failure

        with pytest.raises(UserError, match="tool of agent Desk: handler broke"):
            await invoke(tool)

    @pytest.mark.parametrize("failure", [ValueError("lost"), asyncio.CancelledError("lost")])
    async def test_a_failure_function_without_words_leaves_the_error_as_it_is(
        self, failure: BaseException
    ) -> None:
        def handler(ctx: RunContextWrapper[Any], error: Exception) -> Any:
            return None

        @function_tool(failure_error_function=handler)
        async def tool() -> str:
            raise failure

        with pytest.raises(UserError, match="tool of agent Desk: lost") as caught:
            await invoke(tool)
        assert caught.value.__cause__ is failure

    async def test_a_tool_made_by_hand_handles_its_own_errors(self) -> None:
        async def fail(ctx: ToolContext[Any], arguments: str) -> str:
            raise ValueError(arguments)

        tool = FunctionTool("t", "", {"type": "object"}, fail)
        with pytest.raises(UserError, match="Error running tool t"):
            await invoke(tool)

    async def test_stop_iteration_in_a_thread_is_an_error_like_any_other(self) -> None:
        @function_tool(failure_error_function=lambda context, error: repr(error))
        def tool() -> str:
            return str(next(iter([])))

        assert "StopIteration" in await asyncio.wait_for(invoke(tool), timeout=120)


class TestCancellation:
    @pytest.mark.parametrize("in_thread", [True, False])
    async def test_a_tool_that_cancels_itself_has_failed(self, in_thread: bool) -> None:
        def sync_tool() -> str:
            raise asyncio.CancelledError("gave up")

        async def async_tool() -> str:
            raise asyncio.CancelledError("gave up")

        tool = function_tool(sync_tool if in_thread else async_tool)
        assert await invoke(tool) == FAILED

    async def test_without_a_failure_function_that_ends_the_run(self) -> None:
        @function_tool(failure_error_function=None)
        async def tool() -> str:
            raise asyncio.CancelledError

        with pytest.raises(UserError, match="the tool was cancelled"):
            await invoke(tool)

    async def test_a_cancelled_caller_is_cancelled(self) -> None:
        started, stopped = asyncio.Event(), asyncio.Event()

        @function_tool
        async def tool() -> str:
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
            return "never"

        call = asyncio.create_task(invoke(tool))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert stopped.is_set()


async def hang() -> str:
    """Wait for ever."""
    await asyncio.Event().wait()
    return "never"


class TestTimeouts:
    async def test_the_model_is_told_by_default(self) -> None:
        tool = function_tool(hang, timeout=0.01)
        assert await invoke(tool) == "Tool 'hang' timed out after 0.01 seconds."
        assert await invoke(tool) == default_tool_timeout_error_message(
            tool_name="hang", timeout_seconds=0.01
        )

    async def test_the_tools_own_function_writes_what_the_model_is_told(self) -> None:
        async def handler(ctx: RunContextWrapper[Any], error: Exception) -> str:
            assert isinstance(error, ToolTimeoutError)
            return f"{error.tool_name} took more than {error.timeout_seconds}"

        tool = function_tool(hang, timeout=0.01, timeout_error_function=handler)
        assert await invoke(tool) == "hang took more than 0.01"

    async def test_the_run_ends_when_the_tool_says_so(self) -> None:
        tool = function_tool(hang, timeout=0.01, timeout_behavior="raise_exception")
        with pytest.raises(ToolTimeoutError, match="hang"):
            await invoke(tool)

    async def test_a_tools_own_timeout_error_is_an_error_like_any_other(self) -> None:
        @function_tool(timeout=600, failure_error_function=None)
        async def tool() -> str:
            raise TimeoutError("the server is slow")

        with pytest.raises(UserError, match="the server is slow"):
            await invoke(tool)

    async def test_a_tool_in_time_is_not_disturbed(self) -> None:
        @function_tool(timeout=600)
        async def tool() -> str:
            return "done"

        assert await invoke(tool) == "done"

    async def test_a_tool_made_by_hand_can_have_one(self) -> None:
        async def call(ctx: ToolContext[Any], arguments: str) -> str:
            return await hang()

        tool = FunctionTool("t", "", {}, call, timeout_seconds=0.01)
        assert "timed out" in await invoke(tool)


class TestApproval:
    async def test_a_constant_answers(self) -> None:
        assert await call_needs_approval(function_tool(hang), context_of("hang")) is False
        tool = function_tool(hang, needs_approval=True)
        assert await call_needs_approval(tool, context_of("hang")) is True

    @pytest.mark.parametrize("is_async", [True, False])
    async def test_a_function_is_asked_with_the_arguments_and_the_call(
        self, is_async: bool
    ) -> None:
        asked: list[Any] = []

        def sync_rule(ctx: RunContextWrapper[Any], arguments: dict[str, Any], call: str) -> bool:
            asked.append((ctx.context, arguments, call))
            return bool(arguments.get("amount", 0) > 10)

        async def async_rule(
            ctx: RunContextWrapper[Any], arguments: dict[str, Any], call: str
        ) -> bool:
            return sync_rule(ctx, arguments, call)

        tool = function_tool(hang, needs_approval=async_rule if is_async else sync_rule)
        large = context_of("hang", '{"amount": 11}', context="ctx")
        assert await call_needs_approval(tool, large) is True
        assert await call_needs_approval(tool, context_of("hang", "")) is False
        assert asked[0] == ("ctx", {"amount": 11}, "call-1")

    @pytest.mark.parametrize("arguments", ["{bad", "[]", "null"])
    async def test_arguments_that_are_no_object_need_it(self, arguments: str) -> None:
        tool = function_tool(hang, needs_approval=lambda ctx, args, call: False)
        assert await call_needs_approval(tool, context_of("hang", arguments)) is True


def test_the_default_message_says_what_is_wrong_with_arguments_only() -> None:
    context = context_of("t")
    wrong = InvalidToolArguments("t", "city: Field required", is_json=True)
    assert default_tool_error_function(context, ValueError("boom")) == FAILED
    assert default_tool_error_function(context, wrong) == (
        f"{FAILED} Error: Invalid JSON input for tool t: city: Field required"
    )
