"""The rows of one history in an SQLite database, as operations on an open connection.

The caller opens the transaction of a write. Keys are row ids. A store with branches uses other keys
and overrides the methods on rows, but not the handling of blocks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.runs.saves import Block, adopted, is_repeated
from agentgraph.memory.sqlite.schema import Tables, quoted

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

__all__ = ["Popped", "Readable", "Rows"]


class Readable(NamedTuple):
    """Rows that were read.

    Attributes:
        keys: The keys of the rows that hold an item.
        items: Their items.
        damaged: How many rows among them hold none.
    """

    keys: list[int]
    items: list[TResponseInputItem]
    damaged: int


class Popped(NamedTuple):
    """The result of a pop.

    Attributes:
        item: The item of the removed row; None if no row was removed.
        passed: How many later rows have an item that was not accepted.
        damaged: How many later rows hold no item.
    """

    item: TResponseInputItem | None
    passed: int
    damaged: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one session.

    Attributes:
        session_id: The session.
        tables: The tables.
    """

    session_id: str
    tables: Tables

    @property
    def sessions(self) -> str:
        """The table of sessions, quoted."""
        return quoted(self.tables.sessions)

    @property
    def messages(self) -> str:
        """The table of items, quoted."""
        return quoted(self.tables.messages)

    @property
    def saves(self) -> str:
        """The table of saves, quoted."""
        return quoted(self.tables.saves)

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

    def latest(self, connection: sqlite3.Connection, count: int | None) -> Readable:
        """Return the latest rows that hold an item, oldest first.

        Args:
            connection: The connection.
            count: The maximum number of items; no further row is read. None: all.
        """
        if count == 0:
            return Readable([], [], 0)
        if count is not None:
            rows = self.newest_first(connection)
            keys, items, damaged = _readable(rows, count)
            rows.close()
            return Readable(keys[::-1], items[::-1], damaged)
        pairs = self.oldest_first(connection).fetchall()
        items = decode_items([text for _, text in pairs])
        if len(items) == len(pairs):
            return Readable([key for key, _ in pairs], items, 0)
        return _readable(pairs, None)

    def append(self, connection: sqlite3.Connection, texts: Sequence[str]) -> list[int]:
        """Append texts; return their keys."""
        connection.execute(
            f"INSERT INTO {self.sessions} (session_id) VALUES (?) "
            "ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (self.session_id,),
        )
        return self._insert(
            connection,
            "(session_id, message_data) VALUES (?, ?)",
            [(self.session_id, text) for text in texts],
        )

    def is_followed(self, connection: sqlite3.Connection, key: int) -> bool:
        """Return whether rows may follow the row with this key; it may be gone."""
        query = f"SELECT 1 FROM {self.messages} WHERE session_id = ? AND id > ? LIMIT 1"
        return connection.execute(query, (self.session_id, key)).fetchone() is not None

    def move_to_end(self, connection: sqlite3.Connection, keys: list[int]) -> list[int] | None:
        """Move those of the rows that still exist to the end.

        Returns:
            Their new keys; None if they are at the end already.
        """
        rows: list[tuple[object, ...]] = [(self.session_id, key) for key in keys]
        # A text that an older version has marked loses its mark.
        new = self._insert(
            connection,
            "(session_id, message_data, created_at) "
            "SELECT session_id, rtrim(message_data, char(32, 9, 10, 13)), created_at "
            f"FROM {self.messages} WHERE session_id = ? AND id = ?",
            rows,
        )
        connection.executemany(f"DELETE FROM {self.messages} WHERE session_id = ? AND id = ?", rows)
        return new

    def append_to_block(
        self, connection: sqlite3.Connection, texts: Sequence[str], block: Block
    ) -> bool:
        """Append texts to the block of a run; first move the block to the end if other rows follow.

        Args:
            connection: The connection, in a transaction.
            texts: The texts to append.
            block: The block.

        Returns:
            Whether this appended the texts and did nothing else.

        Raises:
            ConcurrentWrite: Another run has written to the block.
        """
        run = (self.session_id, block.run_id)
        saves = connection.execute(
            f"SELECT position, write, row_ids FROM {self.saves} "
            "WHERE session_id = ? AND run_id = ? AND position >= ?",
            (*run, block.position - 1),
        )
        latest = {position: rest for position, *rest in saves}
        write = block.write_of(texts)
        stored, _ = latest.get(block.position, (None, None))
        if is_repeated(stored, write):
            return False
        _, before = latest.get(block.position - 1, (None, "[]"))
        moved = self._gather(connection, run, json.loads(before))
        keys = [*(moved or ()), *self.append(connection, texts)]
        self._record(connection, block, write, keys)
        return moved is None

    def adopt(
        self, connection: sqlite3.Connection, items: list[TResponseInputItem], own: Block
    ) -> Block | None:
        """Return the latest rows as a block if they hold these items, else None.

        Rows of another program, or of several runs, become the run's own block.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
        """
        keys, latest, _ = self.latest(connection, len(items))
        if latest != items:
            return None
        # Of two runs that list a row, the one that has claimed it comes last.
        saves = connection.execute(
            f"SELECT run_id, position, owner, row_ids FROM {self.saves} "
            "WHERE session_id = ? ORDER BY write = '', position",
            (self.session_id,),
        )
        block = adopted(((*save, json.loads(row_ids)) for *save, row_ids in saves), keys, own)
        if block is None:
            self._record(connection, own, "", keys)
            return own.saved()
        connection.execute(
            f"UPDATE {self.saves} SET owner = ? WHERE session_id = ? AND run_id = ?",
            (own.owner, self.session_id, block.run_id),
        )
        return block

    def release(self, connection: sqlite3.Connection, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        connection.execute(
            f"UPDATE {self.saves} SET owner = '' WHERE session_id = ? AND run_id = ? AND owner = ?",
            (self.session_id, block.run_id, block.owner),
        )

    def _gather(
        self, connection: sqlite3.Connection, run: tuple[str, str], latest: list[int]
    ) -> list[int] | None:
        """Move the rows of a run to the end if others follow them.

        Args:
            connection: The connection, in a transaction.
            run: The session and the run.
            latest: The rows of its latest save.

        Returns:
            The new keys of all its rows; None if nothing was moved.
        """
        if not latest:
            return None
        if not self.is_followed(connection, latest[-1]):
            return None
        run_of = "WHERE session_id = ? AND run_id = ?"
        saves = connection.execute(
            f"SELECT row_ids FROM {self.saves} {run_of} ORDER BY position", run
        ).fetchall()
        moved = self.move_to_end(connection, [key for (ids,) in saves for key in json.loads(ids)])
        if moved is not None:
            connection.execute(f"UPDATE {self.saves} SET row_ids = '[]' {run_of}", run)
        return moved

    def _record(
        self, connection: sqlite3.Connection, block: Block, write: str, keys: Sequence[int]
    ) -> None:
        connection.execute(
            f"INSERT OR REPLACE INTO {self.saves} VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(self.session_id, block.run_id, block.position),
                *(write, json.dumps(list(keys)), block.owner),
            ),
        )

    def pop(self, connection: sqlite3.Connection, accept: Accept) -> Popped:
        """Remove the latest row whose item is accepted."""
        passed = damaged = 0
        rows = self.newest_first(connection)
        for key, text in rows:
            item = decode_item(text)
            if item is None:
                damaged += 1
            elif accept(item):
                rows.close()
                self.remove(connection, key)
                return Popped(item, passed, damaged)
            else:
                passed += 1
        return Popped(None, passed, damaged)

    def remove(self, connection: sqlite3.Connection, key: int) -> None:
        """Remove a row."""
        connection.execute(f"DELETE FROM {self.messages} WHERE id = ?", (key,))

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its stored data."""
        tables = [self.messages, self.sessions]
        if self.tables.has_saves(connection):
            tables.append(self.saves)
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (self.session_id,))

    def _insert(
        self,
        connection: sqlite3.Connection,
        columns_and_source: str,
        rows: list[tuple[object, ...]],
    ) -> list[int]:
        """Insert a row for each of the parameters that still has a source; return their ids."""
        statement = f"INSERT INTO {self.messages} {columns_and_source}"
        inserted = (connection.execute(statement, row) for row in rows)
        return [cast("int", cursor.lastrowid) for cursor in inserted if cursor.rowcount]

    def _select(self) -> str:
        return f"SELECT id, message_data FROM {self.messages} WHERE session_id = ?"


def _readable(rows: Iterable[tuple[int, str]], count: int | None) -> Readable:
    keys: list[int] = []
    items: list[TResponseInputItem] = []
    damaged = 0
    for key, text in rows:
        item = decode_item(text)
        if item is None:
            damaged += 1
            continue
        keys.append(key)
        items.append(item)
        if len(items) == count:
            break
    return Readable(keys, items, damaged)
