"""Where the command line reads journals."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

from agentgraph.cli.faults import CommandFault
from agentgraph.exceptions import AgentsException
from agentgraph.extensions import journals
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.journals import JournalStore, RunInProgress, SQLiteJournal, UnknownRun

__all__ = ["KEY_VARIABLE", "journal_text", "opened_journal"]

KEY_VARIABLE: Final = "AGENTGRAPH_JOURNAL_KEY"
"""The environment variable with the key of encrypted runs."""


def journal_text(place: str) -> str:
    """The text of a journal: its lines, or the JSON text of a state.

    Args:
        place: The file, as on the command line.

    Raises:
        CommandFault: There is no journal.
    """
    path = Path(place)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CommandFault(f"there is no file {path}") from error
    except IsADirectoryError as error:
        raise CommandFault(f"{path} is a folder", help="name the file of one journal") from error
    except OSError as error:
        raise CommandFault(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandFault(f"{path} is no journal: it is no text in UTF-8") from error


@asynccontextmanager
async def opened_journal(place: str) -> AsyncIterator[JournalStore]:
    """Open a journal of durable runs, and close it again. No file is created.

    Args:
        place: An SQLite file, or the URL of a PostgreSQL database. If `AGENTGRAPH_JOURNAL_KEY` is
            set, the runs are encrypted with that key.

    Raises:
        CommandFault: There is no journal, it failed, or it does not take what is asked of it.
    """
    try:
        store = _journal(place)
        try:
            yield store
        finally:
            await store.aclose()
    except UnknownRun as error:
        raise CommandFault(
            _sentence(error), help=f"`agentgraph runs list --journal {place}` lists all runs"
        ) from error
    except RunInProgress as error:
        raise CommandFault(
            f"run {error.run_id!r} is alive: another process works on it",
            help="ask again when that process has ended",
        ) from error
    except (AgentsException, MissingExtra) as error:
        raise CommandFault(_sentence(error)) from error


def _journal(place: str) -> JournalStore:
    if "://" in place:
        store: JournalStore = journals.PostgresJournal(place)
    else:
        _check_file(Path(place))
        store = SQLiteJournal(place)
    key = os.environ.get(KEY_VARIABLE)
    return journals.EncryptedJournal(store, key) if key else store


def _check_file(path: Path) -> None:
    """Check that a file holds a journal, and change nothing."""
    if not path.exists():
        raise CommandFault(f"there is no file {path}")
    if not path.is_file():
        raise CommandFault(f"{path} is no file", help="name the SQLite file of the journal")
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'agentgraph_journal'"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            is_journal = database.execute(query).fetchone() is not None
    except sqlite3.Error as error:
        raise CommandFault(f"{path} cannot be read as an SQLite file: {error}") from error
    if not is_journal:
        raise CommandFault(f"{path} holds no journal of runs")


def _sentence(error: Exception) -> str:
    text = str(getattr(error, "message", error)).rstrip(".")
    return text[:1].lower() + text[1:]
