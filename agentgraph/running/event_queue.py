"""The queue between a streamed run and its consumer: events in order, a limit to how many wait, and
a rendezvous between turns.

Putting an event never waits; a delta costs an append. Where a consumer is slower than the model,
``put`` says that the queue is full and the model waits for ``backpressure``. The queue therefore
holds at most the limit and the items of one turn. Between two turns the run awaits ``drained``, so
that a consumer sees a whole turn before the next one begins. Without a consumer the run never waits.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from agentgraph.stream_events import StreamEvent


MOST_PENDING: Final = 1024
"""How many events may wait for a consumer before a model waits for it."""


class EventQueue:
    """Events of one run; each goes to one consumer.

    Args:
        limit: How many events may wait for a consumer before the queue is full; ``None`` means any
            number.
    """

    __slots__ = (
        "_caught_up",
        "_closed",
        "_consumers",
        "_events",
        "_full",
        "_limit",
        "_waited_for",
        "_waiting",
    )

    def __init__(self, limit: int | None = MOST_PENDING) -> None:
        self._events: deque[StreamEvent] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._full: list[asyncio.Future[None]] = []
        self._caught_up: asyncio.Future[None] | None = None
        self._limit = sys.maxsize if limit is None else limit
        self._consumers = 0
        self._closed = False
        self._waited_for = True

    def put(self, event: StreamEvent) -> bool:
        """Add an event and wake who waits for it; once the queue is closed nothing is added.

        Returns:
            Whether the queue is full and a consumer is there who can make room: a producer that can
            wait awaits ``backpressure`` before its next event.
        """
        if self._closed:
            return False
        events = self._events
        events.append(event)
        for waiting in self._waiting:
            _settle(waiting)
        return len(events) >= self._limit and self._is_consumed

    @property
    def _is_consumed(self) -> bool:
        return self._consumers > 0 and self._waited_for and not self._closed

    async def backpressure(self) -> None:
        """Wait until the consumers have taken half of what waits, or left."""
        # Not until there is room for one: producer and consumer would take turns at every event.
        while len(self._events) > self._limit // 2 and self._is_consumed:
            room = asyncio.get_running_loop().create_future()
            self._full.append(room)
            try:
                await room
            finally:
                self._full.remove(room)

    def wait_for_nobody(self) -> None:
        """Let the run go on from here however slow its consumer is."""
        self._waited_for = False
        self._let_go()

    def _let_go(self) -> None:
        _settle(self._caught_up)
        self._make_room()

    def _make_room(self) -> None:
        for room in self._full:
            _settle(room)

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
        self._let_go()

    @property
    def pending(self) -> int:
        """How many events nobody has seen yet."""
        return len(self._events)

    async def drained(self) -> None:
        """Wait until a consumer, if there is one, has seen every event and asks for the next."""
        if not self._is_consumed or (self._waiting and not self._events):
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
                    event = events.popleft()
                    if self._full and len(events) <= self._limit // 2:
                        self._make_room()
                    yield event
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
            self._let_go()


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
