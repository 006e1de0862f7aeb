"""The default journal: one SQLite file for many runs, which several processes may use at once."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.memory.journals.errors import (
    ClaimLost,
    IndexTaken,
    JournalError,
    RunInProgress,
    UnknownRun,
)
from agentgraph.memory.journals.sqlite_tables import prepare
from agentgraph.memory.journals.store import CLAIM_SECONDS, OVER, Durability, RunStatus, StoredRun
from agentgraph.memory.sqlite.database import MEMORY, SQLiteDatabase, failure, transaction

__all__ = ["SQLiteJournal"]

_T = TypeVar("_T")
_RUN = "run_id, head, status, epoch, holder, expires, lines, note, created, updated"


class SQLiteJournal:
    """A journal in an SQLite file.

    Args:
        path: The file, created if missing; it may also hold sessions. `":memory:"` keeps the
            journal as long as this object.
        durability: `"sync"`: each line is on disk before its effect is visible. `"async"`: lines
            are written in the background, so a killed process may repeat the work of its last
            moments. `"exit"`: lines are written once the run rests.
        claim_seconds: How long a run is held if its process stops renewing the claim. The claim of
            a process of this machine ends with it.

    Raises:
        AgentDefinitionError: The durability is unknown, or the seconds are not a positive number.
    """

    def __init__(
        self,
        path: str | Path = MEMORY,
        *,
        durability: Durability = "sync",
        claim_seconds: float = CLAIM_SECONDS,
    ) -> None:
        check_settings("SQLiteJournal", durability, claim_seconds)
        self.durability, self.claim_seconds = durability, claim_seconds
        self.place = MEMORY if str(path) == MEMORY else os.path.realpath(path)
        self._open()

    def _open(self) -> None:
        self._database = SQLiteDatabase(self.place)
        # Also runs without `aclose`: at garbage collection or at the end of the program.
        self._release = weakref.finalize(self, self._database.release)

    async def _call(self, run_id: str, call: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._database.is_inherited():
            self._release()
            self._open()
        database = self._database

        def called(connection: sqlite3.Connection) -> _T:
            if self.durability == "sync":
                return call(connection)
            with database.without_sync(connection):
                return call(connection)

        try:
            return await database.run("journal", prepare, called, ("journal", run_id))
        except sqlite3.Error as error:
            what = f"The journal of run {run_id!r}" if run_id else "The journal"
            raise JournalError(str(failure(error, what, self.place))) from error

    async def open(self, run_id: str, head: str) -> StoredRun:
        """See `JournalStore`."""
        now = time.time()

        def opened(connection: sqlite3.Connection) -> StoredRun:
            stored = _find(connection, run_id)
            if stored is not None:
                return stored
            connection.execute(
                "INSERT OR IGNORE INTO agentgraph_runs"
                f" ({_RUN}) VALUES (?, ?, 'running', 0, '', 0, 0, '', ?, ?)",
                (run_id, head, now, now),
            )
            return self._run(connection, run_id)

        return await self._call(run_id, opened)

    async def find(self, run_id: str) -> StoredRun | None:
        """See `JournalStore`."""
        return await self._call(run_id, lambda connection: _find(connection, run_id))

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        """See `JournalStore`."""

        def claimed(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                now = time.time()
                run = self._run(connection, run_id)
                if run.is_held(now):
                    raise RunInProgress(run_id, run.holder)
                status = run.status if run.status in OVER else "running"
                connection.execute(
                    "UPDATE agentgraph_runs SET status = ?, epoch = epoch + 1, holder = ?,"
                    " expires = ? WHERE run_id = ?",
                    (status, holder, now + seconds, run_id),
                )
                return run.epoch + 1

        return await self._call(run_id, claimed)

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        """See `JournalStore`."""

        def renewed(connection: sqlite3.Connection) -> None:
            with self._held(connection, run_id, epoch):
                connection.execute(
                    "UPDATE agentgraph_runs SET expires = ? WHERE run_id = ?",
                    (time.time() + seconds, run_id),
                )

        await self._call(run_id, renewed)

    async def append(self, run_id: str, epoch: int, first: int, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        rows = [(run_id, first + place, epoch, line) for place, line in enumerate(lines)]

        def appended(connection: sqlite3.Connection) -> None:
            with self._held(connection, run_id, epoch) as count:
                if count == first:
                    connection.executemany("INSERT INTO agentgraph_lines VALUES (?, ?, ?, ?)", rows)
                    connection.execute(
                        "UPDATE agentgraph_runs SET lines = ? WHERE run_id = ?",
                        (first + len(rows), run_id),
                    )
                elif _stored(connection, run_id, first, len(rows)) != rows:
                    raise IndexTaken(f"Run {run_id!r} has {count} lines, not {first}.")

        await self._call(run_id, appended)

    async def read(self, run_id: str, first: int = 0) -> list[str]:
        """See `JournalStore`."""

        def read(connection: sqlite3.Connection) -> list[str]:
            self._run(connection, run_id)
            return [line for *_, line in _stored(connection, run_id, first, -1)]

        return await self._call(run_id, read)

    async def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        """See `JournalStore`."""

        def finished(connection: sqlite3.Connection) -> None:
            with self._held(connection, run_id, epoch):
                connection.execute(
                    "UPDATE agentgraph_runs SET updated = CASE WHEN status = :status AND"
                    " note = :note THEN updated ELSE :now END, status = :status, note = :note,"
                    " holder = '', expires = 0 WHERE run_id = :run",
                    {"status": status, "note": note, "now": time.time(), "run": run_id},
                )

        await self._call(run_id, finished)

    async def runs(
        self, statuses: Sequence[RunStatus] = (), *, limit: int = 100, after: str = ""
    ) -> list[StoredRun]:
        """See `JournalStore`."""
        conditions, values = ["1"], list[object]()
        if statuses:
            conditions.append(f"status IN ({', '.join('?' * len(statuses))})")
            values += statuses
        if after:
            last = "(SELECT -updated, run_id FROM agentgraph_runs WHERE run_id = ?)"
            conditions.append(f"(-updated, run_id) > {last}")
            values.append(after)
        query = (
            f"SELECT {_RUN} FROM agentgraph_runs WHERE {' AND '.join(conditions)}"
            " ORDER BY -updated, run_id LIMIT ?"
        )
        return await self._call(
            "",
            lambda connection: [
                StoredRun(*row) for row in connection.execute(query, (*values, limit))
            ],
        )

    async def delete(self, run_id: str) -> None:
        """See `JournalStore`."""

        def deleted(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                run = self._run(connection, run_id)
                if run.is_held(time.time()):
                    raise RunInProgress(run_id, run.holder)
                for table in ("lines", "machines_of_runs", "runs"):
                    connection.execute(
                        f"DELETE FROM agentgraph_{table} WHERE run_id = ?", (run_id,)
                    )
                connection.execute(
                    "DELETE FROM agentgraph_machines WHERE fingerprint NOT IN"
                    " (SELECT fingerprint FROM agentgraph_machines_of_runs)"
                )

        await self._call(run_id, deleted)

    async def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        """See `JournalStore`."""

        def kept(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT OR IGNORE INTO agentgraph_machines VALUES (?, ?)",
                    (fingerprint, machine),
                )
                connection.execute(
                    "INSERT OR IGNORE INTO agentgraph_machines_of_runs VALUES (?, ?)",
                    (run_id, fingerprint),
                )

        await self._call(run_id, kept)

    async def machine(self, fingerprint: str) -> str | None:
        """See `JournalStore`."""
        query = "SELECT machine FROM agentgraph_machines WHERE fingerprint = ?"

        def stored(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(query, (fingerprint,)).fetchone()
            return None if row is None else str(row[0])

        return await self._call("", stored)

    async def aclose(self) -> None:
        """See `JournalStore`."""
        self._release()

    def _run(self, connection: sqlite3.Connection, run_id: str) -> StoredRun:
        stored = _find(connection, run_id)
        if stored is None:
            raise UnknownRun(run_id, self.place)
        return stored

    @contextmanager
    def _held(self, connection: sqlite3.Connection, run_id: str, epoch: int) -> Iterator[int]:
        """A transaction under a claim; yields the number of lines."""
        with transaction(connection):
            query = "SELECT epoch, lines FROM agentgraph_runs WHERE run_id = ?"
            row = connection.execute(query, (run_id,)).fetchone()
            if row is None:
                raise UnknownRun(run_id, self.place)
            if row[0] != epoch:
                raise ClaimLost(run_id)
            yield row[1]


def check_settings(store: str, durability: object, claim_seconds: object) -> None:
    """Refuse settings that a journal cannot work with.

    Args:
        store: The name of its class.
        durability: When lines are stored.
        claim_seconds: How long a claim holds.

    Raises:
        AgentDefinitionError: One of them is wrong; the message names it.
    """
    if durability not in ("sync", "async", "exit"):
        raise AgentDefinitionError(
            f"{store}: durability must be 'sync', 'async' or 'exit', not {durability!r}."
        )
    is_number = isinstance(claim_seconds, int | float) and not isinstance(claim_seconds, bool)
    if not is_number or not 0 < claim_seconds < float("inf"):  # type: ignore[operator]
        raise AgentDefinitionError(
            f"{store}: claim_seconds must be a positive number of seconds, not {claim_seconds!r}."
        )


def _find(connection: sqlite3.Connection, run_id: str) -> StoredRun | None:
    query = f"SELECT {_RUN} FROM agentgraph_runs WHERE run_id = ?"
    row = connection.execute(query, (run_id,)).fetchone()
    return None if row is None else StoredRun(*row)


def _stored(
    connection: sqlite3.Connection, run_id: str, first: int, most: int
) -> list[tuple[str, int, int, str]]:
    """Lines from a place on; all if ``most`` is negative."""
    query = (
        "SELECT run_id, place, epoch, line FROM agentgraph_lines"
        " WHERE run_id = ? AND place >= ? ORDER BY place LIMIT ?"
    )
    return connection.execute(query, (run_id, first, most)).fetchall()
