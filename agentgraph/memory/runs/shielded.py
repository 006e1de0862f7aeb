"""Work that a cancellation must not interrupt.

If the caller is cancelled, the work finishes before the cancellation goes on. A second cancellation
does not wait; the work then finishes later, on its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["shielded"]

_T = TypeVar("_T")


async def shielded(work: Coroutine[Any, Any, _T]) -> _T:
    """Return the result of some work; if the caller is cancelled, wait until the work has ended.

    Args:
        work: A coroutine that has not started yet.

    Raises:
        asyncio.CancelledError: The caller was cancelled. The work has ended, successfully or not.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Retrieve the exception, so that asyncio does not log it as lost.
            task.exception()
        raise
