"""The package's logger, and the only functions that log failures of models and tools.

A log line names the failed action and the class of the exception. It never contains the exception's
message or the text of a model or a user, because these may hold secrets. Diagnostic details come
from a callable, which is called only if the logger is at level DEBUG.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
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
    "warn_once",
]

logger: Final = logging.getLogger("agentgraph")

DiagnosticExtra: TypeAlias = Callable[[], Mapping[str, object]] | None


@lru_cache(maxsize=1024)
def warn_once(message: str, *arguments: object) -> None:
    """Warn about a thing that does not change, such as a name or a setting.

    The same text is logged once in a process, however often the code looks at the thing; after
    a thousand other texts it may be logged again.

    Args:
        message: The warning, in the form that `logging` takes.
        arguments: The names that it mentions.
    """
    logger.warning(message, *arguments)


def enable_verbose_stdout_logging() -> None:
    """Write all log messages of the package to standard output.

    A second call changes nothing.
    """
    logger.setLevel(logging.DEBUG)
    if not any(isinstance(h, _StandardOutput) for h in logger.handlers):
        logger.addHandler(_StandardOutput(sys.stdout))


class _StandardOutput(logging.StreamHandler):  # type: ignore[type-arg]  # generic in stubs only
    """The handler that `enable_verbose_stdout_logging` adds, recognised by its class."""


def _log(
    level: int,
    target: logging.Logger,
    message: str,
    exc: BaseException,
    stacklevel: int,
    diagnostic_extra: DiagnosticExtra,
) -> None:
    with_details = diagnostic_extra is not None and target.isEnabledFor(logging.DEBUG)
    extra = dict(diagnostic_extra()) if with_details and diagnostic_extra else None
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
            target_logger: The logger to use.
            message: A description of the action, without user content.
            exc: The exception; only its class is logged.
            stacklevel: The number of frames between the log call and the line that it reports.
            diagnostic_extra: Returns fields for the log record; called at level DEBUG only.
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
        target_logger: The logger to use.
        redacted_message: A description of the problem, without the data.
        diagnostic_message: A description with the data; logged instead at level DEBUG.
        diagnostic_args: Returns the arguments of `diagnostic_message`; called at level DEBUG only.
        stacklevel: The number of frames between the log call and the line that it reports.
    """
    if target_logger.isEnabledFor(logging.DEBUG):
        arguments = diagnostic_args() if diagnostic_args else ()
        target_logger.warning(diagnostic_message, *arguments, stacklevel=stacklevel)
    else:
        target_logger.warning(redacted_message, stacklevel=stacklevel)
