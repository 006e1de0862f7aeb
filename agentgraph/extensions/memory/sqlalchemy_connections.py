"""SQLAlchemy's engines for sessions, and what a message may say about them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from agentgraph.extensions.memory.sqlalchemy_loops import FILE, OWN, SQLiteFile
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

try:
    from sqlalchemy import URL, event, make_url
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["display_url", "engine_for", "failure", "first_line"]

_SQLITE_BUSY_TIMEOUT = 60_000
"""How long SQLite waits for another connection's transaction, in milliseconds."""


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
    # The values of a statement are what people and models said; no traceback may quote them.
    arguments.setdefault("hide_parameters", True)
    try:
        engine = create_async_engine(url, **arguments)
    except (SQLAlchemyError, ImportError, ValueError, TypeError) as error:
        # An invalid port may be a part of the password: do not quote it.
        reason = "its port is no number" if isinstance(error, ValueError) else first_line(error)
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
    engine.sync_engine.update_execution_options(**{OWN: True})
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
        f"{label} in {display_url(engine.url)}: the database failed ({first_line(error)}); "
        "check that it can be reached and that the tables exist (create_tables=True creates "
        "them); this call stored all of its items or none"
    )


def display_url(url: URL) -> str:
    """Return a URL without its password, which may also be in one of its options."""
    secrets = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(secrets).render_as_string(hide_password=True)


def first_line(error: Exception) -> str:
    """Return the first line of the driver's message; later lines quote the statement and values."""
    original = getattr(error, "orig", None) or error
    text = str(original).strip()
    return text.splitlines()[0] if text else type(original).__name__


def _prepare_sqlite(engine: AsyncEngine) -> None:
    """Make connections wait for each other instead of failing, and record the engine's file."""
    name = engine.url.database
    in_file = name and name != ":memory:" and "uri" not in engine.url.query
    file = SQLiteFile(name) if name and in_file else None
    engine.sync_engine.update_execution_options(**{FILE: file})

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_SQLITE_BUSY_TIMEOUT}")
            cursor.execute("PRAGMA journal_mode = WAL")
        if file is not None:
            file.opened()
