"""A journal in PostgreSQL, for runs that move between machines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from typing import Any, Final, TypeVar

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra
from agentgraph.memory.journals import Durability, JournalError
from agentgraph.memory.journals.sql import SQLJournal
from agentgraph.memory.journals.sql_rows import RunRows, Values
from agentgraph.memory.journals.sql_tables import VERSION, migrate
from agentgraph.memory.journals.store import CLAIM_SECONDS

try:
    from sqlalchemy import Connection, TextClause, text
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncEngine
except ImportError as error:
    raise MissingExtra("PostgresJournal", "postgres") from error

from agentgraph.extensions.memory.sqlalchemy_connections import (
    display_url,
    engine_for,
    first_line,
)
from agentgraph.extensions.memory.sqlalchemy_loops import Database

__all__ = ["PostgresJournal"]

_T = TypeVar("_T")

_WAITS: Final = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0)
"""The seconds before each new try after the server was lost."""

_LOCK: Final = 0x61676A6E
"""The number of the lock under which one process creates or changes the tables."""

_SHUTTING_DOWN: Final = ("57P01", "57P02", "57P03")


class PostgresJournal(SQLJournal):
    """A journal in a PostgreSQL database, which any number of processes and machines may use.

    A call that loses its connection is made again, up to six times within about eight seconds. A
    server that was never reached is not waited for.

    Args:
        url: The URL, such as `postgresql://user@host/database`, or an engine of SQLAlchemy, which
            stays the caller's. A URL may name the driver: `postgresql+psycopg://` (default) or
            `postgresql+asyncpg://`.
        durability: As in `SQLiteJournal`.
        claim_seconds: How long a run is held if its process stops renewing the claim.
        chain: Whether runs that begin get a chain of hashes over their lines, so that damage to one
            of them is seen when the run is read.

    Raises:
        AgentDefinitionError: The URL is not one of PostgreSQL, its driver is not installed, or a
            setting cannot work.
    """

    def __init__(
        self,
        url: str | AsyncEngine,
        *,
        durability: Durability = "sync",
        claim_seconds: float = CLAIM_SECONDS,
        chain: bool = False,
    ) -> None:
        engine = url if isinstance(url, AsyncEngine) else _engine(url)
        place = display_url(engine.url)
        super().__init__(place, durability=durability, claim_seconds=claim_seconds, chain=chain)
        self._is_own = engine is not url
        self._database = Database(engine, _Tables(place), create_tables=True)
        self._was_connected = False

    async def aclose(self) -> None:
        """See `JournalStore`."""
        if self._is_own:
            await self._database.close()

    async def _call(self, run_id: str, call: Callable[[RunRows], _T], *, writes: bool = True) -> _T:
        waits = iter(_WAITS)
        while True:
            try:
                return await self._transact(call)
            except _Failure as failure:
                wait = next(waits, None) if failure.is_lost else None
                if wait is None:
                    what = f"The journal of run {run_id!r}" if run_id else "The journal"
                    raise JournalError(
                        f"{what} in {self.place}: the database failed"
                        f" ({first_line(failure.error)}). This call stored all of its lines or"
                        " none. Check that the database can be reached and has room."
                    ) from failure.error
            await asyncio.sleep(wait)

    async def _transact(self, call: Callable[[RunRows], _T]) -> _T:
        is_connected = False

        def called(connection: Connection) -> _T:
            return call(_PostgresRows(connection, self.place))

        try:
            async with self._database.transaction() as connection:
                is_connected = self._was_connected = True
                return await connection.run_sync(called)
        except (SQLAlchemyError, OSError) as error:
            is_lost = _is_lost(error) if is_connected else self._was_connected
            raise _Failure(error, is_lost=is_lost) from error
        except JournalError:
            raise
        except Exception as error:
            # Drivers refuse a connection with exceptions of various types.
            if is_connected:
                raise
            raise _Failure(error, is_lost=self._was_connected) from error


class _Failure(Exception):
    """A call failed.

    Args:
        error: Why.
        is_lost: Whether the connection was lost, so that the call may be made again.
    """

    def __init__(self, error: Exception, *, is_lost: bool) -> None:
        super().__init__()
        self.error, self.is_lost = error, is_lost


def _is_lost(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError)
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state in _SHUTTING_DOWN


def _engine(url: str) -> AsyncEngine:
    scheme, colon, rest = url.partition(":")
    if scheme in ("postgres", "postgresql"):
        scheme = "postgresql+psycopg"
    try:
        # A call that meets a dead connection is made again, so no ping is needed before it.
        engine = engine_for(f"{scheme}{colon}{rest}", "PostgresJournal", {"pool_pre_ping": False})
    except InvalidSessionInput as error:
        raise AgentDefinitionError(str(error)) from error
    if engine.dialect.name != "postgresql":
        raise AgentDefinitionError(
            f"PostgresJournal needs a URL of PostgreSQL, not {display_url(engine.url)}."
        )
    return engine


class _Tables:
    def __init__(self, place: str) -> None:
        self._place = place

    async def create(self, engine: AsyncEngine, lock: AbstractAsyncContextManager[Any]) -> None:
        """Create the tables, or bring older ones up to date."""
        async with lock, engine.begin() as connection:
            await connection.run_sync(self._prepare)

    def _prepare(self, connection: Connection) -> None:
        if _version(connection) == VERSION:
            return
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        version = _version(connection)
        if version != VERSION:
            migrate(
                lambda statement: connection.execute(text(statement)),
                version,
                self._place,
                exact='COLLATE "C"',
                by_key="",
            )


def _version(connection: Connection) -> int:
    # A query of the catalog: what a name leads to may be cached from before another one's commit.
    query = (
        "SELECT count(*) FROM pg_tables WHERE tablename = 'agentgraph_journal'"
        " AND schemaname = ANY (current_schemas(false))"
    )
    if not connection.scalar(text(query)):
        return 0
    return int(connection.scalar(text("SELECT version FROM agentgraph_journal")) or 0)


class _PostgresRows(RunRows):
    __slots__ = ("_connection",)

    def __init__(self, connection: Connection, place: str) -> None:
        super().__init__(place)
        self._connection = connection

    def _select(self, query: str, values: Values) -> Sequence[Sequence[Any]]:
        return self._connection.execute(_clause(query), values).all()

    def _change(self, statement: str, values: Values) -> int:
        return self._connection.execute(_clause(statement), values).rowcount

    def _insert(self, statement: str, rows: Sequence[Values]) -> None:
        self._connection.execute(_clause(statement), rows)

    def _hold_machines(self) -> None:
        self._change("LOCK TABLE agentgraph_machines_of_runs IN EXCLUSIVE MODE", {})


@lru_cache(maxsize=64)
def _clause(statement: str) -> TextClause:
    return text(statement)
