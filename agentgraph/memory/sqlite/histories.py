"""A cache of the histories that a connection has read, so that a second read needs no rows.

The cache never differs from the database. A commit of another connection empties it (`PRAGMA
data_version`). A call of this connection that changes rows removes its session, unless the call
reports the change. Every reader gets new objects, which it may change.
"""

from __future__ import annotations

import marshal
import sqlite3
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgraph.memory.transcripts.plain import PlainTranscript

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["Histories"]

MOST_BYTES = 32 * 2**20
"""The size of the cache of one database, in bytes."""

_MOST_PIECES = 32
_OVERHEAD = 500


@dataclass(slots=True)
class _Cached:
    """One cached history.

    Args:
        part: Its branch within the session.
        pieces: The items, in order; each piece is a marshalled list, read only by this process.
        plain: The check of its legality.
        changes: The row changes of the connection so far, when the history was in this state.
        size: Its size in bytes.
    """

    part: Hashable
    pieces: list[bytes]
    plain: PlainTranscript
    changes: int
    size: int = 0


class Histories:
    """The whole histories that one connection has read; beyond the bound, the least recently used
    are removed.

    Args:
        connection: The connection.
        most: The bound in bytes.
    """

    def __init__(self, connection: sqlite3.Connection, most: int = MOST_BYTES) -> None:
        self._connection = connection
        self._most = most
        self._version: int | None = None
        self._cached: OrderedDict[Hashable, _Cached] = OrderedDict()
        self._size = 0

    def items(self, session: Hashable, part: Hashable) -> list[TResponseInputItem] | None:
        """Return a cached history as new objects; None if it must be read.

        Args:
            session: The session.
            part: The branch of the history.
        """
        cached = self._current(session, part)
        if cached is None:
            return None
        self._cached.move_to_end(session)
        items = [item for piece in cached.pieces for item in marshal.loads(piece)]
        if len(cached.pieces) > _MOST_PIECES:
            cached.pieces = [marshal.dumps(items)]
        return items

    def is_legal(self, session: Hashable, part: Hashable) -> bool:
        """Tell whether a history is cached and a legal transcript."""
        cached = self._current(session, part)
        return cached is not None and cached.plain.legal

    def keep(self, session: Hashable, part: Hashable, items: list[TResponseInputItem]) -> None:
        """Cache a history that was just read, after `items` returned None for it.

        Args:
            session: The session.
            part: The branch of the history.
            items: All its items.
        """
        self.forget(session)
        try:
            piece = marshal.dumps(items)
        except ValueError:  # nested too deeply for marshal
            return
        size = _OVERHEAD + _size(piece, items)
        # One long history must not displace all others.
        if size <= self._most // 4:
            changes = self._connection.total_changes
            cached = _Cached(part, [piece], PlainTranscript(items), changes)
            self._cached[session] = cached
            self._resize(cached, size)

    def extend(self, session: Hashable, part: Hashable, items: list[TResponseInputItem]) -> None:
        """Report that the current transaction only appended items to a history.

        Args:
            session: The session.
            part: The branch of the history.
            items: The appended items, as a reader gets them.
        """
        cached = self._current(session, part)
        if cached is None or not items:
            return
        try:
            piece = marshal.dumps(items)
        except ValueError:
            return
        cached.pieces.append(piece)
        cached.plain.extend(items)
        cached.changes = self._connection.total_changes
        self._resize(cached, _size(piece, items))

    def shorten(self, session: Hashable, part: Hashable) -> None:
        """Report that the current transaction only removed the latest item of a history.

        Args:
            session: The session.
            part: The branch of the history.
        """
        cached = self._current(session, part)
        if cached is None:
            return
        cached.changes = self._connection.total_changes
        piece = cached.pieces.pop()
        items = marshal.loads(piece)
        if not items:
            self.forget(session)
            return
        self._resize(cached, -_size(piece, items))
        cached.plain.pop(items.pop())
        if items or not cached.pieces:
            cached.pieces.append(marshal.dumps(items))
            self._resize(cached, _size(cached.pieces[-1], items))

    def settle(self, session: Hashable, changes: int) -> None:
        """Remove a session that a call has changed without a report.

        Args:
            session: The session.
            changes: The row changes of the connection before the call.
        """
        cached = self._cached.get(session)
        now = self._connection.total_changes
        if cached is not None and now not in (changes, cached.changes):
            self.forget(session)

    def forget(self, session: Hashable) -> None:
        """Remove a session from the cache, also if a call reported a change and then failed."""
        cached = self._cached.pop(session, None)
        if cached is not None:
            self._size -= cached.size

    def _current(self, session: Hashable, part: Hashable) -> _Cached | None:
        """The cached history, if no other connection has written since."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._cached.clear()
            self._size = 0
            self._version = version
        cached = self._cached.get(session)
        return cached if cached is not None and cached.part == part else None

    def _resize(self, cached: _Cached, by: int) -> None:
        cached.size += by
        self._size += by
        while self._size > self._most:
            self.forget(next(iter(self._cached)))


def _size(piece: bytes, items: list[TResponseInputItem]) -> int:
    """About how many bytes cached items take: their ids are stored twice."""
    return len(piece) + 100 * len(items)
