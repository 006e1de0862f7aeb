"""Distinguishing a cancelled run from work that raises `CancelledError` by itself.

Rule: the runner drives each run, and each piece of concurrent work, in an `OwnTask`. Such a task
counts as cancelled only after `OwnTask.stop`. `Task.cancelling()` proves nothing: on Python 3.11
and 3.12, user code that handles a failed `TaskGroup` leaves the count at 1. The caller of the
runner waits in `in_own_task`, the only place that sees the caller's cancellation; it passes the
cancellation on to the task.

A task has a copy of the caller's context variables. A run therefore sees the values that the caller
set before, and the caller does not see the values that hooks and tools set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from agentgraph.exceptions import UserError

__all__ = [
    "OwnTask",
    "finished",
    "in_own_task",
    "is_stopped",
    "own_task",
    "take_back",
    "was_cancelled",
]

T = TypeVar("T")


class OwnTask(asyncio.Task[T]):
    """A task that the runner creates.

    Attributes:
        stopped: Whether the runner cancelled the task.
    """

    stopped = False

    def stop(self) -> None:
        """Cancel the task, and record that the runner did so."""
        self.stopped = True
        self.cancel()


async def in_own_task(work: Coroutine[Any, Any, T], what: str) -> T:
    """Run a coroutine in its own task and wait for its end.

    Args:
        work: A coroutine that has not started.
        what: A description of the work, for the error message.

    Returns:
        The result of the work.

    Raises:
        asyncio.CancelledError: The caller was cancelled. The work was cancelled too and has ended;
            if it ended with another exception, that exception is the cause.
        UserError: The work ended with `CancelledError` although the caller was not cancelled.
        BaseException: Any other exception of the work.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    task = OwnTask(_announced(work, over), loop=loop)
    # A task that is cancelled before its first step runs nothing of its coroutine, so the coroutine
    # cannot announce the end itself.
    task.add_done_callback(partial(_announce, over))
    try:
        # Awaiting the task itself would let the caller's cancellation reach it before `stop` does.
        await over
    except asyncio.CancelledError as cancelled:
        while not task.done():
            task.stop()
            # Pass each further cancellation of the caller on, like the first one.
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        work.close()  # needed if the task never began
        raise cancelled from (None if task.cancelled() else task.exception())
    try:
        return task.result()
    except asyncio.CancelledError as error:
        raise UserError(
            f"{what} ended with CancelledError although it was not cancelled. Look for an object"
            " that it awaits, such as a session, and that was cancelled."
        ) from error


async def _announced(work: Coroutine[Any, Any, T], over: asyncio.Future[None]) -> T:
    """Do the work and announce its end in the same step, so that the caller wakes one pass of the
    loop earlier than a done callback of the task could wake it."""
    try:
        return await work
    finally:
        _announce(over)


def _announce(over: asyncio.Future[None], _: object = None) -> None:
    if not over.done():
        over.set_result(None)


def is_stopped() -> bool:
    """Whether the runner cancelled the current task, even if the work swallowed the cancellation.

    In a task that the runner did not create, it is `False`.
    """
    task = asyncio.current_task()
    return isinstance(task, OwnTask) and task.stopped


async def was_cancelled(before: int = 0) -> bool:
    """Whether a `CancelledError` of some work is the cancellation of the current task.

    Args:
        before: The result of `take_back` before the work; needed in a task that the runner did not
            create.

    Raises:
        asyncio.CancelledError: The task is cancelled during this call.
    """
    task = asyncio.current_task()
    if not isinstance(task, OwnTask):
        return task is not None and task.cancelling() > before
    if not task.stopped and task.cancelling():
        # A loop that shuts down cancels all tasks at once. Let the task that awaits this one stop
        # it first.
        await asyncio.sleep(0)
    return task.stopped


def own_task() -> OwnTask[Any] | None:
    """The current task, if the runner created it."""
    task = asyncio.current_task()
    return task if isinstance(task, OwnTask) else None


def take_back(task: asyncio.Task[Any] | None = None) -> int:
    """Undo the cancellation requests that user code left behind in a task of the runner.

    Call it before user code. On Python 3.11 and 3.12, a leftover request makes the task's next
    `TaskGroup` or `asyncio.timeout` raise `CancelledError` instead of the real exception.

    Args:
        task: The current task, if the caller has it at hand.

    Returns:
        The number of cancellation requests that remain.
    """
    if task is None:
        task = asyncio.current_task()
        if task is None:
            return 0
    remaining = task.cancelling()
    if remaining and isinstance(task, OwnTask) and not task.stopped:
        while task.cancelling():
            remaining = task.uncancel()
    return remaining


async def finished(task: asyncio.Task[None]) -> None:
    """Wait until a task is over, however it ends. Cancelling the caller ends only the wait."""
    if not task.done():
        await asyncio.wait([task])
