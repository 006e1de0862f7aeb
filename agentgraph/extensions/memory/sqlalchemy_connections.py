"""SQLAlchemy's connections for sessions, and the special treatment of SQLite files."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError
from agentgraph.memory.file_identity import file_identity

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

try:
    from sqlalchemy import URL, Engine, event, make_url
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
    from sqlalchemy.pool import QueuePool, StaticPool
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = [
    "SQLiteFile",
    "display_url",
    "engine_for",
    "failure",
    "file_of",
    "has_one_connection",
    "is_own",
    "sibling",
    "transactional",
]

_SQLITE_BUSY_TIMEOUT = 60_000
"""How long SQLite waits for another connection's transaction, in milliseconds."""

_FILE = "agentgraph_file"
_IS_OWN = "agentgraph_own"


def engine_for(url: str, label: str, engine_kwargs: dict[str, Any] | None = None) -> AsyncEngine:
    """Make an engine for sessions.

    Args:
        url: A URL with an asyncio driver.
        label: The engine's user, for messages.
        engine_kwargs: Arguments for SQLAlchemy's `create_async_engine`.

    Raises:
        InvalidSessionInput: The URL is invalid, its driver is unknown or not installed, or the
            engine does not have an argument.
    """
    # With the ping, the pool replaces a connection that the server has closed.
    arguments: dict[str, Any] = {"pool_pre_ping": True, **(engine_kwargs or {})}
    try:
        engine = create_async_engine(url, **arguments)
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        # An invalid port may be a part of the password: do not quote it.
        reason = "its port is no number" if isinstance(error, ValueError) else _first_line(error)
        raise InvalidSessionInput(
            f"{label}: no database can be reached by this URL{_display(url)} ({reason}); "
            "it needs an asyncio driver: postgresql+asyncpg://, postgresql+psycopg:// "
            "or sqlite+aiosqlite://, and the driver's package"
        ) from (None if isinstance(error, ValueError) else error)
    if "@" in (engine.url.host or ""):
        # The text before the @ in the host is the end of the password: do not quote it.
        raise InvalidSessionInput(
            f"{label}: the URL has an @ too many; percent-encode : / @ and % in name and password "
            "(urllib.parse.quote_plus)"
        )
    engine.sync_engine.update_execution_options(**{_IS_OWN: True})
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _display(url: str) -> str:
    """Return a comma and the URL without its password; the empty text for an invalid URL."""
    try:
        return f", {display_url(make_url(url))}"
    except (SQLAlchemyError, ValueError):
        return ""


def failure(label: str, engine: AsyncEngine, error: Exception) -> SessionError:
    """Return the error to raise if a session's call of a database fails.

    Args:
        label: The session's name in messages.
        engine: The database.
        error: The driver's or SQLAlchemy's error.
    """
    return SessionError(
        f"{label} in {display_url(engine.url)}: the database failed ({_first_line(error)}); "
        "check that it can be reached and that the tables exist (create_tables=True creates "
        "them); this call stored all of its items or none"
    )


def display_url(url: URL) -> str:
    """Return a URL without its password, which may also be in one of its options."""
    secrets = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(secrets).render_as_string(hide_password=True)


def _first_line(error: Exception) -> str:
    """Return the first line of the driver's message; later lines quote the statement and values."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip()
    return text.splitlines()[0] if text else type(original).__name__


class SQLiteFile:
    """The file that the connections of an engine have open.

    After a file is deleted or replaced, its connections still write to the old file; and
    connections to the old and the new file at once would mix up their logs.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._open: tuple[int, int] | None = None
        self._closing = asyncio.Lock()

    @property
    def identity(self) -> tuple[int, int] | None:
        """The identity of the file, whatever its name; None if it does not exist."""
        return file_identity(self.path)

    def opened(self) -> None:
        """Note that a connection opened the file, the first one since `check` closed all."""
        self._open = self._open or self.identity

    async def check(self, engine: AsyncEngine) -> None:
        """Close the connections if the file was deleted or replaced since they opened it."""
        if self._is_gone():
            async with self._closing:
                if self._is_gone():
                    await self._empty_log(engine)
                    await engine.dispose()
                    self._open = None

    async def _empty_log(self, engine: AsyncEngine) -> None:
        """Write the log into the old file; SQLite would take it for the log of the new one."""
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

    Such transactions wait for each other and see each other's writes. The program's engine may have
    another isolation level: at a stricter one PostgreSQL aborts a transaction that had to wait, and
    AUTOCOMMIT has no transactions.
    """
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def has_one_connection(engine: AsyncEngine) -> bool:
    """Return whether an engine has only one connection: SQLite in memory."""
    return isinstance(engine.pool, StaticPool)


def is_own(engine: AsyncEngine) -> bool:
    """Return whether `engine_for` made an engine."""
    return _IS_OWN in engine.sync_engine.get_execution_options()


def sibling(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine for the same database with connections of its own."""
    sync = engine.sync_engine
    return AsyncEngine(
        Engine(
            sync.pool.recreate(),
            sync.dialect,
            sync.url,
            hide_parameters=sync.hide_parameters,
            execution_options=dict(sync.get_execution_options()),
        )
    )


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Make connections wait for each other instead of failing, and record the engine's file."""
    name = engine.url.database
    in_file = name and name != ":memory:" and "uri" not in engine.url.query
    file = SQLiteFile(name) if name and in_file else None
    engine.sync_engine.update_execution_options(**{_FILE: file})

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_SQLITE_BUSY_TIMEOUT}")
            cursor.execute("PRAGMA journal_mode = WAL")
        if file is not None:
            file.opened()
