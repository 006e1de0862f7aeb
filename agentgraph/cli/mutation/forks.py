"""Forks of a test process, one for each order, so that Python, pytest and the library are loaded
only once for all mutants."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Final

from agentgraph.cli.capture.warming import warm
from agentgraph.cli.mutation.orders import Batch, Order

__all__ = ["can_fork", "fork_for_each"]

_USUAL: Final = ("openai.types.responses", "hypothesis")
"""What a model needs, and what a plugin imports only when it sums up."""
_WITHOUT_PLUGINS: Final = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
_SECOND: Final = 1.0


def can_fork() -> bool:
    """Whether a fork of this process is safe, and its end can be waited for."""
    return hasattr(signal, "sigtimedwait") and threading.active_count() == 1


@dataclass(frozen=True, slots=True)
class _Fork:
    order: Order
    began: float
    deadline: float


def fork_for_each(batch: Batch) -> Order:
    """Carry out each order in a fork of this process, several at a time.

    Args:
        batch: The orders.

    Returns:
        In each fork its order. This process ends here, once all forks have.
    """
    if sys.platform == "win32":
        raise OSError("this system has no forks")
    _load()
    waiting, running = list(reversed(batch.orders)), dict[int, _Fork]()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while waiting or running:
        while waiting and len(running) < batch.jobs:
            order, server = waiting.pop(), os.getpid()
            sys.stdout.flush()
            sys.stderr.flush()
            process = os.fork()
            if process == 0:
                return _begin(order, server)
            now = time.monotonic()
            deadline = float("inf") if batch.seconds is None else now + batch.seconds
            running[process] = _Fork(order, now, deadline)
        _wait(running)
    os._exit(0)


def _load() -> None:
    """Load what each fork would load: the library, and the plugins of pytest."""
    warm([])
    plugins = () if os.environ.get(_WITHOUT_PLUGINS) else entry_points(group="pytest11")
    for name in (*_USUAL, *(plugin.module for plugin in plugins)):
        with contextlib.suppress(ImportError):  # pytest says so, if it needs it
            import_module(name)


def _begin(order: Order, server: int) -> Order:
    os.setsid()
    order.note_process()
    if os.getppid() != server:  # the command was ended, and with it this process
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    output = os.open(order.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.update(order.environment())
    return order


def _wait(running: dict[int, _Fork]) -> None:
    """Wait until a fork ends, or its time is up."""
    rest = min(fork.deadline for fork in running.values()) - time.monotonic()
    # A signal that came before this call is pending, so no end is missed; two ends may be one
    # signal.
    signal.sigtimedwait({signal.SIGCHLD}, min(max(rest, 0.0), _SECOND))
    for process, fork in [*running.items()]:
        ended, status = os.waitpid(process, os.WNOHANG)
        is_overdue = not ended and time.monotonic() >= fork.deadline
        if not ended and not is_overdue:
            continue
        end_group(process)
        if is_overdue:
            os.waitpid(process, 0)
        code = None if is_overdue else os.waitstatus_to_exitcode(status)
        fork.order.note_end(code, time.monotonic() - fork.began)
        del running[process]


def end_group(process: int) -> None:
    """End the processes of a group at once."""
    if sys.platform == "win32":
        return
    try:
        os.killpg(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the second of a group that ended
        return
