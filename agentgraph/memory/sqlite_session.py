"""The default session store: SQLite, in a file or in memory.

The published SDK can read and write the same file. Every public method is one transaction; a read
with a limit reads only that many rows.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentgraph.memory.encoding import (
    check_session_id,
    check_table_names,
    decode_items,
    encode_items,
)
from agentgraph.memory.errors import SessionClosedError
from agentgraph.memory.runs.blocks import Block
from agentgraph.memory.runs.marks import MarkedRows
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.session import Accept, SessionABC, any_item
from agentgraph.memory.session_settings import (
    SessionSettings,
    own_session_settings,
    resolve_session_limit,
)
from agentgraph.memory.sqlite.database import (
    MEMORY,
    SQLiteDatabase,
    failure,
    transaction,
)
from agentgraph.memory.sqlite.rows import Rows
from agentgraph.memory.sqlite.schema import Tables, quoted

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SQLiteSession"]

_T = TypeVar("_T")


class SQLiteSession(SessionABC):
    """A conversation in an SQLite database.

    Args:
        session_id: The name of the conversation.
        db_path: The database file, created if missing; by default the conversation lives in memory,
            as long as this object.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty, or a table name is empty or both are equal.
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
        check_table_names(sessions_table, messages_table, type(self).__name__)
        self.session_settings = own_session_settings(session_settings)
        self.db_path = db_path
        self.sessions_table = sessions_table
        self.messages_table = messages_table
        self._tables = Tables(sessions_table, messages_table)
        self._quoted = quoted(sessions_table), quoted(messages_table)
        self._bind(SQLiteDatabase.acquire(db_path))

    def _bind(self, database: SQLiteDatabase) -> None:
        self._database = database
        # Also runs without a call of `close`: at garbage collection or at the end of the program.
        self._release = weakref.finalize(self, database.release)

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.session_id!r}"

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first, without damaged rows.

        Args:
            limit: The maximum number of items; None takes the session's own limit, or all items if
                it has none.

        Raises:
            SessionError: The database cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []
        return await self._run(lambda connection: self._latest(connection, self._history, limit))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Args:
            items: Input items as dicts.

        Raises:
            InvalidSessionInput: A member of `items` is not an item; nothing was stored.
            SessionError: The database cannot be written; nothing was stored.
        """
        texts = encode_items(items, self._label)
        self._check_open()
        if texts:

            def append(connection: sqlite3.Connection) -> None:
                history = self._history
                history.append(connection, texts)
                self._database.histories.extend(*_name(history), decode_items(texts))

            await self._write(append)

    async def begin_block(self, prior: PriorAttempt) -> Block:
        """Find a prior attempt; if there is none, append the input of the run.

        This is one transaction. It is on disk after the next write or after `sync_block`; until
        then a power failure undoes the input, and with it the run.

        Args:
            prior: Holds the input, and afterwards the prior attempt.

        Returns:
            The block that the run continues.

        Raises:
            InvalidSessionInput: A part of the input is not an item; nothing was stored.
            SessionError: The database cannot be read or written; nothing was stored.
        """
        texts = encode_items(prior.new, self._label)

        def begin(connection: sqlite3.Connection) -> MarkedRows | None:
            history = self._history
            with self._database.without_sync(), transaction(connection):
                while not prior.take(self._latest(connection, history, prior.window)):
                    pass
                if prior.done is not None:
                    return history.adopt(connection, prior.items)
                if prior.window is None:
                    prior.legal = self._database.histories.is_legal(*_name(history))
                return self._append(connection, history, texts, None)

        return await self._run(begin)

    async def sync_block(self) -> None:
        """Wait until the items that `begin_block` stored are on disk."""
        await self._run(lambda _: self._database.sync())

    async def append_to_block(self, items: list[TResponseInputItem], block: Block = None) -> Block:
        """Append items to the block of a run; first move the block to the end if others follow it.

        Args:
            items: Input items as dicts.
            block: The earlier result of a method for blocks; None begins a block.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has written to the block; nothing was stored.
            InvalidSessionInput: A member of `items` is not an item; nothing was stored.
            SessionError: The database cannot be written; nothing was stored.
        """
        texts = encode_items(items, self._label)
        return await self._write(
            lambda connection: self._append(connection, self._history, texts, block)
        )

    async def adopt_block(self, items: list[TResponseInputItem]) -> Block:
        """Return the latest items as a block if they equal `items`, else None.

        Raises:
            SessionError: The database cannot be read or written.
        """
        return await self._write(lambda connection: self._history.adopt(connection, items))

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if the session is empty."""

        def pop(connection: sqlite3.Connection) -> TResponseInputItem | None:
            history = self._history
            item = history.pop(connection, any_item)
            if item is not None:
                self._database.histories.shorten(*_name(history))
            return item

        return await self._write(pop)

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest accepted item; None if there is none.

        Args:
            accept: Tells whether an item is accepted.
        """
        return await self._write(lambda connection: self._history.pop(connection, accept))

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._write(lambda connection: self._history.clear(connection))

    def close(self) -> None:
        """Release the database. Closing again does nothing; any other use is an error."""
        self._release()

    @property
    def _history(self) -> Rows:
        """The rows that the current call reads and appends to."""
        return Rows(self.session_id, *self._quoted)

    def _latest(
        self, connection: sqlite3.Connection, history: Rows, count: int | None
    ) -> list[TResponseInputItem]:
        """The latest readable items, oldest first; None means all of them."""
        if count is not None:
            return history.latest(connection, count)[1]
        items = self._database.histories.items(*_name(history))
        if items is None:
            _, items = history.latest(connection, None)
            self._database.histories.keep(*_name(history), items)
        return items

    def _append(
        self,
        connection: sqlite3.Connection,
        history: Rows,
        texts: list[str],
        block: MarkedRows | None,
    ) -> MarkedRows:
        block, moved = history.append_to_block(connection, texts, block)
        if not moved:
            self._database.histories.extend(*_name(history), decode_items(texts))
        return block

    async def _write(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a call as one transaction."""

        def write(connection: sqlite3.Connection) -> _T:
            with transaction(connection):
                return call(connection)

        return await self._run(write)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._tables.prepare(connection)

    def _preparation_key(self) -> object:
        return self._tables

    def _check_open(self) -> None:
        if not self._release.alive:
            raise SessionClosedError(f"{self._label} is closed; make a new session object")

    async def _run(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        self._check_open()
        if self._database.is_inherited():
            self._release()
            self._bind(SQLiteDatabase.acquire(self.db_path))
        try:
            return await self._database.run(
                self._preparation_key(), self._prepare, call, _name(self._history)[0]
            )
        except sqlite3.Error as error:
            raise failure(error, self._label, self._database.path) from error


def _name(history: Rows) -> tuple[tuple[str, str], str]:
    """The key of a history in `Histories`: the session, and its branch."""
    return (history.messages, history.session_id), history.branch_id
