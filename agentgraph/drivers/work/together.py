"""Waiting for several pieces of the caller's code at once, so that none of them outlives the
others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def together(*work: Awaitable[T]) -> list[T]:
    """Wait for all of them, side by side.

    Args:
        work: What to wait for.

    Returns:
        What they gave, in their order.

    Raises:
        Exception: What the first of them raised; the others are cancelled and over by then.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
