"""The two tables of an SQLite session file, the same as in the published SDK.

Each package opens files of the other, so nothing here may be renamed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from agentgraph.memory.sqlite.database import transaction

__all__ = ["ForeignSchema", "Tables", "quoted"]


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
        names = []
        for table, columns in expected.items():
            actual = {row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")}
            if not actual:
                names.append(table)
            elif not columns <= actual:
                raise ForeignSchema(
                    f"table {table!r} lacks the columns {', '.join(sorted(columns - actual))}: "
                    "it belongs to another program; name another file or other tables"
                )
        return names

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


def quoted(identifier: str) -> str:
    """Return an identifier as SQL text, whatever characters it has."""
    return '"' + identifier.replace('"', '""') + '"'
