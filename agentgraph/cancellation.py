"""Telling a cancelled task from work that raised `CancelledError` by itself.

Rule: whoever awaits a user's code and catches `CancelledError` asks here. Only a task that somebody
cancelled passes the exception on; anything else has failed.
"""

from __future__ import annotations

import asyncio

__all__ = ["is_cancelled"]


def is_cancelled() -> bool:
    """Whether somebody cancelled the task that is running."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
