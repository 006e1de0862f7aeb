"""The default session store: SQLite, in a file or in memory.

The file is the one that the published SDK writes, in both directions. Every public method is one
transaction; reading with a limit reads that many rows.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentgraph.memory.encoding import check_session_id, decode_item, decode_items, encode_items
from agentgraph.memory.errors import SessionClosedError
from agentgraph.memory.session import SessionABC
from agentgraph.memory.session_input import unanswered
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

__all__ = ["SQLiteSession"]

_T = TypeVar("_T")

_REPLACED = frozenset({"get_items", "add_items", "_append", "_read", "_run"})


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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # A subclass that reads or stores in its own way is to be asked in no other way.
        if "read_and_add" not in vars(cls) and not vars(cls).keys().isdisjoint(_REPLACED):
            cls.read_and_add = None  # type: ignore[assignment]

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
        return await self._run(lambda connection: self._read(connection, limit))

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
            await self._run(lambda connection: self._append(connection, texts))

    async def read_and_add(
        self, items: list[TResponseInputItem], limit: int | None = None
    ) -> list[TResponseInputItem]:
        """Read like `get_items`, then append items unless what was read ends with them.

        A run begins like this: the history is read and the input stored in one transaction. That
        is sure of the disk when the next write is, which is when there is anything to lose: until
        then a cut of the power undoes the input, and the run with it.

        Args:
            items: The input of a run.
            limit: How many items to read at most.

        Returns:
            What was stored before.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The database cannot be read or written; nothing was stored.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        texts = encode_items(items, self._label)

        def read_and_add(connection: sqlite3.Connection) -> list[TResponseInputItem]:
            with without_sync(connection), transaction(connection):
                history = [] if limit == 0 else self._read(connection, limit)
                if texts and not unanswered(history, items):
                    self._insert(connection, texts)
            return history

        return await self._run(read_and_add)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None when there is none."""
        return await self._run(self._pop)

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._run(self._clear)

    def close(self) -> None:
        """Give the database back; closing again does nothing, any other use is an error."""
        self._release()

    def _read(self, connection: sqlite3.Connection, limit: int | None) -> list[TResponseInputItem]:
        query = f"SELECT message_data FROM {self._messages} WHERE session_id = ? ORDER BY id"
        if limit is None:
            rows = connection.execute(query, (self.session_id,))
            return decode_items([text for (text,) in rows])
        # Not LIMIT: a damaged row must not take the place of an item, and SQLite reads row by row.
        return latest(connection.execute(f"{query} DESC", (self.session_id,)), limit)

    def _append(self, connection: sqlite3.Connection, texts: list[str]) -> None:
        with transaction(connection):
            self._insert(connection, texts)

    def _insert(self, connection: sqlite3.Connection, texts: list[str]) -> None:
        connection.execute(
            f"INSERT INTO {self._sessions} (session_id) VALUES (?) "
            "ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (self.session_id,),
        )
        connection.executemany(
            f"INSERT INTO {self._messages} (session_id, message_data) VALUES (?, ?)",
            [(self.session_id, text) for text in texts],
        )

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


def latest(newest_first: sqlite3.Cursor, limit: int) -> list[TResponseInputItem]:
    """Return the first `limit` items of a cursor over texts, in reverse; reads no further row."""
    items: list[TResponseInputItem] = []
    for (text,) in newest_first:
        item = decode_item(text)
        if item is not None:
            items.append(item)
            if len(items) == limit:
                break
    newest_first.close()
    items.reverse()
    return items
