"""All sessions of an SQLite file, plain or with branches, of this package or the published SDK.

Methods that only read open the file read-only, so that they can write nothing by mistake, not even
a missing table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agentgraph.extensions.memory.advanced_sqlite_branches import MAIN, Branch
from agentgraph.memory.encoding import MARK_LENGTH, WHITE_SPACE
from agentgraph.memory.errors import SessionError
from agentgraph.memory.sqlite.database import BUSY_TIMEOUT, failure, transaction
from agentgraph.memory.sqlite.rows import Rows
from agentgraph.memory.sqlite.schema import Tables, quoted
from agentgraph.memory.stored_sessions import (
    History,
    Mending,
    NoSuchSession,
    StoredRow,
    StoredSession,
    check_unchanged,
)

__all__ = ["SQLiteStoredSessions"]

_STRUCTURE = "message_structure"
_BRANCH_TABLES = (_STRUCTURE, "turn_usage", "branch_reservations")
_GENERATIONS = "session_clear_generations"


class SQLiteStoredSessions:
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
        self._sessions, self._messages = quoted(sessions_table), quoted(messages_table)

    async def sessions(self) -> AsyncGenerator[StoredSession, None]:
        """Yield every session, in the order of the ids."""
        with self._open("ro") as connection:
            ids = connection.execute(
                f"SELECT session_id FROM {self._sessions} "
                f"UNION SELECT session_id FROM {self._messages} ORDER BY session_id"
            ).fetchall()
            for (session_id,) in ids:
                yield self._read(connection, session_id)

    async def session(self, session_id: str) -> StoredSession:
        """Return one session.

        Raises:
            NoSuchSession: It is not there.
        """
        with self._open("ro") as connection:
            return self._read(connection, session_id)

    async def mend(self, session: StoredSession) -> None:
        """Carry out the mendings of a session, in one transaction.

        Raises:
            SessionError: The session was changed since it was read; nothing was written.
        """
        with self._open("rw") as connection, transaction(connection):
            check_unchanged(self._read(connection, session.session_id), session)
            for mending in session.mendings:
                if mending.branch is None:
                    self._mend_rows(connection, mending)
                else:
                    self._mend_branch(connection, session.session_id, mending)
            connection.execute(
                f"UPDATE {self._messages} SET message_data = rtrim(message_data, :space) "
                "WHERE session_id = :session AND "
                "length(message_data) - length(rtrim(message_data, :space)) >= :mark",
                {"space": WHITE_SPACE, "session": session.session_id, "mark": MARK_LENGTH},
            )

    async def delete(self, session_id: str) -> None:
        """Remove a session with its branches and usage, in one transaction.

        Raises:
            NoSuchSession: It is not there.
        """
        with self._open("rw") as connection, transaction(connection):
            self._read(connection, session_id)
            tables = _tables_of(connection)
            for table in _BRANCH_TABLES:
                if table in tables:
                    connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))
            if _GENERATIONS in tables:
                # By this number, other programs that have the session open notice the deletion.
                connection.execute(
                    f"INSERT INTO {_GENERATIONS} (session_id, generation) VALUES (?, 1) "
                    "ON CONFLICT (session_id) DO UPDATE SET generation = generation + 1",
                    (session_id,),
                )
            Rows(session_id, self._tables).clear(connection)

    async def close(self) -> None:
        """Do nothing: the file is not open between two calls."""

    @contextmanager
    def _open(self, mode: str) -> Iterator[sqlite3.Connection]:
        label = "the sessions"
        try:
            with closing(self._connected(mode)) as connection:
                missing = self._tables.missing(connection)
                if missing:
                    raise SessionError(
                        f"{self._path} holds no sessions: it has no table {missing[0]!r}, only "
                        f"{', '.join(map(repr, sorted(_tables_of(connection)))) or 'none at all'}; "
                        "if the tables have names of their own, give them"
                    )
                yield connection
        except sqlite3.Error as error:
            raise failure(error, label, str(self._path)) from error

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

    def _read(self, connection: sqlite3.Connection, session_id: str) -> StoredSession:
        rows = connection.execute(
            f"SELECT * FROM {self._sessions} WHERE session_id = ?", (session_id,)
        )
        names = [column[0] for column in rows.description]
        row = dict(zip(names, rows.fetchone() or (), strict=False))
        histories = self._histories(connection, session_id)
        if not row and not any(history.rows for history in histories):
            raise NoSuchSession(f"there is no session {session_id!r} in {self._path}")
        created, updated = (str(row.get(name) or "") for name in ("created_at", "updated_at"))
        return StoredSession(session_id, created, updated, histories)

    def _histories(self, connection: sqlite3.Connection, session_id: str) -> tuple[History, ...]:
        if _STRUCTURE in _tables_of(connection):
            branches = connection.execute(
                f"SELECT branch_id FROM {_STRUCTURE} WHERE session_id = ? "
                "GROUP BY branch_id ORDER BY branch_id != ?, MIN(id)",
                (session_id, MAIN),
            ).fetchall()
            # A session without structure comes from the plain class: read it as the plain class.
            if branches:
                return tuple(
                    self._branch(connection, session_id, branch_id) for (branch_id,) in branches
                )
        rows = connection.execute(
            f"SELECT id, message_data FROM {self._messages} WHERE session_id = ? ORDER BY id",
            (session_id,),
        )
        return (History(None, _decoded(rows)),)

    def _branch(self, connection: sqlite3.Connection, session_id: str, branch_id: str) -> History:
        rows = connection.execute(
            f"SELECT s.id, m.message_data FROM {_STRUCTURE} s "
            f"JOIN {self._messages} m ON m.id = s.message_id "
            "WHERE s.session_id = ? AND s.branch_id = ? ORDER BY s.sequence_number",
            (session_id, branch_id),
        )
        return History(branch_id, _decoded(rows))

    def _mend_rows(self, connection: sqlite3.Connection, mending: Mending) -> None:
        for key, change in mending.changes:
            if change.replacement is None:
                connection.execute(f"DELETE FROM {self._messages} WHERE id = ?", (key,))
            else:
                _take_id(connection, self._messages, key)

    def _mend_branch(
        self, connection: sqlite3.Connection, session_id: str, mending: Mending
    ) -> None:
        branch = Branch(session_id, mending.branch or MAIN, self._messages)
        for key, change in mending.changes:
            (message_id,) = connection.execute(
                f"SELECT message_id FROM {_STRUCTURE} WHERE id = ?", (key,)
            ).fetchone()
            if change.replacement is None:
                connection.execute(f"DELETE FROM {_STRUCTURE} WHERE id = ?", (key,))
                branch.drop_unlisted(connection, [message_id])
            else:
                # Other branches may also list the row; without its id the item is valid there, too.
                _take_id(connection, self._messages, message_id)


def _take_id(connection: sqlite3.Connection, messages: str, row_id: int) -> None:
    """Remove the id of a stored item; the rest of its text stays unchanged."""
    connection.execute(
        f"UPDATE {messages} SET message_data = json_remove(message_data, '$.id') WHERE id = ?",
        (row_id,),
    )


def _decoded(rows: sqlite3.Cursor) -> tuple[StoredRow, ...]:
    return tuple(StoredRow.of(key, text) for key, text in rows)


def _tables_of(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows if not name.startswith("sqlite_")}
