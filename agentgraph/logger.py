"""The package's logger, and the only ways in which failures of models and tools are logged.

A log line says what failed and the class of the exception. What the exception says, and what the
model or the user said, stays out: it may hold secrets. Diagnostic details are given by a callable
that is only called when the logger is at level DEBUG.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

__all__ = [
    "enable_verbose_stdout_logging",
    "log_model_action_debug",
    "log_model_action_error",
    "log_model_action_warning",
    "log_model_and_tool_action_debug",
    "log_model_and_tool_action_error",
    "log_model_and_tool_action_warning",
    "log_model_and_tool_data_warning",
    "log_tool_action_debug",
    "log_tool_action_error",
    "log_tool_action_warning",
    "logger",
]

logger: Final = logging.getLogger("agentgraph")

DiagnosticExtra: TypeAlias = Callable[[], Mapping[str, object]] | None


def enable_verbose_stdout_logging() -> None:
    """Show everything that the package logs on standard output.

    Calling it again changes nothing.
    """
    logger.setLevel(logging.DEBUG)
    if not any(isinstance(h, _StandardOutput) for h in logger.handlers):
        logger.addHandler(_StandardOutput(sys.stdout))


class _StandardOutput(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """The handler that `enable_verbose_stdout_logging` adds, known by its class."""


def _log(
    level: int,
    target: logging.Logger,
    message: str,
    exc: BaseException,
    stacklevel: int,
    diagnostic_extra: DiagnosticExtra,
) -> None:
    wanted = diagnostic_extra is not None and target.isEnabledFor(logging.DEBUG)
    extra = dict(diagnostic_extra()) if wanted and diagnostic_extra else None
    target.log(level, "%s (%s)", message, type(exc).__name__, extra=extra, stacklevel=stacklevel)


def _at(level: int) -> Callable[..., None]:
    def log_action(
        target_logger: logging.Logger,
        message: str,
        exc: BaseException,
        *,
        stacklevel: int = 3,
        diagnostic_extra: DiagnosticExtra = None,
    ) -> None:
        """Log that an action failed.

        Args:
            target_logger: Where to log.
            message: What was being done, without user content.
            exc: What was raised; only its class is logged.
            stacklevel: How many frames up the log line points.
            diagnostic_extra: Gives fields for the log record, at level DEBUG only.
        """
        _log(level, target_logger, message, exc, stacklevel, diagnostic_extra)

    return log_action


log_model_action_error = _at(logging.ERROR)
log_model_action_warning = _at(logging.WARNING)
log_model_action_debug = _at(logging.DEBUG)
log_tool_action_error = _at(logging.ERROR)
log_tool_action_warning = _at(logging.WARNING)
log_tool_action_debug = _at(logging.DEBUG)
log_model_and_tool_action_error = _at(logging.ERROR)
log_model_and_tool_action_warning = _at(logging.WARNING)
log_model_and_tool_action_debug = _at(logging.DEBUG)


def log_model_and_tool_data_warning(
    target_logger: logging.Logger,
    redacted_message: str,
    *,
    diagnostic_message: str,
    diagnostic_args: Callable[[], tuple[object, ...]] | None = None,
    stacklevel: int = 2,
) -> None:
    """Warn about unusable data without showing it.

    Args:
        target_logger: Where to log.
        redacted_message: What is wrong, without the data.
        diagnostic_message: What is wrong with the data; logged instead at level DEBUG.
        diagnostic_args: Gives the arguments of `diagnostic_message`, at level DEBUG only.
        stacklevel: How many frames up the log line points.
    """
    if target_logger.isEnabledFor(logging.DEBUG):
        arguments = diagnostic_args() if diagnostic_args else ()
        target_logger.warning(diagnostic_message, *arguments, stacklevel=stacklevel)
    else:
        target_logger.warning(redacted_message, stacklevel=stacklevel)
