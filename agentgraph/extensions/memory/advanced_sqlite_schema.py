"""The tables of `AdvancedSQLiteSession`, in addition to the two of `SQLiteSession`.

    message_structure           which item is in which branch and turn, in which order
    turn_usage                  tokens per branch and turn
    branch_reservations         every branch name ever used, so that none is used again
    session_clear_generations   how often a session was cleared, so that other objects notice

Names and columns are those of the published SDK, so that files are interchangeable.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from agentgraph.memory.sqlite.database import transaction
from agentgraph.memory.sqlite.schema import (
    ForeignSchema,
    Tables,
    columns_of,
    missing_tables,
    quoted,
)

__all__ = ["StructureTables"]

# Older versions of the SDK do not create these two, so a file without them is still valid.
_LATER = frozenset({"branch_reservations", "session_clear_generations"})


@dataclass(frozen=True, slots=True)
class StructureTables(Tables):
    """All tables of an advanced session.

    Attributes:
        create: Whether to create missing tables.
    """

    create: bool

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Check the existing tables, and create the missing ones if `create` is set.

        Raises:
            ForeignSchema: A table is missing and `create` is not set, or a table belongs to
                another program; nothing was changed.
        """
        missing = set(missing_tables(connection, _columns(), "name another file"))
        if missing - _LATER and not self.create:
            raise ForeignSchema(
                f"there is no table {min(missing - _LATER)!r}; "
                "give create_tables=True to make the tables of an advanced session"
            )
        self._check_owner(connection)
        Tables.prepare(self, connection)
        if missing:
            with transaction(connection):
                for statement in _statements(self):
                    connection.execute(statement)

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        """Refuse a structure that belongs to other tables: its row ids mean other items."""
        owners = {"session_id": self.sessions, "message_id": self.messages}
        for row in connection.execute("PRAGMA foreign_key_list(message_structure)"):
            owner, column = row[2], row[3]
            # SQLite ignores case in the names of tables.
            if column in owners and owner.lower() != owners[column].lower():
                raise ForeignSchema(
                    f"table 'message_structure' belongs to an advanced session in {owner!r}, not "
                    f"in {owners[column]!r}; only one pair of tables in a file can have branches, "
                    "so name another file"
                )


@cache
def _columns() -> dict[str, set[str]]:
    """Return the columns of each table, as SQLite reads the statements that create them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in _statements(Tables("s", "m")):
            connection.execute(statement)
        tables = ("message_structure", "turn_usage", *_LATER)
        return {table: columns_of(connection, table) for table in tables}


def _statements(base: Tables) -> tuple[str, ...]:
    sessions, messages = quoted(base.sessions), quoted(base.messages)
    return (
        f"""CREATE TABLE IF NOT EXISTS message_structure (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL,
            message_id INTEGER NOT NULL,
            branch_id TEXT NOT NULL DEFAULT 'main',
            message_type TEXT NOT NULL,
            sequence_number INTEGER NOT NULL,
            user_turn_number INTEGER,
            branch_turn_number INTEGER,
            tool_name TEXT,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY (session_id) REFERENCES {sessions}(session_id) ON DELETE CASCADE,
            FOREIGN KEY (message_id) REFERENCES {messages}(id) ON DELETE CASCADE
        )""",
        f"""CREATE TABLE IF NOT EXISTS turn_usage (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            session_id TEXT NOT NULL,
            branch_id TEXT NOT NULL DEFAULT 'main',
            user_turn_number INTEGER NOT NULL,
            requests INTEGER DEFAULT 0,
            input_tokens INTEGER DEFAULT 0,
            output_tokens INTEGER DEFAULT 0,
            total_tokens INTEGER DEFAULT 0,
            input_tokens_details JSON,
            output_tokens_details JSON,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY (session_id) REFERENCES {sessions}(session_id) ON DELETE CASCADE,
            UNIQUE(session_id, branch_id, user_turn_number)
        )""",
        """CREATE TABLE IF NOT EXISTS branch_reservations (
            session_id TEXT NOT NULL,
            branch_id TEXT NOT NULL,
            PRIMARY KEY (session_id, branch_id)
        )""",
        """CREATE TABLE IF NOT EXISTS session_clear_generations (
            session_id TEXT PRIMARY KEY,
            generation INTEGER NOT NULL DEFAULT 0
        )""",
        """CREATE INDEX IF NOT EXISTS idx_structure_session_seq
            ON message_structure(session_id, sequence_number)""",
        """CREATE INDEX IF NOT EXISTS idx_structure_branch
            ON message_structure(session_id, branch_id)""",
        """CREATE INDEX IF NOT EXISTS idx_structure_turn
            ON message_structure(session_id, branch_id, user_turn_number)""",
        """CREATE INDEX IF NOT EXISTS idx_structure_branch_seq
            ON message_structure(session_id, branch_id, sequence_number)""",
        """CREATE INDEX IF NOT EXISTS idx_turn_usage_session_turn
            ON turn_usage(session_id, branch_id, user_turn_number)""",
    )
