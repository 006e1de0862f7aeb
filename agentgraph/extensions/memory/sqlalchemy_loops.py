"""A database of SQLAlchemy in each event loop that uses it.

Connections and pools belong to the loop that made them, so every loop after the first gets an
engine of its own. An engine with a single connection (SQLite in memory) serves all loops, one
transaction at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary

from agentgraph.extensions.memory.sqlalchemy_connections import (
    file_of,
    has_one_connection,
    sibling,
    transactional,
)
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.errors import MissingExtra

try:
    from sqlalchemy import inspect
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["Database", "Databases"]


class Databases:
    """One database, seen from several event loops.

    Args:
        engine: The engine for the first loop.
        tables: The tables.
        create_tables: Whether to create missing tables.
    """

    def __init__(self, engine: AsyncEngine, tables: SessionTables, *, create_tables: bool) -> None:
        self._engine = engine
        self._tables = tables
        self._create_tables = create_tables
        self._guard = threading.Lock()
        self._is_taken = False
        self._of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Database] = WeakKeyDictionary()

    def here(self) -> Database:
        """Return the database for the running loop."""
        loop = asyncio.get_running_loop()
        with self._guard:
            database = self._of_loop.get(loop)
            if database is None:
                shared = not self._is_taken or has_one_connection(self._engine)
                engine = self._engine if shared else sibling(self._engine)
                database = Database(engine, self._tables, create_tables=self._create_tables)
                self._of_loop[loop] = database
                self._is_taken = True
        return database

    async def close(self) -> None:
        """Close all connections, each in its loop; those of a loop that has ended are given up."""
        with self._guard:
            databases = list(self._of_loop.items())
            self._of_loop.clear()
        if not databases or has_one_connection(self._engine):
            await self._engine.dispose()
            return
        for loop, database in databases:
            if loop is asyncio.get_running_loop():
                await database.engine.dispose()
            elif loop.is_running():
                closing = asyncio.run_coroutine_threadsafe(database.engine.dispose(), loop)
                await asyncio.wrap_future(closing)
            elif self._engine.dialect.name == "sqlite":  # its connections can be closed anywhere
                await database.engine.dispose()
            else:
                database.engine.sync_engine.dispose(close=False)


class Database:
    """A database in one event loop.

    Args:
        engine: The engine of the loop.
        tables: The tables.
        create_tables: Whether to create missing tables.
    """

    def __init__(self, engine: AsyncEngine, tables: SessionTables, *, create_tables: bool) -> None:
        self.engine = engine
        self.warned = False
        self._tables = tables
        self._create_tables = create_tables
        self._transactional = transactional(engine)
        self._file = file_of(engine)
        self._turnstile = _turnstile(engine)
        self._creating = asyncio.Lock()
        self._created_in = object()  # nowhere yet
        self._saves_in = object()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; create the tables first if that is wanted and not done yet."""
        if self._file is not None:
            await self._file.check(self.engine)
        if self._create_tables and self._created_in != self._place():
            async with self._creating:
                if self._created_in != self._place():
                    await self._tables.create(self._transactional, self._turnstile)
                    self._created_in = self._saves_in = self._place()
        async with self._turnstile or nullcontext(), self._transactional.begin() as connection:
            yield connection

    async def has_saves(self, connection: AsyncConnection) -> bool:
        """Return whether the table of saves exists."""
        if self._saves_in != self._place():
            name = self._tables.saves.name
            if not await connection.run_sync(lambda sync: inspect(sync).has_table(name)):
                return False
            self._saves_in = self._place()
        return True

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


def _turnstile(engine: AsyncEngine) -> _Turnstile | None:
    """Return the lock of an engine with only one connection, else None.

    One connection cannot have two transactions. All sessions that share the engine share the lock.
    """
    if not has_one_connection(engine):
        return None
    options: Any = engine.sync_engine.get_execution_options()
    lock = options.get("agentgraph_turnstile")
    if not isinstance(lock, _Turnstile):
        lock = _Turnstile()
        engine.sync_engine.update_execution_options(agentgraph_turnstile=lock)
    return lock
