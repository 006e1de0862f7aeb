"""A database of SQLAlchemy in the event loops that use it.

Connections belong to the loop that made them. The first loop uses the pool of the engine; another
loop opens a connection for each transaction, until the first one is closed and it takes its place.
An engine with a single connection (SQLite in memory) serves all loops, one transaction at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any, Protocol

from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.file_identity import file_identity

try:
    from sqlalchemy import Connection, Engine, inspect
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
    from sqlalchemy.pool import QueuePool, StaticPool
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["FILE", "OWN", "Database", "SQLiteFile", "Tables"]

FILE = "agentgraph_file"
"""The option of an engine that holds its `SQLiteFile`; None for a server or for memory."""

OWN = "agentgraph_own"
"""The option of an engine that a session or a command made."""


class SQLiteFile:
    """The file that the connections of an engine have open.

    After a file is deleted or replaced, its connections still write to the old file; and
    connections to the old and the new file at once would mix up their logs.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: tuple[int, int] | None = None

    @property
    def identity(self) -> tuple[int, int] | None:
        """The identity of the file, whatever its name; None if it does not exist."""
        return file_identity(self._path)

    def opened(self) -> None:
        """Note that a connection opened the file, the first one since `close` closed all."""
        self._open = self._open or self.identity

    def is_gone(self) -> bool:
        """Return whether the file was deleted or replaced since connections opened it."""
        return self._open is not None and self._open != self.identity

    async def close(self, engine: AsyncEngine) -> None:
        """Close the connections of an engine to the file.

        First write the log into the old file; SQLite would take it for the log of the new one.
        """
        if isinstance(engine.pool, QueuePool) and engine.pool.checkedin() > 0:
            with suppress(SQLAlchemyError):
                async with engine.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await engine.dispose()
        self._open = None


_CLOSED_ANYWHERE = frozenset({"aiosqlite", "psycopg"})
"""The drivers that close a connection without the loop that opened it."""


class Tables(Protocol):
    """The tables that a database is used for."""

    async def create(self, engine: AsyncEngine, lock: AbstractAsyncContextManager[Any]) -> None:
        """Create the missing tables while holding a lock."""
        ...


class Database:
    """A database, seen from several event loops.

    Args:
        engine: The engine.
        tables: The tables.
        create_tables: Whether to create missing tables.
    """

    def __init__(self, engine: AsyncEngine, tables: Tables, *, create_tables: bool) -> None:
        self.warned = False
        self._engine = engine
        self._tables = tables
        self._create_tables = create_tables
        options = engine.sync_engine.get_execution_options()
        self._file: SQLiteFile | None = options.get(FILE)
        self._is_own = OWN in options
        self._turnstile = _turnstile(engine)
        self._has_one_connection = isinstance(engine.pool, StaticPool)
        # One connection cannot have two transactions.
        self._serial: AbstractAsyncContextManager[Any] = (
            self._turnstile if self._has_one_connection else nullcontext()
        )
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._created_in = object()  # nowhere yet
        self._saves_in = object()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; create the tables first if that is wanted and not done yet."""
        engine = await self._engine_here()
        try:
            sessions = _transactional(engine)
            if not self._turnstile.has_connected:
                # What the dialect learns from its first connection, other loops need, too.
                async with self._turnstile, sessions.connect():
                    self._turnstile.has_connected = True
            if self._create_tables and self._created_in != self._place():
                await self._tables.create(sessions, self._serial)
                self._created_in = self._saves_in = self._place()
            async with self._serial, sessions.begin() as connection:
                yield connection
        finally:
            if engine is not self._engine:
                await engine.dispose()

    def has_saves(self, connection: Connection, table: str) -> bool:
        """Return whether the table of saves exists."""
        if self._saves_in != self._place():
            if not inspect(connection).has_table(table):
                return False
            self._saves_in = self._place()
        return True

    async def close(self) -> None:
        """Close the connections of the engine, in their loop."""
        loop = self._loop
        if loop is not None and loop.is_running() and loop is not asyncio.get_running_loop():
            closing = asyncio.run_coroutine_threadsafe(self._engine.dispose(), loop)
            await asyncio.wrap_future(closing)
        else:
            await self._give_up(loop)

    async def _engine_here(self) -> AsyncEngine:
        """Return the engine, or in another loop than the first one a sibling for one use."""
        if self._has_one_connection:
            return self._engine
        here = asyncio.get_running_loop()
        with self._guard:
            before = self._loop
            # The program's engine is not ours to take along: others may use it.
            if before is None or (before.is_closed() and self._is_own):
                self._loop = here
            first = self._loop
        if first is not here:
            return _sibling(self._engine)
        if before not in (None, here):
            await self._give_up(before)
        if self._file is not None and self._file.is_gone():
            async with self._turnstile:
                if self._file.is_gone():
                    await self._file.close(self._engine)
        return self._engine

    async def _give_up(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Close the connections of a loop; after its end they cannot say goodbye to a server."""
        anywhere = self._engine.dialect.driver in _CLOSED_ANYWHERE
        if loop is None or loop.is_running() or anywhere:
            await self._engine.dispose()
        else:
            self._engine.sync_engine.dispose(close=False)

    def _place(self) -> object:
        """Return what distinguishes the database from another one with the same URL."""
        return None if self._file is None else self._file.identity


def _transactional(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine, on the same pool, with the transactions that sessions need.

    Such transactions wait for each other and see each other's writes. The program's engine may have
    another isolation level: at a stricter one PostgreSQL aborts a transaction that had to wait, and
    AUTOCOMMIT has no transactions.
    """
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def _sibling(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine for the same database with connections of its own."""
    sync = engine.sync_engine
    return AsyncEngine(
        Engine(
            sync.pool.recreate(),
            sync.dialect,
            sync.url,
            hide_parameters=sync.hide_parameters,
            execution_options=dict(sync.get_execution_options()),
        )
    )


class _Turnstile:
    """A lock for tasks of several event loops, which pass in the order in which they come.

    Attributes:
        has_connected: Whether the engine has had a connection.
    """

    def __init__(self) -> None:
        self.has_connected = False
        self._guard = threading.Lock()
        self._is_held = False
        self._waiting: deque[Future[None]] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            turn: Future[None] = Future()
            self._waiting.append(turn)
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancel() and not turn.cancelled():
                self._pass_on()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(None)
                    return
            self._is_held = False


def _turnstile(engine: AsyncEngine) -> _Turnstile:
    """Return the lock of an engine, which all sessions on it share."""
    options: Mapping[str, Any] = engine.sync_engine.get_execution_options()
    lock = options.get("agentgraph_turnstile")
    if not isinstance(lock, _Turnstile):
        lock = _Turnstile()
        engine.sync_engine.update_execution_options(agentgraph_turnstile=lock)
    return lock
