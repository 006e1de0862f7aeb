"""What the model reads when a tool call fails, and what the log records.

Rule: the text of an exception is for the program. The model reads it only where the program says
so, and a log line names the class and the place of the exception.
"""

from __future__ import annotations

import logging
import os
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import Any, Final, Generic, Literal, TypeAlias

from agentgraph.exceptions import (
    AgentsException,
    MCPToolCancellationError,
    ToolTimeoutError,
    UserError,
)
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.schemas.arguments import InvalidToolArguments
from agentgraph.tool_context import ToolContext
from agentgraph.tools.function import ToolErrorFunction
from agentgraph.user_code.callbacks import MaybeAwaitable, resolve

__all__ = [
    "ToolErrorFormatter",
    "ToolErrorFormatterArgs",
    "action_failure",
    "answer_to_failure",
    "default_tool_error_function",
    "default_tool_timeout_error_message",
    "failure_listener",
    "failure_message",
    "failures_named",
    "formatted",
]

FAILED: Final = "An error occurred while running the tool. Please try again."
"""What the published SDK tells the model about every failure."""


@dataclass
class ToolErrorFormatterArgs(Generic[TContext]):
    """A failure that is about to be reported to the model.

    Attributes:
        kind: The kind of failure.
        tool_type: The kind of tool.
        tool_name: The tool as the model called it.
        call_id: The id of the call.
        default_message: The message for the model if the formatter returns `None`.
        run_context: The run's context.
        error: The exception, if there was one.
    """

    kind: Literal["approval_rejected", "tool_not_found", "tool_exception"]
    tool_type: Literal["function", "computer", "shell", "apply_patch", "custom"]
    tool_name: str
    call_id: str
    default_message: str
    run_context: RunContextWrapper[TContext]
    error: Exception | None = None


ToolErrorFormatter: TypeAlias = Callable[[ToolErrorFormatterArgs[Any]], MaybeAwaitable[str | None]]
"""Returns the message about a failure for the model; `None` keeps the default message."""


def default_tool_error_function(ctx: RunContextWrapper[Any], error: Exception) -> str:
    """Tell the model that a call failed, and what is wrong with arguments that it wrote itself.

    Args:
        ctx: The context of the call.
        error: What the tool raised. Its text is for the program and does not reach the model.
    """
    if _is_about_the_call(ctx, error):
        return f"{FAILED} Error: {error}"
    return FAILED


def _is_about_the_call(ctx: RunContextWrapper[Any], error: Exception) -> bool:
    """Whether an error is about the arguments of this call, not of another one that it made."""
    return isinstance(error, InvalidToolArguments) and error.tool_name == getattr(
        ctx, "tool_name", error.tool_name
    )


def default_tool_timeout_error_message(*, tool_name: str, timeout_seconds: float) -> str:
    """Tell the model that a call took too long.

    Args:
        tool_name: The tool.
        timeout_seconds: Its limit, in seconds.
    """
    return str(ToolTimeoutError(tool_name, timeout_seconds))


failure_listener: Final[ContextVar[Callable[[Exception], None] | None]] = ContextVar(
    "failure_listener", default=None
)
"""Called with each failure of a tool that the model reads about; set while a run makes a trace."""


async def failure_message(
    handler: ToolErrorFunction, ctx: RunContextWrapper[Any], error: Exception, tool_name: str
) -> str:
    """Call a failure function to get the text that the model reads instead of an output.

    Args:
        handler: The tool's own function, sync or async; or the default one, whose text the run's
            `tool_error_formatter` may replace.
        ctx: The context of the call.
        error: What went wrong.
        tool_name: The tool, for the log.

    Returns:
        The text that the handler returns.

    Raises:
        Exception: Whatever the handler raises; `error` itself if the handler returns `None`.
    """
    _report(ctx, error, tool_name, handled=handler is not default_tool_error_function)
    text: str | None = await resolve(handler(ctx, error))
    if text is None:
        raise error
    if handler is default_tool_error_function and isinstance(ctx, ToolContext):
        formatter = getattr(ctx.run_config, "tool_error_formatter", None)
        if formatter is not None and not isinstance(error, MCPToolCancellationError):
            args = ToolErrorFormatterArgs(
                kind="tool_exception",
                tool_type="function",
                tool_name=ctx.qualified_tool_name,
                call_id=ctx.tool_call_id,
                default_message=text,
                run_context=ctx,
                error=error,
            )
            return await formatted(formatter, args)
    return text


def action_failure(
    ctx: RunContextWrapper[Any], error: Exception, tool_name: str, *, of_the_model: bool = False
) -> str:
    """Return what the model reads when a shell, an editor or a custom tool raises; log the error.

    Args:
        ctx: The context of the run.
        error: What it raised.
        tool_name: The tool and its agent, for the log.
        of_the_model: Whether the error is about what the model itself wrote; then it reads why.
    """
    _report(ctx, error, tool_name, handled=of_the_model)
    return f"{FAILED} Error: {error}" if of_the_model else FAILED


async def formatted(formatter: ToolErrorFormatter, args: ToolErrorFormatterArgs[Any]) -> str:
    """Return the text of a run's formatter, or the default text if it returns none or fails.

    Args:
        formatter: The run's `tool_error_formatter`; sync or async.
        args: What it is asked.
    """
    try:
        text = await resolve(formatter(args))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        log_tool_action_error(
            logger, "tool_error_formatter failed; the model gets the default text", error
        )
        return args.default_message
    return text if isinstance(text, str) else args.default_message


def _report(
    ctx: RunContextWrapper[Any], error: Exception, tool_name: str, *, handled: bool
) -> None:
    """Log a failure, note it on the call, and tell the listener of the run."""
    if isinstance(ctx, ToolContext):
        ctx._failed = True
    _log(ctx, error, tool_name, handled=handled)
    listener = failure_listener.get()
    if listener is not None:
        listener(error)


def _log(ctx: RunContextWrapper[Any], error: Exception, tool_name: str, *, handled: bool) -> None:
    """Log a failure with its place.

    The level is DEBUG for a failure that the program handles or that the model caused, and WARNING
    for any other. The exception's own text and its traceback are logged only if DEBUG is enabled.
    """
    level = logging.DEBUG if handled or _is_about_the_call(ctx, error) else logging.WARNING
    if not logger.isEnabledFor(level):
        return
    owner = getattr(getattr(ctx, "agent", None), "name", None)
    logger.log(
        level,
        "Tool %s failed with %s%s; the model is told that it failed",
        tool_name if owner is None else f"{tool_name} of agent {owner}",
        type(error).__name__,
        _place(error),
        exc_info=error if logger.isEnabledFor(logging.DEBUG) else None,
        extra={"tool_exception": error},
    )


def _place(error: Exception) -> str:
    """The innermost line of the program's own code in a traceback, else of another package."""
    lines = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    lines = [line for line in lines if not line[0].startswith(_OURS)]
    if not lines:
        return ""
    own = [line for line in lines if not line[0].startswith(_foreign_code())]
    file, line = own[-1] if own else lines[-1]
    return f" at {file}:{line}"


_OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"


@cache
def _foreign_code() -> tuple[str, ...]:
    """Where code lies that is not the program's: the standard library and installed packages."""
    schemes = ("stdlib", "platstdlib", "purelib", "platlib")
    return ("<", *(f"{sysconfig.get_path(scheme)}{os.sep}" for scheme in schemes))


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
