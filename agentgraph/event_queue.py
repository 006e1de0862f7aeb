"""The queue between a streamed run and its consumer: events in order, and a rendezvous between
turns.

Putting an event never waits; a delta costs an append. ``caught_up`` is how the run lets a consumer
see a whole turn before the next one begins; without a consumer nobody is waited for.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from agentgraph.stream_events import StreamEvent


class EventQueue:
    """Events of one run; each goes to one consumer."""

    __slots__ = ("_caught_up", "_closed", "_consumers", "_events", "_waiting")

    def __init__(self) -> None:
        self._events: deque[StreamEvent] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._caught_up: asyncio.Future[None] | None = None
        self._consumers = 0
        self._closed = False

    def put(self, event: StreamEvent) -> None:
        """Add an event and wake who waits for it; once the queue is closed nothing is added."""
        if self._closed:
            return
        self._events.append(event)
        for waiting in self._waiting:
            _settle(waiting)

    def close(self, *, discard: Literal["nothing", "raw", "everything"] = "nothing") -> None:
        """Say that no event follows.

        Args:
            discard: Which of the events not yet seen are dropped: none, those that pass on what a
                model said, or all.
        """
        self._closed = True
        if discard == "everything":
            self._events.clear()
        elif discard == "raw":
            kept = [event for event in self._events if event.type != "raw_response_event"]
            self._events.clear()
            self._events.extend(kept)
        for waiting in self._waiting:
            _settle(waiting)
        _settle(self._caught_up)

    @property
    def pending(self) -> int:
        """How many events nobody has seen yet."""
        return len(self._events)

    async def caught_up(self) -> None:
        """Wait until a consumer, if there is one, has seen every event and asks for the next."""
        if not self._consumers or self._closed or (self._waiting and not self._events):
            return
        self._caught_up = asyncio.get_running_loop().create_future()
        try:
            await self._caught_up
        finally:
            self._caught_up = None

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """The events, until the queue is closed."""
        events = self._events
        self._consumers += 1
        try:
            while True:
                while events:
                    yield events.popleft()
                if self._closed:
                    return
                _settle(self._caught_up)
                waiting = asyncio.get_running_loop().create_future()
                self._waiting.append(waiting)
                try:
                    await waiting
                finally:
                    self._waiting.remove(waiting)
        finally:
            self._consumers -= 1
            _settle(self._caught_up)


def _settle(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


STARTED: Any = object()
"""What an iterator of events yields first, to :func:`take_first_step` alone."""


def take_first_step(events: AsyncGenerator[StreamEvent, None]) -> None:
    """Take the first step of an iterator of events.

    Python runs no ``finally`` of an async generator that was never started, so one that is closed,
    dropped or cancelled before its first event would let the run go on.
    """
    try:
        events.__anext__().send(None)
    except StopIteration:
        return
