"""Closing the async generators that a run has left open, on an event loop that lives on.

`loop.shutdown_asyncgens` is for a loop that ends: it closes all generators, and the loop then warns
about each new one. This module closes only generators that were started while one coroutine ran.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, TypeVar
from weakref import WeakSet

__all__ = ["BegunGenerators"]

T = TypeVar("T")


class BegunGenerators:
    """The async generators that are started on a loop while a coroutine runs.

    Args:
        loop: The loop on which it runs.

    Attributes:
        any: Whether one was started.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.any = False
        self._loop = loop
        self._begun: WeakSet[AsyncGenerator[Any, Any]] = WeakSet()
        self._closing: set[asyncio.Task[None]] = set()

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        """Await some work and record the generators that are started meanwhile.

        Returns:
            What the work returns.

        Raises:
            BaseException: Whatever the work raises.
        """
        before = sys.get_asyncgen_hooks()

        def begun(generator: AsyncGenerator[Any, Any]) -> None:
            self.any = True
            self._begun.add(generator)
            if before.firstiter is not None:
                before.firstiter(generator)

        sys.set_asyncgen_hooks(begun, self._dropped)
        try:
            return await work
        finally:
            sys.set_asyncgen_hooks(*before)

    async def close(self) -> None:
        """Close the generators that are not running, and wait until all are closed.

        The loop's exception handler receives the exception of one that fails to close.
        """
        await asyncio.sleep(0)  # lets the closing of dropped generators begin
        for generator in tuple(self._begun):
            if not getattr(generator, "ag_running", False):
                self._close(generator)
        while self._closing:
            await asyncio.wait(tuple(self._closing))

    def _dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Close a generator that was garbage-collected; the call may come from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close, generator)

    def _close(self, generator: AsyncGenerator[Any, Any]) -> None:
        task = self._loop.create_task(_closed(self._loop, generator))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


async def _closed(loop: asyncio.AbstractEventLoop, generator: AsyncGenerator[Any, Any]) -> None:
    try:
        await generator.aclose()
    except Exception as error:  # noqa: BLE001 - the end of a generator is user code
        message = f"an error occurred during closing of asynchronous generator {generator!r}"
        loop.call_exception_handler({"message": message, "exception": error, "asyncgen": generator})
