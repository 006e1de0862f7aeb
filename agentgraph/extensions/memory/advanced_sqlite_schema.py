"""The tables that `AdvancedSQLiteSession` keeps beside the two of `SQLiteSession`.

    message_structure           which item is in which branch and turn, in which order
    turn_usage                  tokens per branch and turn
    branch_reservations         every branch name ever used, so that none comes back
    session_clear_generations   how often a session was cleared, so that other objects notice

Names and columns are those of the published SDK, so that files are interchangeable.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from agentgraph.memory.sqlite.database import transaction
from agentgraph.memory.sqlite.schema import ForeignSchema, Tables, quoted

__all__ = ["StructureTables"]

_COLUMNS = {
    "message_structure": {
        "id",
        "session_id",
        "message_id",
        "branch_id",
        "message_type",
        "sequence_number",
        "user_turn_number",
        "branch_turn_number",
        "tool_name",
        "created_at",
    },
    "turn_usage": {
        "session_id",
        "branch_id",
        "user_turn_number",
        "requests",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "input_tokens_details",
        "output_tokens_details",
    },
    "branch_reservations": {"session_id", "branch_id"},
    "session_clear_generations": {"session_id", "generation"},
}
# The SDK made these two later than the others, so a file without them is still one of ours.
_LATER = frozenset({"branch_reservations", "session_clear_generations"})


@dataclass(frozen=True, slots=True)
class StructureTables:
    """All tables of an advanced session.

    Attributes:
        base: The two tables of every SQLite session.
        create: Whether missing tables are to be made.
    """

    base: Tables
    create: bool

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Create what is missing, if that is wanted, and check what exists.

        Raises:
            ForeignSchema: A table is missing and must not be made, or belongs to something else;
                nothing was changed.
        """
        missing = set()
        for table, columns in _COLUMNS.items():
            found = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            if not found:
                missing.add(table)
            elif not columns <= found:
                raise ForeignSchema(
                    f"table {table!r} lacks the columns {', '.join(sorted(columns - found))}: "
                    "it belongs to another program; name another file"
                )
        if missing - _LATER and not self.create:
            raise ForeignSchema(
                f"there is no table {min(missing - _LATER)!r}; "
                "give create_tables=True to make the tables of an advanced session"
            )
        self._check_owner(connection)
        self.base.prepare(connection)
        if missing:
            with transaction(connection):
                for statement in _statements(self.base):
                    connection.execute(statement)

    def _check_owner(self, connection: sqlite3.Connection) -> None:
        """Refuse a structure of items in other tables: ids of rows mean other items there."""
        named = {"session_id": self.base.sessions, "message_id": self.base.messages}
        for row in connection.execute("PRAGMA foreign_key_list(message_structure)"):
            owner, column = row[2], row[3]
            # SQLite compares the names of tables without case.
            if column in named and owner.lower() != named[column].lower():
                raise ForeignSchema(
                    f"table 'message_structure' is that of an advanced session in {owner!r}, not "
                    f"in {named[column]!r}; a file has one pair of tables with branches, so name "
                    "another file"
                )


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
