"""A database of SQLAlchemy in the event loops that use it.

Connections belong to the loop that made them. The first loop uses the pool of the engine; another
loop opens a connection for each transaction, until the first one is closed and it takes its place.
An engine with a single connection (SQLite in memory) serves all loops, one transaction at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from agentgraph.extensions.memory.sqlalchemy_connections import (
    file_of,
    has_one_connection,
    is_own,
    sibling,
    transactional,
)
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.errors import MissingExtra

try:
    from sqlalchemy import Connection, inspect
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["Database"]

_CLOSED_ANYWHERE = frozenset({"aiosqlite", "psycopg"})
"""The drivers that close a connection without the loop that opened it."""


class Database:
    """A database, seen from several event loops.

    Args:
        engine: The engine.
        tables: The tables.
        create_tables: Whether to create missing tables.
    """

    def __init__(self, engine: AsyncEngine, tables: SessionTables, *, create_tables: bool) -> None:
        self.warned = False
        self._engine = engine
        self._tables = tables
        self._create_tables = create_tables
        self._file = file_of(engine)
        self._turnstile = _turnstile(engine)
        # One connection cannot have two transactions.
        one = has_one_connection(engine)
        self._serial: AbstractAsyncContextManager[Any] = self._turnstile if one else nullcontext()
        self._connected = False
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._created_in = object()  # nowhere yet
        self._saves_in = object()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; create the tables first if that is wanted and not done yet."""
        engine = await self._engine_here()
        try:
            sessions = transactional(engine)
            if not self._connected:
                # What the dialect learns from its first connection, other loops need, too.
                async with self._turnstile, sessions.connect():
                    self._connected = True
            if self._create_tables and self._created_in != self._place():
                await self._tables.create(sessions, self._serial)
                self._created_in = self._saves_in = self._place()
            async with self._serial, sessions.begin() as connection:
                yield connection
        finally:
            if engine is not self._engine:
                await engine.dispose()

    def has_saves(self, connection: Connection) -> bool:
        """Return whether the table of saves exists."""
        if self._saves_in != self._place():
            if not inspect(connection).has_table(self._tables.saves.name):
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
        if has_one_connection(self._engine):
            return self._engine
        here = asyncio.get_running_loop()
        with self._guard:
            before = self._loop
            # The program's engine is not ours to take along: others may use it.
            if before is None or (before.is_closed() and is_own(self._engine)):
                self._loop = here
            first = self._loop
        if first is not here:
            return sibling(self._engine)
        if before not in (None, here):
            await self._give_up(before)
        if self._file is not None:
            await self._file.check(self._engine)
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


class _Turnstile:
    """A lock for tasks of several event loops, which pass in the order in which they come."""

    def __init__(self) -> None:
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
    options: Any = engine.sync_engine.get_execution_options()
    lock = options.get("agentgraph_turnstile")
    if not isinstance(lock, _Turnstile):
        lock = _Turnstile()
        engine.sync_engine.update_execution_options(agentgraph_turnstile=lock)
    return lock
