"""Every journal, opened the same way, for the tests that all of them pass."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from agentgraph import InMemoryJournal, JournalStore, SQLiteJournal

if TYPE_CHECKING:
    from agentgraph.extensions.journals import EncryptedJournal, PostgresJournal

OpenJournal: TypeAlias = Callable[[], JournalStore]
"""Opens a journal; each call opens the same runs, as another process would."""

JOURNALS = ("memory", "sqlite", "chain", "async", "exit", "encrypted", "psycopg", "asyncpg")


def postgresql_url(driver: str, socket_folder: Path) -> str:
    return f"postgresql+{driver}://postgres@/postgres?host={socket_folder}"


@pytest.fixture
def empty_postgresql(postgresql: Path) -> Path:
    """The folder of the socket of a PostgreSQL without a journal."""
    import psycopg

    with psycopg.connect(f"host={postgresql} user=postgres dbname=postgres") as connection:
        tables = ("journal", "runs", "lines", "machines", "machines_of_runs")
        names = ", ".join(f"agentgraph_{table}" for table in tables)
        connection.execute(f"DROP TABLE IF EXISTS {names}")
    return postgresql


def postgres_journal(url: str, *, chain: bool) -> PostgresJournal:
    from agentgraph.extensions.journals import PostgresJournal

    return PostgresJournal(url, chain=chain)


def encrypted_journal(store: JournalStore, key: str = "a secret") -> EncryptedJournal:
    from agentgraph.extensions.journals import EncryptedJournal

    return EncryptedJournal(store, key)


def _opener(name: str, request: pytest.FixtureRequest, file: Path) -> OpenJournal:
    match name:
        case "memory":
            journal = InMemoryJournal()
            return lambda: journal
        case "sqlite":
            return lambda: SQLiteJournal(file)
        case "chain":
            return lambda: SQLiteJournal(file, chain=True)
        case "async":
            return lambda: SQLiteJournal(file, durability="async")
        case "exit":
            return lambda: SQLiteJournal(file, durability="exit")
        case "encrypted":
            return lambda: encrypted_journal(SQLiteJournal(file))
        case _:
            url = postgresql_url(name, request.getfixturevalue("empty_postgresql"))
            return lambda: postgres_journal(url, chain=name == "asyncpg")


@pytest.fixture(params=JOURNALS)
def open_journal(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return _opener(request.param, request, tmp_path / "runs.db")


@pytest.fixture
async def journal(open_journal: OpenJournal) -> AsyncIterator[JournalStore]:
    opened = open_journal()
    yield opened
    await opened.aclose()
