"""The default session store: SQLite, in a file or in memory.

The published SDK can read and write the same file. Every public method is one transaction; a read
with a limit reads only that many rows.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agentgraph.memory.encoding import check_session_id, check_table_names, decode_items
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.runs.saves import Block, ConcurrentWrite
from agentgraph.memory.session import Accept
from agentgraph.memory.session_settings import SessionSettings, own_session_settings
from agentgraph.memory.sqlite.database import MEMORY, SQLiteDatabase, failure, transaction
from agentgraph.memory.sqlite.rows import Rows
from agentgraph.memory.sqlite.schema import Tables
from agentgraph.memory.store import StoreSession

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SQLiteSession"]

_T = TypeVar("_T")


class SQLiteSession(StoreSession):
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
        self._database = SQLiteDatabase(MEMORY)
        self._release_database = weakref.finalize(self, self._database.release)
        if str(db_path) != MEMORY:
            with suppress(RuntimeError):  # no event loop is running yet
                self._acquire()

    def _acquire(self) -> SQLiteDatabase:
        database = SQLiteDatabase.acquire(self.db_path)
        self._release_database()
        self._database = database
        # Also runs without a call of `close`: at garbage collection or at the end of the program.
        self._release_database = weakref.finalize(self, database.release)
        return database

    async def begin_block(self, prior: PriorAttempt) -> Block | None:
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
        texts = self._encoded(prior.new)

        def begin(connection: sqlite3.Connection) -> Block | None:
            history = self._history
            self._prepare_saves(connection)
            with self._database.without_sync(connection), transaction(connection):
                while not prior.take(self._latest(connection, history, prior.window)):
                    pass
                if prior.done is not None:
                    try:
                        return history.adopt(connection, prior.items, prior.block)
                    except ConcurrentWrite:
                        prior.decline()
                if prior.window is None:
                    prior.legal = self._database.histories.is_legal(*_name(history))
                self._append(connection, history, texts, prior.block)
                return prior.block.saved()

        return await self._run(begin)

    async def sync_block(self) -> None:
        """Wait until the items that `begin_block` stored are on disk."""
        await self._run(lambda connection: self._database.sync(connection))

    def close(self) -> None:
        """Release the database. Closing again does nothing; any other use is an error."""
        self._closed = True
        self._release_database()

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        return await self._run(lambda connection: self._latest(connection, self._history, limit))

    async def _texts(self) -> list[str]:
        return await self._run(
            lambda connection: [text for _, text in self._history.oldest_first(connection)]
        )

    async def _add(self, texts: list[str], block: Block | None) -> None:
        await self._write(
            lambda connection: self._append(connection, self._history, texts, block),
            saves=block is not None,
        )

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        return await self._write(
            lambda connection: self._history.adopt(connection, items, own), saves=True
        )

    async def _release(self, block: Block) -> None:
        def release(connection: sqlite3.Connection) -> None:
            self._prepare_saves(connection)
            # After a power failure this process is not there any more anyway.
            with self._database.without_sync(connection):
                self._history.release(connection, block)

        await self._run(release)

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        def pop(connection: sqlite3.Connection) -> TResponseInputItem | None:
            history = self._history
            item, passed, damaged = history.pop(connection, accept)
            self._report(damaged)
            if item is not None and not passed:
                self._database.histories.shorten(*_name(history))
            return item

        return await self._write(pop)

    async def _clear(self) -> None:
        await self._write(lambda connection: self._history.clear(connection))

    @property
    def _history(self) -> Rows:
        """The rows that the current call reads and appends to."""
        return Rows(self.session_id, self._tables)

    def _latest(
        self, connection: sqlite3.Connection, history: Rows, count: int | None
    ) -> list[TResponseInputItem]:
        """The latest readable items, oldest first; None means all of them."""
        histories = self._database.histories
        if count is None and (items := histories.items(*_name(history))) is not None:
            return items
        _, items, damaged = history.latest(connection, count)
        self._report(damaged)
        if count is None and not damaged:
            histories.keep(*_name(history), items)
        return items

    def _append(
        self,
        connection: sqlite3.Connection,
        history: Rows,
        texts: list[str],
        block: Block | None,
    ) -> None:
        if block is None:
            history.append(connection, texts)
        elif not history.append_to_block(connection, texts, block):
            return
        self._database.histories.extend(*_name(history), decode_items(texts))

    async def _write(self, call: Callable[[sqlite3.Connection], _T], *, saves: bool = False) -> _T:
        """Run a call as one transaction; `saves` tells whether it uses the table of saves."""

        def write(connection: sqlite3.Connection) -> _T:
            if saves:
                self._prepare_saves(connection)
            with transaction(connection):
                return call(connection)

        return await self._run(write)

    def _prepare_saves(self, connection: sqlite3.Connection) -> None:
        self._database.once(connection, self._tables.saves, self._tables.prepare_saves)

    async def _run(self, call: Callable[[sqlite3.Connection], _T]) -> _T:
        self._check_open()
        database = self._database
        on_disk = str(self.db_path) != MEMORY
        if on_disk and (database.in_memory or database.is_inherited()):
            database = self._acquire()
        tables = self._tables
        try:
            return await database.run(tables, tables.prepare, call, _name(self._history)[0])
        except sqlite3.Error as error:
            raise failure(error, self._label, database.path) from error


def _name(history: Rows) -> tuple[tuple[str, str], str]:
    """The key of a history in `Histories`: the session, and its branch."""
    return (history.messages, history.session_id), history.branch_id
