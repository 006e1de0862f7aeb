"""What a run must not leave behind: tasks, and complaints of the event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest


@pytest.fixture
async def nothing_is_left() -> AsyncIterator[None]:
    """Fail a test that leaves a task running, or an exception that no code looked at."""
    complaints: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
    before = asyncio.all_tasks()
    gc.collect()
    # A client of OpenAI that an earlier test left open closes itself in a task of this loop.
    closing = asyncio.all_tasks() - before
    if closing:
        await asyncio.wait(closing)
    yield
    gc.collect()
    mine = asyncio.current_task()
    assert [task for task in asyncio.all_tasks() - before if task is not mine] == []
    assert complaints == []


def running() -> set[asyncio.Task[Any]]:
    """The tasks of this loop besides the one that asks."""
    mine = asyncio.current_task()
    return {task for task in asyncio.all_tasks() if task is not mine}
