"""What the model reads when a tool call fails, and what the log records.

Rule: the text for the model may quote the error; a log line never does, because an error's text
can contain what the model or the user wrote.
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
        ctx: The context of the call; unused.
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
    """Call a failure function to get the text that the model reads instead of an output.

    Args:
        handler: The tool's own function, or the default one; sync or async.
        ctx: The context of the call.
        error: What went wrong.
        tool_name: The tool, for the log.

    Returns:
        The text that the handler returns.

    Raises:
        Exception: Whatever the handler raises; `error` itself if the handler returns `None`.
    """
    log_tool_action_debug(
        logger,
        f"Tool {tool_name} failed; the model is told",
        error,
        diagnostic_extra=lambda: {"tool_exception": error},
    )
    text: str | None = await resolve(handler(ctx, error))
    if text is None:
        raise error
    return text


@contextmanager
def failures_named(what: str, *, typed: bool = False) -> Iterator[None]:
    """Turn an exception of the user's code into a `UserError` that names the code that failed.

    Args:
        what: What failed: the beginning of the message.
        typed: Whether the message names the exception's type. The SDK's message about a tool does
            not name it.

    Raises:
        UserError: The block raised an exception that is not ours; that exception is the cause.
        AgentsException: The block raised one of ours, which passes through unchanged.
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
    """Return the text that the model reads for a failed call, or end the run.

    Args:
        handler: The tool's failure function; without one the error ends the run.
        ctx: The context of the call.
        error: What went wrong.
        tool_name: The tool, for the log.
        what: What failed: the beginning of the message of a `UserError`.

    Raises:
        UserError: There is no handler, it returned `None`, or it raised an exception itself.
        AgentsException: `error`, or an exception that the handler raised, is one of ours.
    """
    with failures_named(what):
        if handler is None:
            raise error
        return await failure_message(handler, ctx, error, tool_name)
