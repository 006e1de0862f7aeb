"""All sessions of a database of `SQLAlchemySession`, to list, repair and delete."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from agentgraph.extensions.memory.sqlalchemy_connections import display_url, engine_for
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import MARK_LENGTH, without_mark
from agentgraph.memory.errors import MissingExtra, SessionError
from agentgraph.memory.stored_sessions import (
    History,
    NoSuchSession,
    StoredRow,
    StoredSession,
    check_unchanged,
)

try:
    from sqlalchemy import delete, inspect, select, update
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["SQLAlchemyStoredSessions"]


class SQLAlchemyStoredSessions:
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
        self._place = display_url(self._engine.url)

    async def sessions(self) -> AsyncGenerator[StoredSession, None]:
        """Yield every session, in the order of the ids."""
        table, messages = self._tables.sessions, self._tables.messages
        async with self._transaction() as connection:
            with_row = select(table.c.session_id)
            with_items = select(messages.c.session_id)
            ids = (await connection.scalars(with_row.union(with_items))).all()
        for session_id in sorted(ids):
            yield await self.session(session_id)

    async def session(self, session_id: str) -> StoredSession:
        """Return one session.

        Raises:
            NoSuchSession: It is not there.
        """
        async with self._transaction() as connection:
            return await self._read(connection, session_id)

    async def mend(self, session: StoredSession) -> None:
        """Carry out the mendings of a session, in one transaction.

        Raises:
            SessionError: The session was changed since it was read; nothing was written.
        """
        messages = self._tables.messages
        async with self._transaction() as connection:
            check_unchanged(await self._read(connection, session.session_id, lock=True), session)
            for mending in session.mendings:
                for key, change in mending.changes:
                    row = messages.c.id == key
                    if change.replacement is None:
                        await connection.execute(delete(messages).where(row))
                    else:
                        text = json.dumps(change.replacement)
                        await connection.execute(
                            update(messages).where(row).values(message_data=text)
                        )
            await self._remove_marks(connection, session.session_id)

    async def delete(self, session_id: str) -> None:
        """Remove a session, in one transaction.

        Raises:
            NoSuchSession: It is not there.
        """
        async with self._transaction() as connection:
            await self._read(connection, session_id, lock=True)
            tables = [self._tables.messages, self._tables.sessions]
            saves = self._tables.saves
            if await connection.run_sync(lambda sync: inspect(sync).has_table(saves.name)):
                tables.append(saves)
            for table in tables:
                await connection.execute(delete(table).where(table.c.session_id == session_id))

    async def _remove_marks(self, connection: AsyncConnection, session_id: str) -> None:
        messages = self._tables.messages
        marked = messages.c.message_data.regexp_match(f"[ \t\n\r]{{{MARK_LENGTH}}}$")
        mine = messages.c.session_id == session_id
        rows = select(messages.c.id, messages.c.message_data).where(mine & marked)
        for row_id, text in (await connection.execute(rows)).all():
            change = update(messages).where(messages.c.id == row_id)
            await connection.execute(change.values(message_data=without_mark(text)))

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()

    async def _read(
        self, connection: AsyncConnection, session_id: str, *, lock: bool = False
    ) -> StoredSession:
        table, messages = self._tables.sessions, self._tables.messages
        query = select(table).where(table.c.session_id == session_id)
        result = await connection.execute(query.with_for_update() if lock else query)
        row = result.one_or_none()
        rows = await connection.execute(
            select(messages.c.id, messages.c.message_data)
            .where(messages.c.session_id == session_id)
            .order_by(messages.c.id)
        )
        decoded = tuple(StoredRow.of(key, text) for key, text in rows)
        if row is None and not decoded:
            raise NoSuchSession(f"there is no session {session_id!r} in {self._place}")
        return StoredSession(
            session_id,
            _moment(row and row.created_at),
            _moment(row and row.updated_at),
            (History(None, decoded),),
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
                for table in (self._tables.sessions.name, self._tables.messages.name):
                    if table not in tables:
                        raise SessionError(
                            f"{self._place} holds no sessions: it has no table {table!r}, only "
                            f"{', '.join(map(repr, sorted(tables))) or 'none at all'}; "
                            "if the tables have names of their own, give them"
                        )
                yield connection
        except (SQLAlchemyError, OSError) as error:
            lines = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise SessionError(
                f"{self._place}: the database failed "
                f"({lines[0] if lines else type(error).__name__}); check that it can be reached"
            ) from error


def _moment(value: object) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"
