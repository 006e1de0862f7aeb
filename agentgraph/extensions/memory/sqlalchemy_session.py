"""A session in any database that SQLAlchemy's asyncio engines reach.

Every public method is one database transaction. A writer first locks the row of its session, so
that the items of one call stay together and in order, whatever other processes write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from agentgraph.extensions.memory.sqlalchemy_connections import engine_for, failure
from agentgraph.extensions.memory.sqlalchemy_loops import Database, Databases
from agentgraph.extensions.memory.sqlalchemy_rows import SessionRows
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.logger import logger
from agentgraph.memory.encoding import check_session_id, check_table_names, encode_items
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.runs.saves import Block
from agentgraph.memory.runs.shielded import shielded
from agentgraph.memory.session import Accept
from agentgraph.memory.session_settings import SessionSettings, own_session_settings
from agentgraph.memory.store import StoreSession

try:
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SQLAlchemySession"]

_T = TypeVar("_T")


class SQLAlchemySession(StoreSession):
    """A conversation in a database that SQLAlchemy supports.

    A session may be used in several event loops at once; each has connections of its own.

    Args:
        session_id: The name of the conversation.
        engine: The database. The caller disposes of it.
        create_tables: Whether to create missing tables on first use. Without our own table
            (`agentgraph_` and the name of the table of items), the items of runs at once do not
            stay together, and a warning says so.
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
        self._rows = SessionRows(session_id, self._tables)
        self._ensure_ascii = ensure_ascii
        self._databases = Databases(engine, self._tables, create_tables=create_tables)

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
        nothing. Call it while the other event loops still run: their connections close there."""
        self._closed = True
        await self._databases.close()

    def _encoded(self, items: list[TResponseInputItem]) -> list[str]:
        return encode_items(items, self._label, ensure_ascii=self._ensure_ascii)

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        if limit is None:
            return self._decoded(await self._texts())

        async def latest(connection: AsyncConnection) -> list[TResponseInputItem]:
            rows, damaged = await self._rows.newest(connection, limit)
            self._report(damaged)
            return [item for _, item in reversed(rows)]

        return await self._run(latest)

    async def _texts(self) -> Sequence[str]:
        return await self._run(self._rows.texts)

    async def _add(self, texts: list[str], block: Block | None) -> None:
        async def add(connection: AsyncConnection) -> None:
            keeps = block is not None and await self._keeps_saves(connection)
            await self._rows.append(connection, texts, block if keeps else None)

        await self._run(add)

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        async def adopt(connection: AsyncConnection) -> Block | None:
            saves = await self._keeps_saves(connection)
            return await self._rows.adopt(connection, items, own, saves=saves)

        return await self._run(adopt)

    async def _release(self, block: Block) -> None:
        async def release(connection: AsyncConnection) -> None:
            if await self._keeps_saves(connection):
                await self._rows.release(connection, block)

        await self._run(release)

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        item, damaged = await self._run(lambda connection: self._rows.pop(connection, accept))
        self._report(damaged)
        return item

    async def _clear(self) -> None:
        async def clear(connection: AsyncConnection) -> None:
            saves = await (await self._databases.here()).has_saves(connection)
            await self._rows.clear(connection, saves=saves)

        await self._run(clear)

    async def _keeps_saves(self, connection: AsyncConnection) -> bool:
        database = await self._databases.here()
        keeps = await database.has_saves(connection)
        if not keeps and not database.warned:
            database.warned = True
            logger.warning(
                "%s: there is no table %r, so the items of runs at once do not stay together;"
                " create_tables=True creates it",
                self._label,
                self._tables.saves.name,
            )
        return keeps

    async def _run(self, call: Callable[[AsyncConnection], Awaitable[_T]]) -> _T:
        """Make a call in a transaction of its own.

        With SQLite the transaction ends even if the caller is cancelled. A connection that is
        interrupted in the middle of a statement would hold the lock of the file until the garbage
        collector finds it. A server notices that a connection was dropped.
        """
        self._check_open()
        database = await self._databases.here()

        async def transact() -> _T:
            async with self._transaction(database) as connection:
                return await call(connection)

        sqlite = self._engine.dialect.name == "sqlite"
        return await (shielded(transact()) if sqlite else transact())

    @asynccontextmanager
    async def _transaction(self, database: Database) -> AsyncIterator[AsyncConnection]:
        connected = False
        try:
            async with database.transaction() as connection:
                connected = True
                yield connection
        except (SQLAlchemyError, OSError, TypeError, ValueError, OverflowError) as error:
            # Drivers refuse a wrong option or port of the URL only when they connect, and with
            # various types of exception.
            if connected and not isinstance(error, SQLAlchemyError | OSError):
                raise
            raise failure(self._label, self._engine, error) from error
