"""What the sessions share whose texts are reached by a client of another library.

The connections of a client belong to one event loop. `close` closes only a client that the session
made.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.errors import SessionClosedError, SessionError
from agentgraph.memory.session import Accept
from agentgraph.memory.store import StoreSession

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["ClientSession", "Texts", "in_its_loop"]

Texts = Sequence[str | bytes | None]
"""Stored texts, the oldest first; None for an entry that is no text, and counts."""


class ClientSession(StoreSession):
    """A session with a client that the caller closes, unless the session made it."""

    _owns_client = False
    _failures: ClassVar[tuple[type[Exception], ...]]
    """The exceptions of the client, if a server does not do what it should."""

    async def ping(self) -> bool:
        """Return whether the server answers."""
        try:
            return bool(await self._ping())
        except self._failures:
            return False

    async def close(self) -> None:
        """Close the client if the session made it; closing again does nothing."""
        if not self._closed:
            self._closed = True
            if self._owns_client:
                with in_its_loop(self._label):
                    await self._close_client()

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        count = limit
        while True:
            texts, complete = await self._latest(count)
            # Damaged texts do not count: read further back until there are enough items.
            if limit is None or count is None or complete or len(decode_items(texts)) >= limit:
                items = self._decoded(texts)
                return items if limit is None else items[-limit:]
            count *= 4

    async def _texts(self) -> Texts:
        texts, _ = await self._latest(None)
        return texts

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        count = 1
        while True:
            texts, complete = await self._latest(count)
            damaged = 0
            for place, text in enumerate(reversed(texts), 1):
                item = decode_item(text)
                damaged += item is None
                if text is not None and item is not None and accept(item):
                    # Another process may have removed it since it was read.
                    if await self._remove(place, text):
                        self._report(damaged)
                        return item
                    break
            else:
                if complete:
                    self._report(damaged)
                    return None
                count *= 4

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn an error of the client into one that says what it means for the session."""
        self._check_open()
        try:
            with in_its_loop(self._label):
                yield
        except self._failures as error:
            raise SessionError(self._label + self._failure(error)) from error

    @abstractmethod
    async def _latest(self, count: int | None) -> tuple[Texts, bool]:
        """Return the latest texts (None: all), and whether there are no others."""

    @abstractmethod
    async def _remove(self, place: int, text: str | bytes) -> bool:
        """Remove a text, if it still is in this place, counted from the end; return whether it
        was."""

    @abstractmethod
    def _failure(self, error: Exception) -> str:
        """Return what a message about a failure says after the session's name."""

    @abstractmethod
    async def _ping(self) -> object:
        """Ask the server for any answer."""

    @abstractmethod
    async def _close_client(self) -> None:
        """Close the client."""


@contextmanager
def in_its_loop(label: str) -> Iterator[None]:
    """Turn a driver's error about the wrong event loop into one that says what to do.

    Args:
        label: The name of the session in messages.

    Raises:
        SessionError: The connections belong to an event loop that does not run here. Its cause is
            the driver's error, which names neither the session nor a remedy.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, SessionClosedError) or "loop" not in str(error):
            raise
        raise SessionError(
            f"{label}: its connections belong to one event loop, which does not run here; make the "
            "session, use it and close it in one loop, such as inside the one coroutine that "
            "asyncio.run() is given"
        ) from error
