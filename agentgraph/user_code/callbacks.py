"""Functions that users hand over, sync or async as they like.

A callback is called first, and what it returned is awaited if it can be. Whether the function
itself is a coroutine function is never asked, because callable objects and partials hide it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from inspect import isawaitable, iscoroutine
from typing import Any, TypeAlias, TypeVar

from agentgraph.exceptions import UserError
from agentgraph.logger import logger
from agentgraph.user_code.cancellation import take_back

__all__ = [
    "MaybeAwaitable",
    "call_in_thread",
    "check_callable",
    "gather_or_cancel",
    "name_of",
    "resolve",
]

T = TypeVar("T")

MaybeAwaitable: TypeAlias = Awaitable[T] | T
"""A value, or something that gives it when awaited."""


async def resolve(value: MaybeAwaitable[T]) -> T:
    """Wait for a value if it has to be waited for.

    Args:
        value: What a callback returned.

    Returns:
        The value itself.
    """
    if not isawaitable(value):
        return value
    take_back()
    return await value


async def gather_or_cancel(*calls: Callable[[], Awaitable[T]]) -> list[T]:
    """Call several callbacks and wait for all of them, side by side, so that none outlives the
    others.

    Args:
        calls: Each is called in a task of its own: one that raises when it is called leaves nothing
            of the others behind, either.

    Returns:
        What they gave, in their order.

    Raises:
        Exception: What the first of them raised; the others are cancelled and over by then.
    """

    async def called(call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    tasks = [asyncio.create_task(called(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def call_in_thread(owner: str, function: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
    """Call a sync function in a thread, with the caller's context variables, so that it does not
    block the loop.

    Python cannot stop a thread. When the caller is cancelled, a function that has not begun never
    begins; one that has begun goes on, and a warning says so.

    Args:
        owner: The tool and its agent, for that warning.
        function: What is called.
        args: Its arguments by position.
        kw: Its arguments by name.

    Returns:
        What it returned; if that is an awaitable, as of `lambda: coroutine()`, what that gives.

    Raises:
        RuntimeError: It raised `StopIteration`, which is the cause.
        asyncio.CancelledError: The caller was cancelled, or the function raised it.
        Exception: Whatever else it raised.
    """
    # The thread takes it to begin, or a cancelled caller takes it so that the thread never begins.
    begun = threading.Lock()
    ended = left = False

    def shielded() -> Any:
        nonlocal ended
        if not begun.acquire(blocking=False):
            return None
        try:
            returned = function(*args, **kw)
            if left and iscoroutine(returned):
                returned.close()  # nobody is there any more who could await it
            return returned
        except StopIteration as error:
            # A future cannot carry StopIteration; the caller would wait for ever.
            raise RuntimeError(f"{name_of(function)} raised StopIteration.") from error
        finally:
            ended = True

    try:
        returned = await asyncio.to_thread(shielded)
    except asyncio.CancelledError:
        left = True
        if not begun.acquire(blocking=False) and not ended:
            logger.warning(
                "The thread of %s goes on after its call was cancelled: Python cannot stop a"
                " thread. Write the tool with 'async def' where a cancellation must stop it.",
                owner,
            )
        raise
    return await resolve(returned)


def name_of(callback: object) -> str:
    """Name a callback for people: a function by its name, other callables by their class."""
    name = getattr(callback, "__name__", None)
    return name if isinstance(name, str) and name else type(callback).__name__


def check_callable(callback: object, owner: str) -> None:
    """Refuse a callback that cannot be called.

    Args:
        callback: What the user handed over.
        owner: What it was handed to, for the message.

    Raises:
        UserError: It is not callable.
    """
    if not callable(callback):
        raise UserError(f"The function of {owner} must be callable, not {type(callback).__name__}.")
