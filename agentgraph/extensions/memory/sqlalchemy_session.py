"""A session in any database that SQLAlchemy's asyncio engines reach.

Every public method is one database transaction. A writer first locks the row of its session, so
that the items of one call stay together and in order, whatever other processes write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from agentgraph.extensions.memory.sqlalchemy_connections import engine_for, failure
from agentgraph.extensions.memory.sqlalchemy_loops import Database
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
    from sqlalchemy import Connection
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncEngine
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
        self._rows = SessionRows(session_id, self._tables, engine.dialect)
        self._ensure_ascii = ensure_ascii
        self._database = Database(engine, self._tables, create_tables=create_tables)

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
        await self._database.close()

    def _encoded(self, items: list[TResponseInputItem]) -> list[str]:
        return encode_items(items, self._label, ensure_ascii=self._ensure_ascii)

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        _, items, damaged = await self._run(lambda it: self._rows.latest(it, limit))
        self._report(damaged)
        return items

    async def _texts(self) -> Sequence[str]:
        rows = await self._run(self._rows.oldest_first)
        return [text for _, text in rows]

    async def _add(self, texts: list[str], block: Block | None) -> None:
        def add(connection: Connection, saves: bool) -> None:
            if block is not None and saves:
                self._rows.append_to_block(connection, texts, block)
            else:
                self._rows.append(connection, texts)

        await (self._run_with_saves(add) if block else self._run(lambda it: add(it, False)))

    async def _adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        def adopt(connection: Connection, saves: bool) -> Block | None:
            if saves:
                return self._rows.adopt(connection, items, own)
            is_latest = self._rows.latest(connection, len(items)).items == items
            return own.saved() if is_latest else None

        return await self._run_with_saves(adopt)

    async def _release(self, block: Block) -> None:
        def release(connection: Connection, saves: bool) -> None:
            if saves:
                self._rows.release(connection, block)

        await self._run_with_saves(release)

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        item, _, damaged = await self._run(lambda it: self._rows.pop(it, accept))
        self._report(damaged)
        return item

    async def _clear(self) -> None:
        saves = self._tables.saves.name
        await self._run(lambda it: self._rows.clear(it, saves=self._database.has_saves(it, saves)))

    async def _run_with_saves(self, call: Callable[[Connection, bool], _T]) -> _T:
        """Make a call that uses the table of saves, if that exists; warn once if it does not."""
        database = self._database

        def run(connection: Connection) -> _T:
            saves = database.has_saves(connection, self._tables.saves.name)
            if not saves and not database.warned:
                database.warned = True
                logger.warning(
                    "%s: there is no table %r, so the items of runs at once do not stay together;"
                    " create_tables=True creates it",
                    self._label,
                    self._tables.saves.name,
                )
            return call(connection, saves)

        return await self._run(run)

    async def _run(self, call: Callable[[Connection], _T]) -> _T:
        """Make a call in a transaction of its own.

        With SQLite the transaction ends even if the caller is cancelled. A connection that is
        interrupted in the middle of a statement would hold the lock of the file until the garbage
        collector finds it. A server notices that a connection was dropped.
        """
        self._check_open()
        connected = False

        async def transact() -> _T:
            nonlocal connected
            async with self._database.transaction() as connection:
                connected = True
                return await connection.run_sync(call)

        sqlite = self._engine.dialect.name == "sqlite"
        try:
            return await (shielded(transact()) if sqlite else transact())
        except (SQLAlchemyError, OSError, TypeError, ValueError, OverflowError) as error:
            # Drivers refuse a wrong option or port of the URL only when they connect, and with
            # various types of exception.
            if connected and not isinstance(error, SQLAlchemyError | OSError):
                raise
            raise failure(self._label, self._engine, error) from error
