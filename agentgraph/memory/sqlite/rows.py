"""The rows of one session in an SQLite database. Their keys are row ids."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agentgraph.memory.runs.saved_rows import KeyedText, SavedRows
from agentgraph.memory.sqlite.schema import Tables, quoted

__all__ = ["Rows"]


@dataclass(frozen=True)
class Rows(SavedRows[sqlite3.Connection]):
    """The rows of one session.

    Attributes:
        tables: The tables.
    """

    tables: Tables

    branch_id = ""
    """The branch of the history; empty if the store has no branches."""

    @property
    def sessions(self) -> str:
        """The table of sessions, quoted."""
        return quoted(self.tables.sessions)

    @property
    def messages(self) -> str:
        """The table of items, quoted."""
        return quoted(self.tables.messages)

    @property
    def saves(self) -> str:
        """The table of saves, quoted."""
        return quoted(self.tables.saves)

    def execute(
        self, connection: sqlite3.Connection, statement: str, values: dict[str, object]
    ) -> Iterable[Any]:
        """Execute a statement with named parameters; return its rows."""
        return connection.execute(statement, values)

    def lock(self, connection: sqlite3.Connection) -> None:
        """Do nothing: a transaction holds the lock of the file from its start."""

    def newest_first(
        self, connection: sqlite3.Connection, count: int
    ) -> Generator[KeyedText, None, None]:
        """Yield keys and texts, the latest first."""
        yield from connection.execute(f"{self._select()} ORDER BY id DESC", (self.session_id,))

    def oldest_first(self, connection: sqlite3.Connection) -> list[KeyedText]:
        """Return keys and texts, the earliest first."""
        return connection.execute(f"{self._select()} ORDER BY id", (self.session_id,)).fetchall()

    def insert(self, connection: sqlite3.Connection, texts: Sequence[str]) -> list[int]:
        """Insert rows at the end; return their keys."""
        connection.execute(
            f"INSERT INTO {self.sessions} (session_id) VALUES (?) "
            "ON CONFLICT (session_id) DO UPDATE SET updated_at = CURRENT_TIMESTAMP",
            (self.session_id,),
        )
        return self._insert(
            connection,
            "(session_id, message_data) VALUES (?, ?)",
            [(self.session_id, text) for text in texts],
        )

    def is_followed(self, connection: sqlite3.Connection, key: int) -> bool:
        """Return whether rows follow the row with this key; it may be gone."""
        query = f"SELECT 1 FROM {self.messages} WHERE session_id = ? AND id > ? LIMIT 1"
        return connection.execute(query, (self.session_id, key)).fetchone() is not None

    def move_to_end(self, connection: sqlite3.Connection, keys: Sequence[int]) -> list[int] | None:
        """Move those of the rows that still exist to the end; return their new keys."""
        rows: list[tuple[object, ...]] = [(self.session_id, key) for key in keys]
        new = self._insert(
            connection,
            "(session_id, message_data, created_at) "
            "SELECT session_id, rtrim(message_data, char(32, 9, 10, 13)), created_at "
            f"FROM {self.messages} WHERE session_id = ? AND id = ?",
            rows,
        )
        connection.executemany(f"DELETE FROM {self.messages} WHERE session_id = ? AND id = ?", rows)
        return new

    def remove(self, connection: sqlite3.Connection, key: int) -> None:
        """Remove a row."""
        connection.execute(f"DELETE FROM {self.messages} WHERE id = ?", (key,))

    def clear(self, connection: sqlite3.Connection) -> None:
        """Remove the session with all its stored data."""
        tables = [self.messages, self.sessions]
        if self.tables.has_saves(connection):
            tables.append(self.saves)
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (self.session_id,))

    def _insert(
        self,
        connection: sqlite3.Connection,
        columns_and_source: str,
        rows: list[tuple[object, ...]],
    ) -> list[int]:
        """Insert a row for each of the parameters that still has a source; return their ids."""
        statement = f"INSERT INTO {self.messages} {columns_and_source}"
        inserted = (connection.execute(statement, row) for row in rows)
        return [cast("int", cursor.lastrowid) for cursor in inserted if cursor.rowcount]

    def _select(self) -> str:
        return f"SELECT id, message_data FROM {self.messages} WHERE session_id = ?"
