"""All sessions of a database of `SQLAlchemySession`, to list, repair and delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TypeVar

from agentgraph.extensions.memory.sqlalchemy_connections import display_url, engine_for
from agentgraph.extensions.memory.sqlalchemy_rows import SessionRows
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import without_mark
from agentgraph.memory.errors import MissingExtra, SessionError
from agentgraph.memory.stored_sessions import History, StoredSessions
from agentgraph.memory.transcripts.histories import Change

try:
    from sqlalchemy import Connection, inspect, select, update
    from sqlalchemy.exc import SQLAlchemyError
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["SQLAlchemyStoredSessions"]

_T = TypeVar("_T")


class SQLAlchemyStoredSessions(StoredSessions[Connection]):
    """The sessions of a database.

    Args:
        url: A URL with an asyncio driver.
        sessions_table: The table of sessions.
        messages_table: The table of items.

    Raises:
        InvalidSessionInput: The URL is invalid, or its driver is unknown or not installed.
    """

    def __init__(
        self,
        url: str,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
    ) -> None:
        self._engine = engine_for(url, "stored sessions")
        self._tables = SessionTables.named(sessions_table, messages_table)

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    @property
    def _place(self) -> str:
        return display_url(self._engine.url)

    async def _run(self, call: Callable[[Connection], _T], writes_to: str | None = None) -> _T:
        def run(connection: Connection) -> _T:
            tables = inspect(connection).get_table_names()
            for table in (self._tables.sessions.name, self._tables.messages.name):
                if table not in tables:
                    raise self._missing_table(table, tables)
            sessions = self._tables.sessions
            if writes_to is not None:
                mine = select(sessions).where(sessions.c.session_id == writes_to)
                connection.execute(mine.with_for_update())
            return call(connection)

        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(run)
        except (SQLAlchemyError, OSError) as error:
            lines = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise SessionError(
                f"{self._place}: the database failed "
                f"({lines[0] if lines else type(error).__name__}); check that it can be reached"
            ) from error

    def _ids(self, connection: Connection) -> Iterable[str]:
        table, messages = self._tables.sessions, self._tables.messages
        ids = select(table.c.session_id).union(select(messages.c.session_id))
        return connection.scalars(ids).all()

    def _read(
        self, connection: Connection, session_id: str
    ) -> tuple[str | None, str | None, tuple[History, ...]]:
        table = self._tables.sessions
        row = connection.execute(select(table).where(table.c.session_id == session_id)).first()
        history = History.of(None, self._rows(session_id).oldest_first(connection))
        if row is None:
            return None, None, (history,)
        return _moment(row.created_at), _moment(row.updated_at), (history,)

    def _change(
        self, connection: Connection, session_id: str, branch: str | None, key: int, change: Change
    ) -> None:
        if change.replacement is None:
            self._rows(session_id).remove(connection, key)
        else:
            self._write(connection, key, json.dumps(change.replacement))

    def _remove_marks(self, connection: Connection, session_id: str) -> None:
        for key, text in self._rows(session_id).oldest_first(connection):
            if (plain := without_mark(text)) != text:
                self._write(connection, key, plain)

    def _delete(self, connection: Connection, session_id: str) -> None:
        saves = inspect(connection).has_table(self._tables.saves.name)
        self._rows(session_id).clear(connection, saves=saves)

    def _rows(self, session_id: str) -> SessionRows:
        return SessionRows(session_id, self._tables, self._engine.dialect)

    def _write(self, connection: Connection, key: int, text: str) -> None:
        messages = self._tables.messages
        change = update(messages).where(messages.c.id == key)
        connection.execute(change.values(message_data=text))


def _moment(value: object) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"
