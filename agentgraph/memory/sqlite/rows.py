"""The rows of one history in an SQLite database, as operations on an open connection.

The caller opens the transaction of a write. Keys are row ids. A store with branches uses other keys
and overrides the methods on rows, but not the handling of blocks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.runs.blocks import ConcurrentWrite
from agentgraph.memory.runs.marks import SPACES, MarkedRows, common_mark, new_mark

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

    Keyed: TypeAlias = tuple[list[int], list[TResponseInputItem]]

__all__ = ["Rows"]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one session.

    Attributes:
        session_id: The session.
        sessions: The table of sessions, quoted.
        messages: The table of items, quoted.
    """

    session_id: str
    sessions: str
    messages: str

    @property
    def branch_id(self) -> str:
        """The branch of the history; empty if the store has no branches."""
        return ""

    def newest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return keys and texts, the latest first."""
        return connection.execute(f"{self._select()} ORDER BY id DESC", (self.session_id,))

    def oldest_first(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        """Return keys and texts, the earliest first."""
        return connection.execute(f"{self._select()} ORDER BY id", (self.session_id,))

    def latest(self, connection: sqlite3.Connection, count: int | None) -> Keyed:
        """Return the keys and items of the latest readable rows, oldest first.

        Args:
            connection: The connection.
            count: The maximum number of items; no further row is read. None: all.
        """
        if count == 0:
            return [], []
        if count is not None:
            rows = self.newest_first(connection)
            keys, items = _readable(rows, count)
            rows.close()
            return keys[::-1], items[::-1]
        pairs = self.oldest_first(connection).fetchall()
        items = decode_items([text for _, text in pairs])
        if len(items) == len(pairs):
            return [key for key, _ in pairs], items
        return _readable(pairs, None)

    def append(self, connection: sqlite3.Connection, texts: Sequence[str]) -> tuple[int, ...]:
        """Append texts; return their keys."""
        connection.execute(
            f"INSERT INTO {self.sessions} (session_id) VALUES (?) "
            "ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (self.session_id,),
        )
        connection.executemany(
            f"INSERT INTO {self.messages} (session_id, message_data) VALUES (?, ?)",
            [(self.session_id, text) for text in texts],
        )
        return self._latest_ids(connection, len(texts))

    def move_to_end(self, connection: sqlite3.Connection, keys: tuple[int, ...]) -> tuple[int, ...]:
        """Move those of the rows that still exist to the end; return their new keys."""
        rows = [(self.session_id, key) for key in keys]
        columns = "session_id, message_data, created_at"
        cursor = connection.executemany(
            f"INSERT INTO {self.messages} ({columns}) "
            f"SELECT {columns} FROM {self.messages} WHERE session_id = ? AND id = ?",
            rows,
        )
        connection.executemany(f"DELETE FROM {self.messages} WHERE session_id = ? AND id = ?", rows)
        return self._latest_ids(connection, cursor.rowcount)

    def append_to_block(
        self, connection: sqlite3.Connection, texts: Sequence[str], block: MarkedRows | None
    ) -> tuple[MarkedRows, bool]:
        """Append texts to the block of a run; first move the block to the end if other rows follow.

        Args:
            connection: The connection, in a transaction.
            texts: The texts to append.
            block: None begins a block; for a block of another branch, a new one begins in this.

        Returns:
            The block, and whether it was moved.

        Raises:
            ConcurrentWrite: Another run has written to the block.
        """
        if block is None:
            block = MarkedRows(new_mark(), (), self.branch_id)
        keys = block.rows if block.branch_id == self.branch_id else ()
        moved = self._is_followed(connection, keys, block.mark)
        if moved:
            keys = self.move_to_end(connection, keys)
        new = self.append(connection, [text + block.mark for text in texts])
        return MarkedRows(block.mark, (*keys, *new), self.branch_id), moved

    def adopt(
        self, connection: sqlite3.Connection, items: list[TResponseInputItem]
    ) -> MarkedRows | None:
        """Return the latest rows as a block if they hold these items, else None.

        Rows that several runs have stored get a common mark, by which two runs with this block
        detect each other.
        """
        keys, latest = self.latest(connection, len(items))
        if latest != items:
            return None
        ids = self.row_ids(connection, keys)
        query = f"SELECT CAST(message_data AS TEXT) FROM {self.messages} WHERE id = ?"
        mark = common_mark([connection.execute(query, (id,)).fetchone()[0] for id in ids])
        if mark is None:
            mark = new_mark()
            connection.executemany(
                f"UPDATE {self.messages} SET message_data = rtrim(message_data, ?) || ? "
                "WHERE id = ?",
                [(SPACES, mark, id) for id in ids],
            )
        return MarkedRows(mark, tuple(keys), self.branch_id)

    def row_ids(self, connection: sqlite3.Connection, keys: Sequence[int]) -> Sequence[int]:
        """Return the ids of rows in the table of items, by their keys."""
        return keys

    def pop(self, connection: sqlite3.Connection, accept: Accept) -> TResponseInputItem | None:
        """Remove the latest readable row whose item is accepted; return the item."""
        rows = self.newest_first(connection)
        for key, text in rows:
            item = decode_item(text)
            if item is not None and accept(item):
                connection.execute(f"DELETE FROM {self.messages} WHERE id = ?", (key,))
                rows.close()
                return item
        return None

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its stored data."""
        for table in (self.messages, self.sessions):
            connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (self.session_id,))

    def _is_followed(
        self, connection: sqlite3.Connection, keys: tuple[int, ...], mark: str
    ) -> bool:
        """Whether other rows follow the rows of a run.

        Raises:
            ConcurrentWrite: One of them is of another run with the same block.
        """
        if not keys:
            return False
        rows = self.newest_first(connection)
        mine: frozenset[int] | None = None
        others = []
        for key, text in rows:
            if key == keys[-1]:
                break
            # Build the set only now: usually the first row is the last one of the run.
            mine = mine or frozenset(keys)
            if key in mine:
                break
            others.append(text)
        rows.close()
        if any(isinstance(text, str) and text.endswith(mark) for text in others):
            raise ConcurrentWrite
        return bool(others)

    def _latest_ids(self, connection: sqlite3.Connection, count: int) -> tuple[int, ...]:
        rows = connection.execute(
            f"SELECT id FROM {self.messages} WHERE session_id = ? ORDER BY id DESC LIMIT ?",
            (self.session_id, count),
        )
        return tuple(id for (id,) in rows)[::-1]

    def _select(self) -> str:
        return f"SELECT id, message_data FROM {self.messages} WHERE session_id = ?"


def _readable(rows: Iterable[tuple[int, str]], count: int | None) -> Keyed:
    keys: list[int] = []
    items: list[TResponseInputItem] = []
    for key, text in rows:
        item = decode_item(text)
        if item is not None:
            keys.append(key)
            items.append(item)
            if len(items) == count:
                break
    return keys, items
