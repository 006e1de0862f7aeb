"""The queue between a streamed run and its consumer: ordered events, a limit, and a rendezvous.

Putting an event never waits; a delta costs an append. If the consumer is slower than the model,
``put`` says that the queue is full and the model waits for ``backpressure``. The queue therefore
holds at most the limit and the items of one turn. Between two turns the run awaits ``drained``, so
that a consumer sees a whole turn before the next begins. Without a consumer the run never waits.
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
    """The events of one run; each event goes to one consumer.

    Args:
        limit: How many events may wait for a consumer before the queue is full; ``None`` means any
            number.
    """

    __slots__ = (
        "_closed",
        "_consumer_waits",
        "_consumers",
        "_drained",
        "_events",
        "_full",
        "_limit",
        "_waits",
    )

    def __init__(self, limit: int | None = MOST_PENDING) -> None:
        self._events: deque[StreamEvent] = deque()
        self._consumer_waits: list[asyncio.Future[None]] = []
        self._full: list[asyncio.Future[None]] = []
        self._drained: asyncio.Future[None] | None = None
        self._limit = sys.maxsize if limit is None else limit
        self._consumers = 0
        self._closed = False
        self._waits = True

    def put(self, event: StreamEvent) -> bool:
        """Add an event and wake the consumers that wait for one; a closed queue ignores it.

        Returns:
            Whether the queue is full and has a consumer. A producer that can wait then awaits
            ``backpressure`` before its next event.
        """
        if self._closed:
            return False
        events = self._events
        events.append(event)
        for future in self._consumer_waits:
            _settle(future)
        return len(events) >= self._limit and self._is_consumed

    @property
    def _is_consumed(self) -> bool:
        return self._consumers > 0 and self._waits and not self._closed

    async def backpressure(self) -> None:
        """Wait until the queue is half empty or has no consumer."""
        # Half empty: with room for only one event, producer and consumer would alternate.
        while len(self._events) > self._limit // 2 and self._is_consumed:
            room = asyncio.get_running_loop().create_future()
            self._full.append(room)
            try:
                await room
            finally:
                self._full.remove(room)

    def stop_waiting(self) -> None:
        """Let the run go on without waiting for its consumer from now on."""
        self._waits = False
        self._let_go()

    def _let_go(self) -> None:
        _settle(self._drained)
        self._make_room()

    def _make_room(self) -> None:
        for room in self._full:
            _settle(room)

    def close(self, *, discard: Literal["nothing", "raw", "everything"] = "nothing") -> None:
        """End the queue: no event follows.

        Args:
            discard: Which unseen events to drop: none, those of the model's raw responses, or all.
        """
        self._closed = True
        if discard == "everything":
            self._events.clear()
        elif discard == "raw":
            rest = [event for event in self._events if event.type != "raw_response_event"]
            self._events.clear()
            self._events.extend(rest)
        for future in self._consumer_waits:
            _settle(future)
        self._let_go()

    @property
    def pending(self) -> int:
        """The number of events that no consumer has seen yet."""
        return len(self._events)

    async def drained(self) -> None:
        """Wait until a consumer, if there is one, has seen every event and asks for the next."""
        if not self._is_consumed or (self._consumer_waits and not self._events):
            return
        self._drained = asyncio.get_running_loop().create_future()
        try:
            await self._drained
        finally:
            self._drained = None

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
                _settle(self._drained)
                future = asyncio.get_running_loop().create_future()
                self._consumer_waits.append(future)
                try:
                    await future
                finally:
                    self._consumer_waits.remove(future)
        finally:
            self._consumers -= 1
            self._let_go()


def _settle(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


STARTED: Any = object()
"""The first value of an iterator of events; only :func:`take_first_step` sees it."""


def take_first_step(events: AsyncGenerator[StreamEvent, None]) -> None:
    """Take the first step of an iterator of events.

    Python never runs the ``finally`` of an async generator that was not started. Without this step,
    closing, dropping or cancelling the iterator before its first event would let the run go on.
    """
    try:
        events.__anext__().send(None)
    except StopIteration:
        return
