"""Work that a cancellation must not cut in the middle.

What a caller was cancelled in is ended before the cancellation goes on. Cancelling once more does
not wait: then the work ends by itself, later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["shielded"]

_T = TypeVar("_T")


async def shielded(work: Coroutine[Any, Any, _T]) -> _T:
    """Return what some work returns; when cancelled, wait until it has ended.

    Args:
        work: A coroutine that was not started yet.

    Raises:
        asyncio.CancelledError: The caller was cancelled. The work has ended, well or not.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            # Nobody else asks for it; the cancellation says enough.
            task.exception()
        raise
