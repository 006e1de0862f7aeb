"""The default journal: one SQLite file for many runs, which several processes may use at once."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from agentgraph.memory.journals.errors import JournalError
from agentgraph.memory.journals.sql import SQLJournal
from agentgraph.memory.journals.sql_rows import RunRows, Values
from agentgraph.memory.journals.sql_tables import VERSION, migrate
from agentgraph.memory.journals.store import CLAIM_SECONDS, Durability
from agentgraph.memory.sqlite.database import MEMORY, SQLiteDatabase, failure, transaction

__all__ = ["SQLiteJournal"]

_T = TypeVar("_T")


class SQLiteJournal(SQLJournal):
    """A journal in an SQLite file.

    Args:
        path: The file, created if missing; it may also hold sessions. `":memory:"` keeps the
            journal as long as this object.
        durability: `"sync"`: each line is on disk before its effect is visible. `"async"`: lines
            are written in the background, so a killed process may repeat the work of its last
            moments. `"exit"`: lines are written once the run rests.
        claim_seconds: How long a run is held if its process stops renewing the claim. The claim of
            a process of this machine ends with it.
        chain: Whether runs that begin get a chain of hashes over their lines, so that damage to one
            of them is seen when the run is read.

    Raises:
        AgentDefinitionError: The durability is unknown, or the seconds are not a positive number.
    """

    def __init__(
        self,
        path: str | Path = MEMORY,
        *,
        durability: Durability = "sync",
        claim_seconds: float = CLAIM_SECONDS,
        chain: bool = False,
    ) -> None:
        place = MEMORY if str(path) == MEMORY else os.path.realpath(path)
        super().__init__(place, durability=durability, claim_seconds=claim_seconds, chain=chain)
        self._open()

    def _open(self) -> None:
        self._database = SQLiteDatabase(self.place)
        # Also runs without `aclose`: at garbage collection or at the end of the program.
        self._release = weakref.finalize(self, self._database.release)

    async def aclose(self) -> None:
        """See `JournalStore`."""
        self._release()

    async def _call(self, run_id: str, call: Callable[[RunRows], _T], *, writes: bool = True) -> _T:
        if self._database.is_inherited():
            self._release()
            self._open()
        database = self._database

        def called(connection: sqlite3.Connection) -> _T:
            rows = _SQLiteRows(connection, self.place)
            if not writes:
                return call(rows)
            if self.durability == "sync":
                with transaction(connection):
                    return call(rows)
            with database.without_sync(connection), transaction(connection):
                return call(rows)

        try:
            return await database.run("journal", self._prepare, called, ("journal", run_id))
        except sqlite3.Error as error:
            what = f"The journal of run {run_id!r}" if run_id else "The journal"
            raise JournalError(str(failure(error, what, self.place))) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # What is deleted leaves no trace in the file.
        connection.execute("PRAGMA secure_delete = ON").fetchone()
        if _version(connection) == VERSION:
            return
        with transaction(connection):
            migrate(
                connection.execute,
                _version(connection),
                self.place,
                exact="COLLATE BINARY",
                by_key="WITHOUT ROWID",
            )


class _SQLiteRows(RunRows):
    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection, place: str) -> None:
        super().__init__(place)
        self._connection = connection

    def _select(self, query: str, values: Values) -> Sequence[Sequence[Any]]:
        return self._connection.execute(query, values).fetchall()

    def _change(self, statement: str, values: Values) -> int:
        return self._connection.execute(statement, values).rowcount

    def _insert(self, statement: str, rows: Sequence[Values]) -> None:
        self._connection.executemany(statement, rows)

    def _hold_machines(self) -> None:
        """Do nothing: one transaction at a time may write."""


def _version(connection: sqlite3.Connection) -> int:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'agentgraph_journal'"
    if connection.execute(query).fetchone() is None:
        return 0
    row = connection.execute("SELECT version FROM agentgraph_journal").fetchone()
    return 0 if row is None else int(row[0])
