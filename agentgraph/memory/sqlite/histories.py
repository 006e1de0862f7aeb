"""Histories as a connection last read them, so that reading one again asks for no row.

What is kept is as good as the database: any commit of another connection forgets all of it (`PRAGMA
data_version`), any call of this one that changed rows forgets its session, unless the call says
what the history is now. Every reader gets items of its own, whatever it does with them.
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
"""How many bytes of histories are kept for one database."""

_MOST_PIECES = 32
_OVERHEAD = 500


@dataclass(slots=True)
class _Known:
    """One history.

    Args:
        part: Which one of its session: a branch.
        pieces: The items, in order; each piece is a list of them, which only this process reads.
        plain: What is known of its legality.
        changes: How many rows the connection had changed when the history was like this.
        size: How many bytes it takes.
    """

    part: Hashable
    pieces: list[bytes]
    plain: PlainTranscript
    changes: int
    size: int = 0


class Histories:
    """The whole histories that one connection has read; beyond the bound, the ones longest not used
    are forgotten.

    Args:
        connection: The connection.
        most: How many bytes to keep.
    """

    def __init__(self, connection: sqlite3.Connection, most: int = MOST_BYTES) -> None:
        self._connection = connection
        self._most = most
        self._version: int | None = None
        self._known: OrderedDict[Hashable, _Known] = OrderedDict()
        self._size = 0

    def items(self, session: Hashable, part: Hashable) -> list[TResponseInputItem] | None:
        """Return a history that is known, as new objects; None if it has to be read.

        Args:
            session: The session.
            part: Which of its histories.
        """
        known = self._current(session, part)
        if known is None:
            return None
        self._known.move_to_end(session)
        items = [item for piece in known.pieces for item in marshal.loads(piece)]
        if len(known.pieces) > _MOST_PIECES:
            known.pieces = [marshal.dumps(items)]
        return items

    def is_legal(self, session: Hashable, part: Hashable) -> bool:
        """Tell whether a history is known to be a legal transcript."""
        known = self._current(session, part)
        return known is not None and known.plain.legal

    def keep(self, session: Hashable, part: Hashable, items: list[TResponseInputItem]) -> None:
        """Keep a history that was just read, after `items` was asked for it.

        Args:
            session: The session.
            part: Which of its histories.
            items: All of it.
        """
        self.forget(session)
        try:
            piece = marshal.dumps(items)
        except ValueError:  # nested too deep for this form
            return
        size = _OVERHEAD + _size(piece, items)
        # One long history is not to take the place of all others.
        if size <= self._most // 4:
            changes = self._connection.total_changes
            known = _Known(part, [piece], PlainTranscript(items), changes)
            self._known[session] = known
            self._resize(known, size)

    def extend(self, session: Hashable, part: Hashable, items: list[TResponseInputItem]) -> None:
        """Say that the transaction at work has done nothing to a history but to append items.

        Args:
            session: The session.
            part: Which of its histories.
            items: What was appended, as a reader gets it.
        """
        known = self._current(session, part)
        if known is None or not items:
            return
        try:
            piece = marshal.dumps(items)
        except ValueError:
            return
        known.pieces.append(piece)
        known.plain.extend(items)
        known.changes = self._connection.total_changes
        self._resize(known, _size(piece, items))

    def shorten(self, session: Hashable, part: Hashable) -> None:
        """Say that the transaction at work has done nothing to a history but to remove its latest
        item.

        Args:
            session: The session.
            part: Which of its histories.
        """
        known = self._current(session, part)
        if known is None:
            return
        known.changes = self._connection.total_changes
        piece = known.pieces.pop()
        items = marshal.loads(piece)
        if not items:
            self.forget(session)
            return
        self._resize(known, -_size(piece, items))
        known.plain.pop(items.pop())
        if items or not known.pieces:
            known.pieces.append(marshal.dumps(items))
            self._resize(known, _size(known.pieces[-1], items))

    def settle(self, session: Hashable, changes: int) -> None:
        """Forget a session that a call has changed without saying what its history is now.

        Args:
            session: The session.
            changes: How many rows the connection had changed before the call.
        """
        known = self._known.get(session)
        now = self._connection.total_changes
        if known is not None and now not in (changes, known.changes):
            self.forget(session)

    def forget(self, session: Hashable) -> None:
        """Forget a session; what a call said before it failed does not count."""
        known = self._known.pop(session, None)
        if known is not None:
            self._size -= known.size

    def _current(self, session: Hashable, part: Hashable) -> _Known | None:
        """What is known of a history, if nobody else has written since."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._known.clear()
            self._size = 0
            self._version = version
        known = self._known.get(session)
        return known if known is not None and known.part == part else None

    def _resize(self, known: _Known, by: int) -> None:
        known.size += by
        self._size += by
        while self._size > self._most:
            self.forget(next(iter(self._known)))


def _size(piece: bytes, items: list[TResponseInputItem]) -> int:
    """About how many bytes it takes to keep items: their ids are kept twice."""
    return len(piece) + 100 * len(items)
