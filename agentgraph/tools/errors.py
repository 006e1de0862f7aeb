"""What the model is told when a tool call fails, and what the logs are told.

Rule: the text for the model may quote the error; a log line never does, because an error's text
holds what the model or the user wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agentgraph.exceptions import AgentsException, ToolTimeoutError, UserError
from agentgraph.logger import log_tool_action_debug, logger
from agentgraph.run_context import RunContextWrapper
from agentgraph.schemas.arguments import InvalidToolArguments
from agentgraph.tools.function import ToolErrorFunction
from agentgraph.user_code.callbacks import resolve

__all__ = [
    "answer_to_failure",
    "default_tool_error_function",
    "default_tool_timeout_error_message",
    "failure_message",
    "failures_named",
]


def default_tool_error_function(ctx: RunContextWrapper[Any], error: Exception) -> str:
    """Tell the model that a call failed and why, so that it can try again.

    Args:
        ctx: The context of the call; not read.
        error: What the tool raised.
    """
    if isinstance(error, json.JSONDecodeError) or (
        isinstance(error, InvalidToolArguments) and not error.is_json
    ):
        return (
            f"The arguments of the tool call are not JSON. Please send valid JSON. Error: {error}"
        )
    return f"An error occurred while running the tool. Please try again. Error: {error}"


def default_tool_timeout_error_message(*, tool_name: str, timeout_seconds: float) -> str:
    """Tell the model that a call took too long.

    Args:
        tool_name: The tool.
        timeout_seconds: Its limit, in seconds.
    """
    return str(ToolTimeoutError(tool_name, timeout_seconds))


async def failure_message(
    handler: ToolErrorFunction, ctx: RunContextWrapper[Any], error: Exception, tool_name: str
) -> str:
    """Ask a failure function what the model is told.

    Args:
        handler: The tool's own function, or the default one; sync or async.
        ctx: The context of the call.
        error: What went wrong.
        tool_name: The tool, for the log.

    Returns:
        What the handler says.

    Raises:
        Exception: Whatever the handler raises; `error` itself if the handler gives `None`.
    """
    log_tool_action_debug(logger, f"Tool {tool_name} failed; the model is told", error)
    told: str | None = await resolve(handler(ctx, error))
    if told is None:
        raise error
    return told


@contextmanager
def failures_named(what: str, *, typed: bool = False) -> Iterator[None]:
    """Let whatever the user's code raises in here end the run with an error that says whose it was.

    Args:
        what: What failed: the beginning of the message.
        typed: Whether the message names the exception's type, which the SDK's message of a tool
            does not.

    Raises:
        UserError: For any exception that is not ours; that exception is its cause.
        AgentsException: As it was raised.
    """
    try:
        yield
    except AgentsException:
        raise
    except Exception as error:
        kind = f"{type(error).__name__}: " if typed else ""
        raise UserError(f"{what}: {kind}{error}") from error


async def answer_to_failure(
    handler: ToolErrorFunction | None,
    ctx: RunContextWrapper[Any],
    error: Exception,
    tool_name: str,
    what: str,
) -> str:
    """Find out what the model is told of a call that failed.

    Args:
        handler: The tool's failure function; without one the error ends the run.
        ctx: The context of the call.
        error: What went wrong.
        tool_name: The tool, for the log.
        what: As for `failures_named`.

    Raises:
        UserError: There is no handler, it gave `None`, or it failed itself.
        AgentsException: As it was raised.
    """
    with failures_named(what):
        if handler is None:
            raise error
        return await failure_message(handler, ctx, error, tool_name)
