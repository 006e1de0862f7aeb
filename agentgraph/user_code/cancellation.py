"""Telling a cancelled run from work that raised `CancelledError` by itself.

Rule: the runner drives a run, and each piece of work beside others, in an `OwnTask`, and only
`OwnTask.stop` says that it was cancelled. `Task.cancelling()` proves nothing: on Python 3.11 and
3.12 a `TaskGroup` that failed, and was handled, leaves it at 1. A caller of the runner waits in
`in_own_task`, which alone learns of the caller's cancellation and passes it on.

A run so has a copy of the caller's context variables: it sees what the caller set before, and the
caller does not see what hooks and tools set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from agentgraph.exceptions import UserError

__all__ = ["OwnTask", "in_own_task", "is_stopped", "own_task", "take_back", "was_cancelled"]

T = TypeVar("T")


class OwnTask(asyncio.Task[T]):
    """A task that the runner makes.

    Attributes:
        stopped: Whether the runner cancelled it.
    """

    stopped = False

    def stop(self) -> None:
        """Cancel the task, and say so to the work in it."""
        self.stopped = True
        self.cancel()


async def in_own_task(work: Coroutine[Any, Any, T], what: str) -> T:
    """Do some work in a task of its own and wait until it is over.

    Args:
        work: A coroutine that was not started yet.
        what: What the work is, for the error message.

    Returns:
        What the work returns.

    Raises:
        asyncio.CancelledError: The caller was cancelled. The work was cancelled too and is over;
            an exception that it ended with is the cause.
        UserError: The work ended with `CancelledError` although the caller was not cancelled.
        BaseException: Whatever else the work raised.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    task = OwnTask(_announced(work, over), loop=loop)
    # A task that is cancelled before its first step runs no line of its coroutine.
    task.add_done_callback(partial(_announce, over))
    try:
        # To await the task itself would cancel it before anything says that it is stopped.
        await over
    except asyncio.CancelledError as cancelled:
        while not task.done():
            task.stop()
            # Each further cancellation of the caller is passed on like the first one.
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        work.close()  # where the task never began, nothing else does
        raise cancelled from (None if task.cancelled() else task.exception())
    try:
        return task.result()
    except asyncio.CancelledError as error:
        raise UserError(
            f"{what} ended with CancelledError although it was not cancelled. Something that it"
            " awaits, such as a session, was cancelled."
        ) from error


async def _announced(work: Coroutine[Any, Any, T], over: asyncio.Future[None]) -> T:
    """Do some work and say in its last step that it is over: the caller wakes one pass of the loop
    earlier than a callback of the task could wake it."""
    try:
        return await work
    finally:
        _announce(over)


def _announce(over: asyncio.Future[None], _: object = None) -> None:
    if not over.done():
        over.set_result(None)


def is_stopped() -> bool:
    """Whether the runner cancelled the task that is running; also after work in it swallowed that.

    In a task that the runner did not make: no.
    """
    task = asyncio.current_task()
    return isinstance(task, OwnTask) and task.stopped


async def was_cancelled(before: int = 0) -> bool:
    """Whether a `CancelledError` that work raised is the cancellation of the task that is running.

    Args:
        before: What `take_back` said before the work, for a task that the runner did not make.

    Raises:
        asyncio.CancelledError: The task is cancelled at this moment.
    """
    task = asyncio.current_task()
    if not isinstance(task, OwnTask):
        return task is not None and task.cancelling() > before
    if not task.stopped and task.cancelling():
        # A loop that shuts down cancels all tasks at once. Let the one that awaits this task stop
        # it first.
        await asyncio.sleep(0)
    return task.stopped


def own_task() -> OwnTask[Any] | None:
    """The task that is running, if the runner made it."""
    task = asyncio.current_task()
    return task if isinstance(task, OwnTask) else None


def take_back(task: asyncio.Task[Any] | None = None) -> int:
    """Take back cancellations that user code left behind in a task of the runner.

    Call it before user code: on Python 3.11 and 3.12 a leftover makes the next `TaskGroup` or
    `asyncio.timeout` of the task raise `CancelledError` in place of what happened.

    Args:
        task: The task that is running, where the caller knows it.

    Returns:
        How many cancellations of the task are left.
    """
    if task is None:
        task = asyncio.current_task()
        if task is None:
            return 0
    left = task.cancelling()
    if left and isinstance(task, OwnTask) and not task.stopped:
        while task.cancelling():
            left = task.uncancel()
    return left
