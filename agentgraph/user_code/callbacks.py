"""Calling callbacks of the user, which may be sync or async.

The caller calls a callback and then awaits the return value if it is awaitable. It never checks
whether the callback is a coroutine function: callable objects and partials hide that.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine
from typing import Any, TypeAlias, TypeVar

from agentgraph.logger import logger
from agentgraph.user_code.cancellation import take_back

__all__ = [
    "MaybeAwaitable",
    "call_in_thread",
    "gather_or_cancel",
    "name_of",
    "resolve",
]

T = TypeVar("T")

MaybeAwaitable: TypeAlias = Awaitable[T] | T
"""A value, or an awaitable of it."""


async def resolve(value: MaybeAwaitable[T]) -> T:
    """Await a value if it is awaitable.

    Args:
        value: The return value of a callback.

    Returns:
        The value, or the result of awaiting it.
    """
    if not isawaitable(value):
        return value
    take_back()
    return await value


async def gather_or_cancel(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """Call several callbacks concurrently and wait for all of them; none outlives this call.

    Args:
        calls: The callbacks. Each is called in its own task, so that one that raises before it
            returns an awaitable also cancels the others.

    Returns:
        The results, in the order of `calls`.

    Raises:
        Exception: The first exception of a callback. The other tasks are cancelled and have ended
            by then.
    """

    async def call_in_task(call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    tasks = [asyncio.create_task(call_in_task(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def call_in_thread(
    owner: str, function: Callable[..., Any], /, *args: object, **kw: object
) -> Any:
    """Call a sync function in a thread, with the caller's context variables, so that it does not
    block the event loop.

    Python cannot stop a thread. If the caller is cancelled before the function begins, the function
    never begins. If it has begun, it continues to its end, and a warning says so.

    Args:
        owner: The tool and its agent, for that warning.
        function: The function.
        args: Its positional arguments.
        kw: Its keyword arguments.

    Returns:
        The return value. If it is an awaitable, as that of `lambda: coroutine()` is, the result of
        awaiting it.

    Raises:
        RuntimeError: The function raised `StopIteration`, which is the cause.
        asyncio.CancelledError: The caller was cancelled, or the function raised it.
        Exception: Any other exception of the function.
    """
    # The thread acquires the lock to begin; a cancelled caller acquires it to prevent the begin.
    begin = threading.Lock()
    ended = caller_is_gone = False

    def shielded() -> Any:
        nonlocal ended
        if not begin.acquire(blocking=False):
            return None
        try:
            result = function(*args, **kw)
            if caller_is_gone and iscoroutine(result):
                result.close()  # the caller was cancelled, so it will never be awaited
            return result
        except StopIteration as error:
            # A future cannot carry StopIteration: the caller would wait forever.
            raise RuntimeError(f"{name_of(function)} raised StopIteration.") from error
        finally:
            ended = True

    try:
        result = await asyncio.to_thread(shielded)
    except asyncio.CancelledError:
        caller_is_gone = True
        if not begin.acquire(blocking=False) and not ended:
            logger.warning(
                "The thread of %s continues after its call was cancelled: Python cannot stop a"
                " thread. Write the tool with 'async def' if a cancellation must stop it.",
                owner,
            )
        raise
    return await resolve(result)


def name_of(callback: object) -> str:
    """Return a readable name of a callback: a function's own name, else the name of its class."""
    name = getattr(callback, "__name__", None)
    return name if isinstance(name, str) and name else type(callback).__name__
