"""Waiting for a coroutine from sync code, on an event loop that the thread keeps."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine
from typing import Any, TypeVar

from agentgraph.running.async_generators import BegunGenerators

__all__ = ["wait_for"]

T = TypeVar("T")


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on this thread's event loop, which stays open for the next call.

    Args:
        work: The coroutine.

    Returns:
        What it returns.

    Raises:
        RuntimeError: An event loop is running in this thread.
        BaseException: Whatever the coroutine raises.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        work.close()
        raise RuntimeError(
            "Runner.run_sync() cannot be called while an event loop is running in this thread;"
            " use 'await Runner.run(...)' instead."
        )
    loop = _loop_of_this_thread()
    generators = BegunGenerators(loop)
    task = loop.create_task(generators.during(work))
    try:
        return loop.run_until_complete(task)
    except BaseException:
        # An interrupted wait must not leave an unfinished run in a loop that no longer runs.
        if not task.done():
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        raise
    finally:
        if generators.any:  # the loop stops here, so it would not close them itself
            loop.run_until_complete(generators.close())


def _loop_of_this_thread() -> asyncio.AbstractEventLoop:
    try:
        with warnings.catch_warnings():
            # From Python 3.12 on, creating a thread's first loop warns, and the caller of a sync
            # function can do nothing about it.
            warnings.simplefilter("ignore", DeprecationWarning)
            loop = asyncio.get_event_loop_policy().get_event_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    if loop.is_closed():
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
    return loop
