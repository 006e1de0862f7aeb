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

    async def here(self) -> Database:
        """Return the database for the running loop.

        The first call in a loop gives up the connections of loops that are closed.
        """
        loop = asyncio.get_running_loop()
        ended: list[tuple[asyncio.AbstractEventLoop, Database]] = []
        with self._guard:
            database = self._of_loop.get(loop)
            if database is None:
                ended = [(it, of_it) for it, of_it in self._of_loop.items() if it.is_closed()]
                # The program's engine is used up, not closed: others may use it.
                ended = [pair for pair in ended if pair[1].engine is not self._engine]
                for closed, _ in ended:
                    del self._of_loop[closed]
                shared = not self._is_taken or has_one_connection(self._engine)
                engine = self._engine if shared else sibling(self._engine)
                database = Database(engine, self._tables, create_tables=self._create_tables)
                self._of_loop[loop] = database
                self._is_taken = True
        for closed, of_closed in ended:
            await _dispose(of_closed.engine, closed)
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
            await _dispose(database.engine, loop)


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


async def _dispose(engine: AsyncEngine, loop: asyncio.AbstractEventLoop) -> None:
    """Close the connections of an engine, in its loop; those of a loop that has ended are given
    up."""
    if loop.is_running() and loop is not asyncio.get_running_loop():
        closing = asyncio.run_coroutine_threadsafe(engine.dispose(), loop)
        await asyncio.wrap_future(closing)
    elif loop.is_running() or engine.dialect.name == "sqlite":
        # Connections of SQLite can be closed anywhere.
        await engine.dispose()
    else:
        engine.sync_engine.dispose(close=False)


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
