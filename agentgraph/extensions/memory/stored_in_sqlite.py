"""All sessions of an SQLite file, plain or with branches, of this package or the published SDK.

Methods that only read open the file read-only, so that they can write nothing by mistake, not even
a missing table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TypeVar

from agentgraph.extensions.memory.advanced_sqlite_branches import MAIN, Branch, Branches
from agentgraph.memory.encoding import MARK_LENGTH, WHITE_SPACE
from agentgraph.memory.sqlite.database import BUSY_TIMEOUT, failure, transaction
from agentgraph.memory.sqlite.rows import Rows
from agentgraph.memory.sqlite.schema import Tables, quoted
from agentgraph.memory.stored_sessions import History, StoredSessions
from agentgraph.memory.transcripts.histories import Change

__all__ = ["SQLiteStoredSessions"]

_STRUCTURE = "message_structure"
_BRANCH_TABLES = (_STRUCTURE, "turn_usage", "branch_reservations")
_GENERATIONS = "session_clear_generations"

_T = TypeVar("_T")


class SQLiteStoredSessions(StoredSessions[sqlite3.Connection]):
    """The sessions of a file.

    Args:
        path: The file.
        sessions_table: The table of sessions.
        messages_table: The table of items.
    """

    def __init__(
        self,
        path: Path,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> None:
        self._path = path.absolute()
        self._tables = Tables(sessions_table, messages_table)

    async def close(self) -> None:
        """Do nothing: the file is not open between two calls."""

    @property
    def _place(self) -> str:
        return str(self._path)

    async def _run(
        self, call: Callable[[sqlite3.Connection], _T], writes_to: str | None = None
    ) -> _T:
        try:
            with closing(self._connected("ro" if writes_to is None else "rw")) as connection:
                for table in self._tables.missing(connection):
                    raise self._missing_table(table, _tables_of(connection))
                with nullcontext() if writes_to is None else transaction(connection):
                    return call(connection)
        except sqlite3.Error as error:
            raise failure(error, "the sessions", self._place) from error

    def _ids(self, connection: sqlite3.Connection) -> Iterable[str]:
        sessions, messages = quoted(self._tables.sessions), quoted(self._tables.messages)
        rows = connection.execute(
            f"SELECT session_id FROM {sessions} UNION SELECT session_id FROM {messages}"
        )
        return [session_id for (session_id,) in rows]

    def _delete(self, connection: sqlite3.Connection, session_id: str) -> None:
        tables = _tables_of(connection)
        for table in _BRANCH_TABLES:
            if table in tables:
                connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
        if _GENERATIONS in tables:
            # By this number, other programs that have the session open notice the deletion.
            Branches(session_id).count_clear(connection)
        Rows(session_id, self._tables).clear(connection)

    def _connected(self, mode: str) -> sqlite3.Connection:
        """Open the file so that closing it leaves no log file beside it.

        A read-only connection creates a log file if there is none, and cannot remove it. In a
        read-only folder SQLite cannot create the log; without a log, the file itself has
        everything.
        """
        if mode == "rw" or self._path.with_name(f"{self._path.name}-wal").exists():
            return self._connect(f"mode={mode}")
        connection = self._connect("mode=rw")
        try:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorname not in ("SQLITE_CANTOPEN", "SQLITE_READONLY_DIRECTORY"):
                raise
            return self._connect("mode=ro&immutable=1")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _connect(self, options: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.as_uri()}?{options}",
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            uri=True,
        )

    def _read(
        self, connection: sqlite3.Connection, session_id: str
    ) -> tuple[str | None, str | None, tuple[History, ...]]:
        rows = connection.execute(
            f"SELECT * FROM {quoted(self._tables.sessions)} WHERE session_id = ?", (session_id,)
        )
        names = [column[0] for column in rows.description]
        row = rows.fetchone()
        if row is None:
            return None, None, self._histories(connection, session_id)
        times = dict(zip(names, row, strict=True))
        created, updated = (str(times.get(name) or "") for name in ("created_at", "updated_at"))
        return created, updated, self._histories(connection, session_id)

    def _histories(self, connection: sqlite3.Connection, session_id: str) -> tuple[History, ...]:
        if _STRUCTURE in _tables_of(connection):
            branches = connection.execute(
                f"SELECT branch_id FROM {_STRUCTURE} WHERE session_id = ? "
                "GROUP BY branch_id ORDER BY branch_id != ?, MIN(id)",
                (session_id, MAIN),
            ).fetchall()
            # A session without structure comes from the plain class: read it as the plain class.
            if branches:
                rows = (Branch(session_id, self._tables, name) for (name,) in branches)
                return tuple(History.of(it.branch_id, it.oldest_first(connection)) for it in rows)
        return (History.of(None, Rows(session_id, self._tables).oldest_first(connection)),)

    def _change(
        self,
        connection: sqlite3.Connection,
        session_id: str,
        branch: str | None,
        key: int,
        change: Change,
    ) -> None:
        row_id = key
        if branch is not None:
            query = f"SELECT message_id FROM {_STRUCTURE} WHERE id = ?"
            (row_id,) = connection.execute(query, (key,)).fetchone()
        if change.replacement is not None:
            # Other branches may also list the row; without its id the item is valid there, too.
            connection.execute(
                f"UPDATE {quoted(self._tables.messages)} "
                "SET message_data = json_remove(message_data, '$.id') WHERE id = ?",
                (row_id,),
            )
        elif branch is None:
            Rows(session_id, self._tables).remove(connection, key)
        else:
            connection.execute(f"DELETE FROM {_STRUCTURE} WHERE id = ?", (key,))
            Branch(session_id, self._tables, branch).drop_unlisted(connection, [row_id])

    def _remove_marks(self, connection: sqlite3.Connection, session_id: str) -> None:
        connection.execute(
            f"UPDATE {quoted(self._tables.messages)} "
            "SET message_data = rtrim(message_data, :space) WHERE session_id = :session AND "
            "length(message_data) - length(rtrim(message_data, :space)) >= :mark",
            {"space": WHITE_SPACE, "session": session_id, "mark": MARK_LENGTH},
        )


def _tables_of(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows if not name.startswith("sqlite_")}
