"""How SQLAlchemy connects for sessions, and what is particular about files of SQLite."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import Any

from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.file_identity import file_identity

try:
    from sqlalchemy import URL, event, make_url
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import QueuePool, StaticPool
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["SQLiteFile", "engine_for", "failure", "file_of", "shown", "transactional", "turnstile"]

_SQLITE_BUSY_TIMEOUT = 60_000
"""Milliseconds that SQLite waits for another connection's transaction."""

_FILE = "agentgraph_file"


def engine_for(url: str, label: str, engine_kwargs: dict[str, Any] | None = None) -> AsyncEngine:
    """Make an engine for sessions.

    Args:
        url: A URL with an asyncio driver.
        label: How to name whoever wants it in a message.
        engine_kwargs: Arguments for SQLAlchemy's `create_async_engine`.

    Raises:
        InvalidSessionInput: The URL is no URL, its driver is unknown or not installed, or an
            argument is none of the engine.
    """
    # A connection that the server closed while it lay in the pool is replaced, not used.
    arguments: dict[str, Any] = {"pool_pre_ping": True, **(engine_kwargs or {})}
    try:
        engine = create_async_engine(url, **arguments)
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        # What is no number where the port should be may be a piece of the password.
        said = "its port is no number" if isinstance(error, ValueError) else _first_line(error)
        raise InvalidSessionInput(
            f"{label}: no database can be reached by this URL{_named(url)} ({said}); "
            "it needs an asyncio driver: postgresql+asyncpg://, postgresql+psycopg:// "
            "or sqlite+aiosqlite://, and the driver's package"
        ) from (None if isinstance(error, ValueError) else error)
    if "@" in (engine.url.host or ""):
        # What stands before it in the host is the end of the password.
        raise InvalidSessionInput(
            f"{label}: the URL has an @ too many; percent-encode : / @ and % in name and password "
            "(urllib.parse.quote_plus)"
        )
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _named(url: str) -> str:
    """Say which URL it is, if it is one, without its password."""
    try:
        return f", {shown(make_url(url))}"
    except (SQLAlchemyError, ValueError):
        return ""


def failure(label: str, engine: AsyncEngine, error: Exception) -> SessionError:
    """Return what to raise where a database did not do what a session asked of it.

    Args:
        label: How to name the session.
        engine: The database.
        error: What was raised.
    """
    return SessionError(
        f"{label} in {shown(engine.url)}: the database did not do it ({_first_line(error)}); "
        "check that it can be reached and that the tables are there (create_tables=True makes "
        "them); this call stored all of its items or none"
    )


def shown(url: URL) -> str:
    """Return a URL without its password, which may also be one of its options."""
    secrets = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(secrets).render_as_string(hide_password=True)


def _first_line(error: Exception) -> str:
    """Return what the driver said; later lines hold the statement and its values."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip()
    return text.splitlines()[0] if text else type(original).__name__


class SQLiteFile:
    """The file that the connections of an engine are open to.

    What is written to a file after it was deleted or replaced goes to the old one, and connections
    to both at once would mix up their logs.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._open: tuple[int, int] | None = None
        self._closing = asyncio.Lock()

    @property
    def identity(self) -> tuple[int, int] | None:
        """What tells the file from another one of the same name; None if it is not there."""
        return file_identity(self.path)

    def opened(self) -> None:
        """Note that a connection to the file was made."""
        self._open = self.identity

    async def check(self, engine: AsyncEngine) -> None:
        """Close the connections if the file is not any more the one that they are open to."""
        if self._is_gone():
            async with self._closing:
                if self._is_gone():
                    await self._empty_log(engine)
                    await engine.dispose()
                    self._open = None

    async def _empty_log(self, engine: AsyncEngine) -> None:
        """Bring the log into the old file: it lies beside the new one and would be read as its."""
        if isinstance(engine.pool, QueuePool) and engine.pool.checkedin() > 0:
            with suppress(SQLAlchemyError):
                async with engine.connect() as connection:
                    await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _is_gone(self) -> bool:
        return self._open is not None and self._open != self.identity


def file_of(engine: AsyncEngine) -> SQLiteFile | None:
    """Return the file of an engine that `engine_for` made; None for a server or for memory."""
    file = engine.sync_engine.get_execution_options().get(_FILE)
    return file if isinstance(file, SQLiteFile) else None


def transactional(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine, on the same pool, with the transactions that sessions need.

    They wait for each other and see what the other has written. An engine of a program may have
    another level: in a stricter one PostgreSQL refuses who has waited, in AUTOCOMMIT there is no
    transaction.
    """
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def turnstile(engine: AsyncEngine) -> asyncio.Lock | None:
    """Return the lock of an engine whose pool has one connection, which cannot hold two
    transactions; all sessions that share the engine share it. It is that of SQLite in memory."""
    if not isinstance(engine.pool, StaticPool):
        return None
    options = engine.sync_engine.get_execution_options()
    lock = options.get("agentgraph_turnstile")
    if not isinstance(lock, asyncio.Lock):
        lock = asyncio.Lock()
        engine.sync_engine.update_execution_options(agentgraph_turnstile=lock)
    return lock


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Let connections wait for each other rather than fail, and know the file of the engine."""
    name = engine.url.database
    in_file = name and name != ":memory:" and "uri" not in engine.url.query
    file = SQLiteFile(name) if name and in_file else None
    engine.sync_engine.update_execution_options(**{_FILE: file})

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_SQLITE_BUSY_TIMEOUT}")
            cursor.execute("PRAGMA journal_mode = WAL")
        if file is not None:
            file.opened()
