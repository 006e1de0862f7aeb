"""A session in any database that SQLAlchemy's asyncio engines reach.

Every public method is one database transaction. A writer first locks the row of its session, so
that the items of one call stay together and in order, whatever other processes write.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

from agentgraph.extensions.memory.client_session import ClosableSession
from agentgraph.extensions.memory.sqlalchemy_connections import (
    engine_for,
    failure,
    file_of,
    transactional,
    turnstile,
)
from agentgraph.extensions.memory.sqlalchemy_rows import SessionRows
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import (
    check_session_id,
    check_table_names,
    encode_items,
)
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.runs.blocks import Block
from agentgraph.memory.runs.marks import MarkedRows, new_mark
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import Accept, any_item
from agentgraph.memory.session_settings import (
    SessionSettings,
    own_session_settings,
    resolve_session_limit,
)

try:
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SQLAlchemySession"]

_T = TypeVar("_T")


class SQLAlchemySession(ClosableSession):
    """A conversation in a database that SQLAlchemy supports.

    Args:
        session_id: The name of the conversation.
        engine: The database. The caller disposes of it.
        create_tables: Whether to create missing tables on first use.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads, as settings or as a dict.
        ensure_ascii: Whether stored JSON escapes everything that is not ASCII.

    Raises:
        InvalidSessionInput: The session id is empty, or the tables do not have two different names.
    """

    def __init__(
        self,
        session_id: str,
        *,
        engine: AsyncEngine,
        create_tables: bool = False,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
        ensure_ascii: bool = True,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        check_table_names(sessions_table, messages_table, type(self).__name__)
        self.session_settings = own_session_settings(session_settings)
        self._engine = engine
        self._tables = SessionTables.named(sessions_table, messages_table)
        self._create_tables = create_tables
        self._ensure_ascii = ensure_ascii
        self._tables_lock = asyncio.Lock()
        self._file = file_of(engine)
        self._tables_place = object()  # where the tables were created: nowhere yet
        self._database = transactional(engine)
        self._turnstile = turnstile(engine)

    @classmethod
    def from_url(
        cls,
        session_id: str,
        *,
        url: str,
        engine_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a session with an engine of its own; dispose of it with `await session.close()`.

        Args:
            session_id: The name of the conversation.
            url: A URL with an asyncio driver, such as `postgresql+asyncpg://user@host/database`,
                `postgresql+psycopg://…` or `sqlite+aiosqlite:///file.db`.
            engine_kwargs: Arguments for SQLAlchemy's `create_async_engine`.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            InvalidSessionInput: The URL is invalid, or its driver is unknown or not installed.
        """
        engine = engine_for(url, f"{cls.__name__} {session_id!r}", engine_kwargs)
        return cls(session_id, engine=engine, session_settings=session_settings, **kwargs)

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for other sessions to share or for the program to dispose of."""
        return self._engine

    async def close(self) -> None:
        """Close the connections of the engine, which no other session may use; closing again does
        nothing."""
        self._closed = True
        await self._engine.dispose()

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first, without damaged rows.

        Args:
            limit: The largest number of items; None means the session's own limit, or all items if
                it has none.

        Raises:
            SessionError: The database cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        if limit == 0:
            self._check_open()
            return []
        return await self._run(lambda connection: self._rows.items(connection, limit))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Raises:
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
            SessionError: The database cannot be written; all items were stored or none.
        """
        texts = encode_items(items, self._label, ensure_ascii=self._ensure_ascii)
        self._check_open()
        if texts:
            unmarked = MarkedRows("", ())
            await self._run(lambda connection: self._rows.append(connection, texts, unmarked))

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block = None
    ) -> MarkedRows:
        """Append items to a run's block; first move the block to the end if others wrote after it.

        Args:
            items: Input items as dicts.
            block: The block, as the latest call returned it; None begins one.

        Returns:
            The block with the items.

        Raises:
            ConcurrentWrite: Another run has continued the block; nothing was stored.
            InvalidSessionInput: An element of `items` is not an item; nothing was stored.
            SessionError: The database cannot be written; all items were stored or none.
        """
        texts = encode_items(items, self._label, ensure_ascii=self._ensure_ascii)
        base: MarkedRows = block or MarkedRows(new_mark(), ())
        return await self._run(lambda connection: self._rows.append(connection, texts, base))

    async def adopt_block(self, items: list[TResponseInputItem]) -> MarkedRows | None:
        """Return the latest items as a block if they equal `items`, else None.

        Raises:
            SessionError: The database cannot be read or written.
        """
        return await self._run(lambda connection: self._rows.adopt(connection, items))

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if there is none."""
        return await self.pop_latest(any_item)

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest item that `accept` accepts; None if there is none.

        Args:
            accept: Decides whether to remove an item.
        """
        return await self._run(lambda connection: self._rows.pop(connection, accept))

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._run(lambda connection: self._rows.clear(connection))

    @property
    def _rows(self) -> SessionRows:
        return SessionRows(self.session_id, self._tables)

    async def _run(self, call: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """Make a call in a transaction of its own.

        With SQLite the transaction ends even if the caller is cancelled. A connection that is
        interrupted in the middle of a statement would hold the lock of the file until the garbage
        collector finds it. A server notices that a connection was dropped.
        """
        self._check_open()

        async def transact() -> _T:
            async with self._transaction() as connection:
                return await call(connection)

        sqlite = self._engine.dialect.name == "sqlite"
        return await (shielded(transact()) if sqlite else transact())

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        connected = False
        try:
            with in_its_loop(self._label):
                if self._file is not None:
                    await self._file.check(self._engine)
                if self._create_tables and self._tables_place != self._place():
                    await self._make_tables()
                async with self._turnstile or nullcontext(), self._database.begin() as connection:
                    connected = True
                    yield connection
        except (SQLAlchemyError, OSError, TypeError, ValueError, OverflowError) as error:
            # Drivers refuse a wrong option or port of the URL only when they connect, and with
            # various types of exception.
            if connected and not isinstance(error, SQLAlchemyError | OSError):
                raise
            raise failure(self._label, self._engine, error) from error

    async def _make_tables(self) -> None:
        async with self._tables_lock:
            if self._tables_place != self._place():
                await self._tables.create(self._database, self._turnstile)
                self._tables_place = self._place()

    def _place(self) -> object:
        """Return what distinguishes the database from another one with the same URL."""
        return None if self._file is None else self._file.identity
