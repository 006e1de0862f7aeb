"""One session's connection to an SQLite database: one call at a time, in order.

Between connections, of this process or of others, SQLite's own lock decides, with a busy timeout.
Only threads of the event loop's pool use a file, never the event loop itself: one thread a session,
so few connections wait for each other at once. A database in memory has nothing to wait for, so its
calls run at once.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from agentgraph.memory.errors import SessionError
from agentgraph.memory.file_identity import file_identity
from agentgraph.memory.sqlite.histories import Histories

__all__ = ["BUSY_TIMEOUT", "MEMORY", "SQLiteDatabase", "failure", "transaction"]

MEMORY = ":memory:"

BUSY_TIMEOUT = 60.0
"""Seconds that a call waits for another connection to finish its transaction."""

_T = TypeVar("_T")


class SQLiteDatabase:
    """A connection to a database file, or a database in memory; the first call opens it.

    Args:
        path: The file, or `:memory:`.
    """

    def __init__(self, path: str | Path) -> None:
        self.in_memory = str(path) == MEMORY
        self.path = MEMORY if self.in_memory else os.path.abspath(path)
        self._process = os.getpid()
        self._calls = _Calls()
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._histories: Histories | None = None
        self._writes_ahead = False
        self._file_identity: tuple[int, int] | None = None
        self._prepared: set[str] = set()

    def close(self) -> None:
        """Close the connection."""
        if self.is_inherited():
            # Closing it here could write the parent's file. The exit handler keeps it alive.
            atexit.register(_keep, self._connection)
            return
        with self._lock:
            self._disconnect()

    def is_inherited(self) -> bool:
        """Tell whether this process was forked from the one that opened the database."""
        return not self.in_memory and self._process != os.getpid()

    def prepare(self, key: str, prepare: Callable[[sqlite3.Connection], None]) -> None:
        """Prepare the connection, once for each key; use it within a call of `run`, outside of a
        transaction."""
        if key not in self._prepared:
            assert self._connection is not None
            prepare(self._connection)
            self._prepared.add(key)

    @contextmanager
    def without_sync(self) -> Iterator[None]:
        """Let the transactions of a block reach the disk together with the next one after it.

        A killed process loses none of them, and no file is damaged. A power failure before that
        next transaction undoes them, the latest first. Use it within a call of `run`, outside of a
        transaction.
        """
        connection = self._connection
        assert connection is not None
        if not self._writes_ahead:
            yield
            return
        (before,) = connection.execute("PRAGMA synchronous").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            connection.execute(f"PRAGMA synchronous = {before}")

    def sync(self) -> None:
        """Wait until all earlier transactions are on disk; use it within a call of `run`."""
        assert self._connection is not None
        if self._writes_ahead:
            # A checkpoint first syncs the log.
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    @property
    def histories(self) -> Histories:
        """The cached histories of the connection; use it within a call of `run`."""
        assert self._histories is not None
        return self._histories

    async def run(
        self,
        prepare: Callable[[sqlite3.Connection], None],
        call: Callable[[sqlite3.Connection], _T],
        session: Hashable,
    ) -> _T:
        """Run one call with the connection, after all earlier calls.

        Args:
            prepare: Creates or checks the tables; runs once per connection.
            call: The work; it must leave no transaction open.
            session: The session whose rows it may change.

        Raises:
            sqlite3.Error: `prepare` or `call` raised it.
        """
        if self.in_memory:
            return self._run(prepare, call, session)
        return await self._calls.run(lambda: self._run(prepare, call, session))

    def _run(
        self,
        prepare: Callable[[sqlite3.Connection], None],
        call: Callable[[sqlite3.Connection], _T],
        session: Hashable,
    ) -> _T:
        with self._lock:
            connection = self._connect()
            self.prepare("tables", prepare)
            changes = connection.total_changes
            try:
                result = call(connection)
            except BaseException:
                self.histories.forget(session)
                raise
            self.histories.settle(session, changes)
            return result

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self.in_memory or self._file_identity == file_identity(self.path):
                return self._connection
            # The file was deleted or replaced: further writes would go to the old one.
            _empty_log(self._connection)
            self._disconnect()
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        try:
            self._writes_ahead = not self.in_memory and _use_write_ahead_log(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._histories = Histories(connection)
        self._file_identity = None if self.in_memory else file_identity(self.path)
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._histories = None
        self._prepared.clear()


class _Calls:
    """Calls that run in a thread, one after another, in the order in which they come."""

    __slots__ = ("_guard", "_running", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._guard = threading.Lock()
        self._running = False

    async def run(self, call: Callable[[], _T]) -> _T:
        """Return the result of a call, which runs also if the caller is cancelled."""
        result: Future[_T] = Future()
        with self._guard:
            self._waiting.append((result, call))
            starts = not self._running
            self._running = True
        # This frame must not keep the session alive while the thread of the call ends.
        del call
        if starts:
            try:
                asyncio.get_running_loop().run_in_executor(None, self._run_all)
            except BaseException:
                with self._guard:
                    self._running = False
                    self._waiting.clear()
                raise
        waiting = asyncio.wrap_future(result)
        # A cancelled caller does not retrieve the exception.
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(waiting)

    def _run_all(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._running = False
                    return
                result, call = self._waiting.popleft()
            value = error = None
            try:
                value = call()
            except BaseException as raised:  # noqa: BLE001  # the caller gets it
                error = raised
            # The caller may expect that a session ends as soon as its last result is there.
            del call
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(error)
            del result, value, error


def _keep(_connection: sqlite3.Connection | None) -> None:
    """Do nothing."""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a block as one transaction that holds the write lock from its start.

    A transaction that begins as a reader and then writes can fail at once with "database is
    locked", whatever the busy timeout; one that begins IMMEDIATE waits its turn.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back already. The error matters more than a failing rollback.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def failure(error: sqlite3.Error, session: str, path: str) -> SessionError:
    """Turn an error of SQLite into one that says what it means for the session and what to do.

    Args:
        error: The error of SQLite.
        session: The name of the session in messages.
        path: The database file, or `:memory:`.
    """
    name = getattr(error, "sqlite_errorname", None)
    if name is None:
        # It comes from Python's module or from this package, and its message is clear.
        return SessionError(f"{session} in {path}: {error}")
    meaning = next((text for prefix, text in _MEANINGS if name.startswith(prefix)), "SQLite failed")
    return SessionError(f"{session} in {path}: {meaning} ({error})")


_MEANINGS = (
    (
        "SQLITE_NOTADB",
        "this is not an SQLite database; nothing was changed; name another file",
    ),
    ("SQLITE_CORRUPT", "the database file is damaged; restore it from a backup or run .recover"),
    (
        "SQLITE_FULL",
        "the disk or a quota is full, so nothing of this call was stored; free space",
    ),
    (
        "SQLITE_BUSY",
        f"another program held the file locked for {BUSY_TIMEOUT:g} s; find and stop it",
    ),
    ("SQLITE_LOCKED", "another program holds a table locked; find and stop it"),
    ("SQLITE_READONLY", "the file or its folder is read-only; allow writing to both"),
    (
        "SQLITE_CANTOPEN",
        "the file cannot be opened; create its folder and check the permissions of both",
    ),
    ("SQLITE_IOERR", "the disk failed, so nothing of this call was stored; check the disk"),
    ("SQLITE_PERM", "access was refused; check the permissions"),
)


def _empty_log(connection: sqlite3.Connection) -> None:
    """Move the contents of a connection's log into its file.

    The log of a replaced file lies beside the new file, and SQLite would write it into that one.
    """
    # A reader or a full disk may prevent it; the old file is gone anyway.
    with suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _use_write_ahead_log(connection: sqlite3.Connection) -> bool:
    """Let readers and the writer work at the same time; return whether the file system allows it.

    The mode lasts: it cannot change while any program has the file open.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
            if mode != "wal":
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
            return bool(mode == "wal")
        except sqlite3.OperationalError as error:
            # Changing the mode needs exclusive access, and SQLite does not wait for that.
            if error.sqlite_errorname not in ("SQLITE_BUSY", "SQLITE_READONLY"):
                raise
            if error.sqlite_errorname == "SQLITE_READONLY":
                return False
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
