"""One connection to an SQLite database: one call at a time, in order.

The sessions that are first used in one event loop share the connection to their file, so they never
wait for each other's locks; the loop holds it (`_FILES`). Between connections SQLite's own lock
decides, with a busy timeout. Only its own thread uses the connection of a file, never an event
loop. A database in memory has nothing to wait for and belongs to one session, so its calls run at
once.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from agentgraph.memory.errors import SessionError
from agentgraph.memory.file_identity import file_identity
from agentgraph.memory.sqlite.histories import Histories

__all__ = ["BUSY_TIMEOUT", "MEMORY", "SQLiteDatabase", "failure", "transaction"]

MEMORY = ":memory:"

BUSY_TIMEOUT = 60.0
"""Seconds that a call waits for another connection to finish its transaction."""

_FILES = "_agentgraph_sqlite_files"
"""The attribute of an event loop that holds its open databases, by path."""

_T = TypeVar("_T")


class SQLiteDatabase:
    """A connection to a database file, or a database in memory; the first call opens it.

    Args:
        path: The file, or `:memory:`.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.in_memory = path == MEMORY
        self._process = os.getpid()
        self._users = 1
        # Re-entrant: garbage collection may release a database while a session acquires one.
        self._users_guard = threading.RLock()
        # Calls come from one thread per database, or from any thread for one in memory.
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        if not self.in_memory:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="agentgraph-sqlite")
        self._connection: sqlite3.Connection | None = None
        self._histories: Histories | None = None
        self._writes_ahead = False
        self._file_identity: tuple[int, int] | None = None
        self._prepared: set[Hashable] = set()
        self._synchronous: int | None = None

    @classmethod
    def acquire(cls, path: str | Path) -> SQLiteDatabase:
        """Return the database of a file, shared within the running event loop, or one in memory.

        The first call opens it. Release every acquired database once.
        """
        if str(path) == MEMORY:
            return cls(MEMORY)
        name = os.path.realpath(path)
        # Weak: the sessions hold the database, and a loop may see any number of files.
        files: WeakValueDictionary[str, SQLiteDatabase] = vars(
            asyncio.get_running_loop()
        ).setdefault(_FILES, WeakValueDictionary())
        database = files.get(name)
        if database is None or database.is_inherited() or not database._shared():
            database = files[name] = cls(name)
        return database

    def _shared(self) -> bool:
        """Count one user more; return False if the last one has released the database."""
        with self._users_guard:
            self._users += self._users > 0
            return self._users > 0

    def release(self) -> None:
        """Release the database; the last release closes the connection."""
        with self._users_guard:
            self._users -= 1
            if self._users > 0:
                return
        if self.is_inherited():
            # Closing it here could write the parent's file. The exit handler keeps it alive.
            atexit.register(_keep, self._connection)
            return
        with self._lock:
            self._disconnect()
        if self._thread is not None:
            self._thread.shutdown(wait=False)

    def is_inherited(self) -> bool:
        """Tell whether this process was forked from the one that opened the database."""
        return not self.in_memory and self._process != os.getpid()

    @contextmanager
    def without_sync(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Let the transactions of a block reach the disk together with the next one after it.

        A killed process loses none of them, and no file is damaged. A power failure before that
        next transaction undoes them, the latest first. Use it outside of a transaction.
        """
        if not self._writes_ahead:
            yield
            return
        if self._synchronous is None:
            (self._synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        connection.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")

    def sync(self, connection: sqlite3.Connection) -> None:
        """Wait until all earlier transactions are on disk."""
        if self._writes_ahead:
            # A checkpoint first syncs the log.
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    @property
    def histories(self) -> Histories:
        """The cached histories of the connection; use it within a call of `run`."""
        assert self._histories is not None
        return self._histories

    def once(
        self,
        connection: sqlite3.Connection,
        tables: Hashable,
        prepare: Callable[[sqlite3.Connection], None],
    ) -> None:
        """Prepare the connection, once for each value of `tables`; use it within a call of `run`,
        outside of a transaction."""
        if tables not in self._prepared:
            prepare(connection)
            self._prepared.add(tables)

    async def run(
        self,
        tables: Hashable,
        prepare: Callable[[sqlite3.Connection], None],
        call: Callable[[sqlite3.Connection], _T],
        session: Hashable,
    ) -> _T:
        """Run one call with the connection, after all earlier calls.

        Args:
            tables: The tables.
            prepare: Creates or checks them, as in `once`.
            call: The work; it must leave no transaction open.
            session: The session whose rows it may change.

        Raises:
            sqlite3.Error: `prepare` or `call` raised it.
        """
        if self._thread is None:
            return self._run(tables, prepare, call, session)
        work = _Once(self._run, tables, prepare, call, session)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _run(
        self,
        tables: Hashable,
        prepare: Callable[[sqlite3.Connection], None],
        call: Callable[[sqlite3.Connection], _T],
        session: Hashable,
    ) -> _T:
        with self._lock:
            connection = self._connect()
            self.once(connection, tables, prepare)
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
        self._synchronous = None


class _Once:
    """A function to call once; it drops its references before the result is known.

    The executor's thread keeps its reference to the work for some time after the result is there.
    Objects of the call, such as a session that was not closed, must not stay alive until then.
    """

    __slots__ = ("_parts",)

    def __init__(self, call: Callable[..., Any], *arguments: object) -> None:
        self._parts: tuple[Any, ...] | None = (call, *arguments)

    def __call__(self) -> Any:
        assert self._parts is not None
        call, *arguments = self._parts
        self._parts = None
        return call(*arguments)


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
