"""The tables of an SQLite journal, and their version."""

from __future__ import annotations

import sqlite3

from agentgraph.memory.sqlite.database import transaction

__all__ = ["VERSION", "prepare"]

VERSION = 1
"""The version of the tables. A file of a lower one is brought up to date when it is opened."""

_TABLES = (
    """CREATE TABLE agentgraph_runs (
        run_id TEXT PRIMARY KEY,
        head TEXT NOT NULL,
        status TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL,
        expires REAL NOT NULL,
        lines INTEGER NOT NULL,
        note TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL
    )""",
    "CREATE INDEX agentgraph_runs_by_change ON agentgraph_runs (-updated, run_id)",
    """CREATE TABLE agentgraph_lines (
        run_id TEXT NOT NULL,
        place INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (run_id, place)
    )""",  # with rowids: lines are long, and an index of whole rows took twice the space and time
    """CREATE TABLE agentgraph_machines (
        fingerprint TEXT PRIMARY KEY,
        machine TEXT NOT NULL
    )""",
    """CREATE TABLE agentgraph_machines_of_runs (
        run_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        PRIMARY KEY (run_id, fingerprint)
    ) WITHOUT ROWID""",
)
_MIGRATIONS: tuple[tuple[str, ...], ...] = (_TABLES,)
"""What leads from each version to the next one; 0 is a file without a journal."""


def prepare(connection: sqlite3.Connection) -> None:
    """Create missing tables, or bring older ones up to date.

    Raises:
        sqlite3.DatabaseError: A newer version of agentgraph wrote the file; nothing was changed.
    """
    if _version(connection) == VERSION:
        return
    with transaction(connection):
        version = _version(connection)
        if version > VERSION:
            raise sqlite3.DatabaseError(
                f"its journal has version {version}, and this version of agentgraph knows"
                f" {VERSION}; update agentgraph, or name another file"
            )
        if version == 0:
            connection.execute("CREATE TABLE agentgraph_journal (version INTEGER NOT NULL)")
            connection.execute("INSERT INTO agentgraph_journal VALUES (0)")
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute("UPDATE agentgraph_journal SET version = ?", (VERSION,))


def _version(connection: sqlite3.Connection) -> int:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'agentgraph_journal'"
    if connection.execute(query).fetchone() is None:
        return 0
    row = connection.execute("SELECT version FROM agentgraph_journal").fetchone()
    return 0 if row is None else int(row[0])
