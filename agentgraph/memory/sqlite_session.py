"""The default session store: SQLite, in a file or in memory.

The file is the one that the published SDK writes, in both directions. Every public method is one
transaction; reading with a limit reads that many rows.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from agentgraph.memory.blocks import Block
from agentgraph.memory.encoding import check_session_id, decode_item, decode_items, encode_items
from agentgraph.memory.errors import SessionClosedError
from agentgraph.memory.exchange import LookBack
from agentgraph.memory.session import SessionABC
from agentgraph.memory.session_settings import (
    SessionSettings,
    coerce_session_settings,
    resolve_session_limit,
)
from agentgraph.memory.sqlite_database import (
    MEMORY,
    SQLiteDatabase,
    failure,
    transaction,
    without_sync,
)
from agentgraph.memory.sqlite_schema import Tables, quoted

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

    Keyed: TypeAlias = tuple[list[int], list[TResponseInputItem]]

__all__ = ["SQLiteSession"]

_T = TypeVar("_T")


class SQLiteSession(SessionABC):
    """A conversation in an SQLite database.

    Args:
        session_id: The name of the conversation.
        db_path: The database file, which is created when missing; by default the conversation
            lives in memory, as long as this object.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty.
    """

    def __init__(
        self,
        session_id: str,
        db_path: str | Path = MEMORY,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        self.session_settings = (
            SessionSettings()
            if session_settings is None
            else coerce_session_settings(session_settings)
        )
        self.db_path = db_path
        self.sessions_table = sessions_table
        self.messages_table = messages_table
        self._tables = Tables(sessions_table, messages_table)
        self._sessions, self._messages = quoted(sessions_table), quoted(messages_table)
        self._bind(SQLiteDatabase.acquire(db_path))

    def _bind(self, database: SQLiteDatabase) -> None:
        self._database = database
        # Also runs when nobody closes the session: at collection or at the end of the program.
        self._release = weakref.finalize(self, database.release)

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.session_id!r}"

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first; rows that are damaged are left out.

        Args:
            limit: How many at most; None takes the session's own limit, and without one every item.

        Raises:
            SessionError: The database cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            return []
        _, items = await self._run(lambda connection: self._rows(connection, limit))
        return items

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Args:
            items: Input items as dicts.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The database cannot be written; nothing was stored.
        """
        texts = encode_items(items, self._label)
        if texts:
            await self._store(texts, None)

    async def begin_block(self, look: LookBack) -> Block:
        """Look back and append the input of a run, unless it stands there unanswered.

        This is one transaction. That is sure of the disk when the next write is, which is when
        there is anything to lose: until then a cut of the power undoes the input, and the run with
        it.

        Args:
            look: Holds the input, and afterwards what was found.

        Returns:
            The block that the run goes on with.

        Raises:
            InvalidSessionInput: Something in the input is no item; nothing was stored.
            SessionError: The database cannot be read or written; nothing was stored.
        """
        texts = encode_items(look.new, self._label)

        def begin(connection: sqlite3.Connection) -> Block:
            with without_sync(connection), transaction(connection):
                keys, items = self._rows(connection, look.wanted)
                while not look.take(items):
                    keys, items = self._rows(connection, look.wanted)
                if look.done is None:
                    return self._append(connection, texts, None)
                return self._block(keys[look.start :])

        return await self._run(begin)

    async def append_to_block(self, items: list[TResponseInputItem], block: Block = None) -> Block:
        """Append items to the block of a run, and the block to the end if others wrote after it.

        Args:
            items: Input items as dicts.
            block: What a method for blocks returned before; None begins a block.

        Returns:
            The block with the items.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The database cannot be written; nothing was stored.
        """
        return await self._store(encode_items(items, self._label), block)

    async def adopt_block(self, items: list[TResponseInputItem]) -> Block:
        """Return the latest items as a block if they are these, else None.

        Raises:
            SessionError: The database cannot be read.
        """
        keys, latest = await self._run(lambda connection: self._rows(connection, len(items)))
        return self._block(keys) if latest == items else None

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None when there is none."""
        return await self._run(self._pop)

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._run(self._clear)

    def close(self) -> None:
        """Give the database back; closing again does nothing, any other use is an error."""
        self._release()

    async def _store(self, texts: list[str], block: Block) -> Block:
        def store(connection: sqlite3.Connection) -> Block:
            with transaction(connection):
                return self._append(connection, texts, block)

        return await self._run(store)

    def _rows(self, connection: sqlite3.Connection, count: int | None) -> Keyed:
        """The latest readable items, oldest first, with their keys; None means all of them."""
        if count == 0:
            return [], []
        order = "id" if count is None else "id DESC"
        rows = connection.execute(
            f"SELECT id, message_data FROM {self._messages} WHERE session_id = ? ORDER BY {order}",
            (self.session_id,),
        )
        return keyed(rows, count)

    def _append(self, connection: sqlite3.Connection, texts: list[str], block: Block) -> Block:
        """Append texts to a block of row ids, after taking it to the end if that is elsewhere."""
        connection.execute(
            f"INSERT INTO {self._sessions} (session_id) VALUES (?) "
            "ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (self.session_id,),
        )
        if block and self._is_followed(connection, block):
            block = self._moved(connection, block)
        connection.executemany(
            f"INSERT INTO {self._messages} (session_id, message_data) VALUES (?, ?)",
            [(self.session_id, text) for text in texts],
        )
        return (*(block or ()), *self._latest_ids(connection, len(texts)))

    def _block(self, keys: Sequence[int]) -> Block:
        """What stands for a block of rows."""
        return tuple(keys)

    def _is_followed(self, connection: sqlite3.Connection, block: tuple[int, ...]) -> bool:
        query = f"SELECT 1 FROM {self._messages} WHERE session_id = ? AND id > ? LIMIT 1"
        return connection.execute(query, (self.session_id, block[-1])).fetchone() is not None

    def _moved(self, connection: sqlite3.Connection, block: tuple[int, ...]) -> tuple[int, ...]:
        """Write the rows of a block that are still there again, at the end; return their ids."""
        rows = [(self.session_id, row_id) for row_id in block]
        columns = "session_id, message_data, created_at"
        written = connection.executemany(
            f"INSERT INTO {self._messages} ({columns}) "
            f"SELECT {columns} FROM {self._messages} WHERE session_id = ? AND id = ?",
            rows,
        )
        connection.executemany(
            f"DELETE FROM {self._messages} WHERE session_id = ? AND id = ?", rows
        )
        return self._latest_ids(connection, written.rowcount)

    def _latest_ids(self, connection: sqlite3.Connection, count: int) -> tuple[int, ...]:
        rows = connection.execute(
            f"SELECT id FROM {self._messages} WHERE session_id = ? ORDER BY id DESC LIMIT ?",
            (self.session_id, count),
        )
        return tuple(row_id for (row_id,) in rows)[::-1]

    def _pop(self, connection: sqlite3.Connection) -> TResponseInputItem | None:
        with transaction(connection):
            rows = connection.execute(
                f"SELECT id, message_data FROM {self._messages} "
                "WHERE session_id = ? ORDER BY id DESC",
                (self.session_id,),
            )
            for row_id, text in rows:
                item = decode_item(text)
                if item is not None:
                    connection.execute(f"DELETE FROM {self._messages} WHERE id = ?", (row_id,))
                    return item
        return None

    def _clear(self, connection: sqlite3.Connection) -> None:
        with transaction(connection):
            for table in (self._messages, self._sessions):
                connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (self.session_id,))

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._tables.prepare(connection)

    def _preparation_key(self) -> object:
        return self._tables

    async def _run(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        if not self._release.alive:
            raise SessionClosedError(f"{self._label} is closed; make a new session object")
        if self._database.is_inherited():
            self._release()
            self._bind(SQLiteDatabase.acquire(self.db_path))
        try:
            return await self._database.run(self._preparation_key(), self._prepare, call)
        except sqlite3.Error as error:
            raise failure(error, self._label, self._database.path) from error


def keyed(rows: sqlite3.Cursor, count: int | None) -> Keyed:
    """Return the keys of rows and the items in them, oldest first, without the unreadable ones.

    Args:
        rows: Keys and texts: the oldest first, or the latest first where a count is given.
        count: How many items to return at most; no further row is read then.
    """
    if count is not None:
        keys, items = _readable(rows, count)
        rows.close()
        return keys[::-1], items[::-1]
    found = rows.fetchall()
    items = decode_items([text for _, text in found])
    if len(items) == len(found):
        return [key for key, _ in found], items
    return _readable(found, None)


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
