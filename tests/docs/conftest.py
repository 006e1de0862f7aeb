"""What documents leave behind is closed with the test that executed them."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _loop_of_run_sync(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close the event loop that `Runner.run_sync` keeps for the thread, as a program's end does.

    Left to the collector it would warn in whichever test happens to run then.
    """
    if inspect.iscoroutinefunction(request.function):
        yield
        return
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    yield
    own.close()
    asyncio.set_event_loop(None)
