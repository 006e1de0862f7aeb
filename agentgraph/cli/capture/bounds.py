"""The bounds of a child process: its time, its memory, its input and its output."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, NoReturn

if sys.platform != "win32":
    import resource

__all__ = ["TimeUp", "bounded", "without_input"]

_GRACE: Final = 1.0
"""Seconds between the first reminder that the time is up and the second."""


class TimeUp(BaseException):
    """The time is up. This is no ``Exception``, so that programs do not handle it."""


@contextlib.contextmanager
def bounded(
    seconds: float, megabytes: int, give_up: Callable[[], NoReturn]
) -> Iterator[Callable[[], None]]:
    """Bound what runs inside by time and memory, where the system can.

    Args:
        seconds: When the time is up, `TimeUp` is raised in the main thread.
        megabytes: The most memory, 2**20 bytes each; beyond it Python raises `MemoryError`.
        give_up: Called if the program caught `TimeUp` and goes on; it must not return.

    Yields:
        Takes the bounds away before the end of the context.
    """
    if sys.platform == "win32":  # no alarm and no limits: the parent ends the process
        yield lambda: None
        return
    previous_limits = resource.getrlimit(resource.RLIMIT_DATA)
    reminded = False

    def remind(number: int, frame: FrameType | None) -> None:
        nonlocal reminded
        if reminded:
            lift()
            give_up()
        reminded = True
        raise TimeUp(f"not ready after {seconds:g} seconds")

    def lift() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_DATA, previous_limits)

    previous_handler = signal.signal(signal.SIGALRM, remind)
    limit = megabytes * 2**20
    hard = previous_limits[1]
    soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds, _GRACE)
    try:
        yield lift
    finally:
        lift()
        signal.signal(signal.SIGALRM, previous_handler)


def without_input(output: int) -> None:
    """Give this process an empty standard input, and send all its output to one file.

    Args:
        output: The descriptor of the file.
    """
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)
