"""Carry out one call of a function tool.

This module alone handles time limits, cancellation and errors of a call:

- a timeout gives the model a message or ends the run, as the tool's `timeout_behavior` says;
- a tool that raises `CancelledError` by itself has failed; a cancelled caller stays cancelled;
- one of our exceptions passes through; any other becomes a `UserError` that names the tool.
"""

from __future__ import annotations

import asyncio
from typing import Any

from agentgraph.exceptions import AgentsException, ToolTimeoutError, UserError
from agentgraph.items.tool_payload import PLAIN
from agentgraph.schemas.arguments import InvalidToolArguments, read_arguments
from agentgraph.tool_context import ToolContext
from agentgraph.tools.errors import answer_to_failure, failure_message
from agentgraph.tools.function import FunctionTool
from agentgraph.user_code.callbacks import resolve
from agentgraph.user_code.cancellation import take_back, was_cancelled

__all__ = ["call_needs_approval", "invoke_function_tool"]


class _ToolCancelledItself(Exception):
    """A tool raised `CancelledError` although its caller was not cancelled."""


async def invoke_function_tool(
    *, function_tool: FunctionTool, context: ToolContext[Any], arguments: str
) -> Any:
    """Carry out one call.

    Args:
        function_tool: The tool.
        context: The context of the call.
        arguments: The arguments as the model wrote them.

    Returns:
        What the tool returned, or what its failure or timeout function wrote instead.

    Raises:
        ToolTimeoutError: After `timeout_seconds`, when the tool's behaviour is `raise_exception`.
        AgentsException: The tool raised one of our exceptions and does not handle its errors.
        UserError: Such a tool raised any other exception; that exception is the cause.
        asyncio.CancelledError: The calling task was cancelled.
    """
    before = take_back()
    try:
        if function_tool.timeout_seconds is None:
            output = await function_tool.on_invoke_tool(context, arguments)
            # An awaitable output is part of the call: its errors are the tool's.
            return output if type(output) in PLAIN else await resolve(output)
        return await _invoke_in_time(function_tool, context, arguments, before)
    except asyncio.CancelledError as error:
        if await was_cancelled(before):
            raise
        return await _cancelled_itself(function_tool, context, error)
    except AgentsException:
        raise
    except Exception as error:
        raise UserError(f"{_failed(function_tool, context)}: {error}") from error


async def call_needs_approval(function_tool: FunctionTool, context: ToolContext[Any]) -> bool:
    """Tell whether a person must approve a call before it is made.

    Args:
        function_tool: The tool.
        context: The context of the call.

    Returns:
        The answer of the tool's `needs_approval`. True if that is a function and the arguments are
        not a JSON object, because a hand-made tool may still act on such arguments.
    """
    rule = function_tool.needs_approval
    if isinstance(rule, bool):
        return rule
    try:
        arguments = read_arguments(context.tool_arguments, context.tool_name)
    except InvalidToolArguments:
        return True
    return bool(await resolve(rule(context, arguments, context.tool_call_id)))


async def _invoke_in_time(
    tool: FunctionTool, context: ToolContext[Any], arguments: str, before: int
) -> Any:
    limit = tool.timeout_seconds
    assert limit is not None
    timer = asyncio.timeout(limit)
    try:
        async with timer:
            return await resolve(await tool.on_invoke_tool(context, arguments))
    except TimeoutError:
        # The tool itself may raise the same exception as our deadline.
        if not timer.expired():
            raise
    except asyncio.CancelledError:
        # On Python 3.11 and 3.12, a task group that fails inside the tool and is handled there
        # keeps our deadline from raising TimeoutError.
        if not timer.expired() or await was_cancelled(before):
            raise
    return await _timed_out(tool, context, limit)


async def _timed_out(tool: FunctionTool, context: ToolContext[Any], limit: float) -> str:
    error = ToolTimeoutError(tool.name, limit)
    if tool.timeout_behavior == "raise_exception":
        raise error
    context._failed = True
    if tool.timeout_error_function is None:
        return str(error)
    return await failure_message(tool.timeout_error_function, context, error, tool.name)


async def _cancelled_itself(
    tool: FunctionTool, context: ToolContext[Any], error: asyncio.CancelledError
) -> str:
    failure = _ToolCancelledItself(str(error) or "the tool was cancelled")
    failure.__cause__ = error
    handler, what = tool._failure_error_function, _failed(tool, context)
    try:
        return await answer_to_failure(handler, context, failure, tool.name, what)
    except UserError as ended:
        if ended.__cause__ is failure:
            # Name the cancellation as the cause, not the exception that stands for it here.
            raise ended from error
        raise


def _failed(tool: FunctionTool, context: ToolContext[Any]) -> str:
    owner = getattr(context.agent, "name", None)
    return f"Error running tool {tool.name}" + ("" if owner is None else f" of agent {owner}")
