"""The tables of an SQLite session file: two of the published SDK, and one of our own.

Each package opens files of the other, so nothing of the SDK's two tables may be renamed. Our table
records the saves of runs; the first run on a file creates it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import lru_cache

from agentgraph.memory.sqlite.database import transaction

__all__ = ["ForeignSchema", "Tables", "columns_of", "missing_tables", "quoted"]


class ForeignSchema(sqlite3.DatabaseError):
    """A table of the file has the name of one of ours, but other columns."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables, quoted where they are used.

    Attributes:
        sessions: One row per session.
        messages: One row per item, ordered by id.
    """

    sessions: str
    messages: str

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Create missing tables and check the columns of existing ones.

        Raises:
            ForeignSchema: A table belongs to another program; nothing was changed.
        """
        if self.missing(connection):
            with transaction(connection):
                self._create(connection)

    def missing(self, connection: sqlite3.Connection) -> list[str]:
        """Return the names of missing tables, and check the columns of existing ones.

        Raises:
            ForeignSchema: A table belongs to another program.
        """
        expected = {
            self.sessions: {"session_id", "updated_at"},
            self.messages: {"id", "session_id", "message_data"},
        }
        return missing_tables(connection, expected, "name another file or other tables")

    @property
    def saves(self) -> str:
        """The table with a row for each save of a run."""
        return f"agentgraph_{self.messages}"

    def prepare_saves(self, connection: sqlite3.Connection) -> None:
        """Create our table if it is missing; no transaction may be open.

        `write` names the save (`Block.write_of`), `row_ids` lists the rows that it wrote, and
        `owner` is the process in which the run is at work; empty if it is not.
        """
        connection.execute(
            f"""CREATE TABLE IF NOT EXISTS {quoted(self.saves)} (
                session_id TEXT NOT NULL,
                run_id TEXT NOT NULL,
                position INTEGER NOT NULL,
                write TEXT NOT NULL,
                row_ids TEXT NOT NULL,
                owner TEXT NOT NULL,
                PRIMARY KEY (session_id, run_id, position)
            ) WITHOUT ROWID"""
        )

    def has_saves(self, connection: sqlite3.Connection) -> bool:
        """Tell whether our table exists."""
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return connection.execute(query, (self.saves,)).fetchone() is not None

    def _create(self, connection: sqlite3.Connection) -> None:
        sessions, messages = quoted(self.sessions), quoted(self.messages)
        connection.execute(
            f"""CREATE TABLE IF NOT EXISTS {sessions} (
                session_id TEXT PRIMARY KEY,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            )"""
        )
        connection.execute(
            f"""CREATE TABLE IF NOT EXISTS {messages} (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                session_id TEXT NOT NULL,
                message_data TEXT NOT NULL,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                FOREIGN KEY (session_id) REFERENCES {sessions} (session_id) ON DELETE CASCADE
            )"""
        )
        index = quoted(f"idx_{self.messages}_session_id")
        connection.execute(f"CREATE INDEX IF NOT EXISTS {index} ON {messages} (session_id, id)")


def missing_tables(
    connection: sqlite3.Connection, expected: Mapping[str, Set[str]], remedy: str
) -> list[str]:
    """Return the names of missing tables, and check the columns of existing ones.

    Args:
        connection: The connection.
        expected: The columns that each table needs, by the table's name.
        remedy: What to do about a table of another program, for the message.

    Raises:
        ForeignSchema: A table belongs to another program.
    """
    missing = []
    for table, columns in expected.items():
        actual = columns_of(connection, table)
        if not actual:
            missing.append(table)
        elif not columns <= actual:
            raise ForeignSchema(
                f"table {table!r} lacks the columns {', '.join(sorted(columns - actual))}: "
                f"it belongs to another program; {remedy}"
            )
    return missing


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the names of a table's columns; an empty set if there is no such table."""
    return {row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")}


@lru_cache(64)
def quoted(identifier: str) -> str:
    """Return an identifier as SQL text, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'
