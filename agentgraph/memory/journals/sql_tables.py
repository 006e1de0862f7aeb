"""The tables of journals in SQL databases, and their version."""

from __future__ import annotations

from collections.abc import Callable

from agentgraph.memory.journals.errors import JournalError

__all__ = ["VERSION", "migrate"]

VERSION = 2
"""The version of the tables. Older ones are brought up to date when the journal is opened."""

_TABLES = (
    """CREATE TABLE agentgraph_runs (
        run_id TEXT {exact} PRIMARY KEY,
        head TEXT NOT NULL,
        status TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL,
        expires DOUBLE PRECISION NOT NULL,
        lines INTEGER NOT NULL,
        note TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL,
        updated DOUBLE PRECISION NOT NULL
    )""",
    "CREATE INDEX agentgraph_runs_by_change ON agentgraph_runs ((-updated), run_id)",
    """CREATE TABLE agentgraph_lines (
        run_id TEXT {exact} NOT NULL,
        place INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        line TEXT NOT NULL,
        PRIMARY KEY (run_id, place)
    )""",  # never in the order of its key: lines are long, and SQLite would take twice the space
    """CREATE TABLE agentgraph_machines (
        fingerprint TEXT PRIMARY KEY,
        machine TEXT NOT NULL
    )""",
    """CREATE TABLE agentgraph_machines_of_runs (
        run_id TEXT {exact} NOT NULL,
        fingerprint TEXT NOT NULL,
        PRIMARY KEY (run_id, fingerprint)
    ) {by_key}""",
)
_CHAINS = (
    "ALTER TABLE agentgraph_runs ADD COLUMN chain TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE agentgraph_lines ADD COLUMN chain TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX agentgraph_machines_by_use ON agentgraph_machines_of_runs (fingerprint)",
)
_MIGRATIONS: tuple[tuple[str, ...], ...] = (_TABLES, _CHAINS)
"""What leads from each version to the next one; 0 is a database without a journal."""


def migrate(
    execute: Callable[[str], object], version: int, place: str, *, exact: str, by_key: str
) -> None:
    """Create the tables, or bring older ones up to date; call it in a transaction.

    Args:
        execute: Executes a statement.
        version: The version of the tables that are there; 0 if there are none.
        place: Where the journal is, for messages.
        exact: The collation that orders texts by their code points.
        by_key: What says that a table is stored in the order of its key; it may be empty.

    Raises:
        JournalError: A newer version of agentgraph wrote the tables; nothing was changed.
    """
    if version > VERSION:
        raise JournalError(
            f"The journal in {place} has version {version}, and this version of agentgraph knows"
            f" {VERSION}. Update agentgraph, or use another journal."
        )
    if version == 0:
        execute("CREATE TABLE agentgraph_journal (version INTEGER NOT NULL)")
        execute("INSERT INTO agentgraph_journal VALUES (0)")
    for statements in _MIGRATIONS[version:]:
        for statement in statements:
            execute(statement.format(exact=exact, by_key=by_key))
    execute(f"UPDATE agentgraph_journal SET version = {VERSION}")
