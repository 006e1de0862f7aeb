"""The rows of one session in a database of SQLAlchemy; their keys are ids of rows.

A writer first locks the row of the session. Connections are synchronous: those that `run_sync` of
SQLAlchemy's asyncio engines gives.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import without_mark
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.runs.saved_rows import KeyedText, Popped, SavedRows
from agentgraph.memory.session import Accept

try:
    from sqlalchemy import Connection, Dialect, Select, delete, func, insert, select, text, update
    from sqlalchemy.exc import IntegrityError
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["SessionRows"]

_ATTEMPTS = 1000
"""How often to look for a session's row and make it while other processes clear the session. Of
twelve processes that cleared it at once, one lost twenty rounds in a row."""


@dataclass(frozen=True)
class SessionRows(SavedRows[Connection]):
    """The rows of one session.

    Attributes:
        tables: The tables with the rows.
        dialect: The SQL of the database.
    """

    tables: SessionTables
    dialect: Dialect

    @property
    def saves(self) -> str:
        """The table of saves, quoted."""
        table: str = self.dialect.identifier_preparer.format_table(self.tables.saves)
        return table.replace(":", r"\:")

    @property
    def write(self) -> str:
        """The column `write` of the table of saves, quoted where the database needs it."""
        return str(self.dialect.identifier_preparer.quote("write"))

    def execute(
        self, connection: Connection, statement: str, values: dict[str, object]
    ) -> Iterable[Any]:
        """Execute a statement with named parameters; return its rows."""
        return connection.execute(text(statement), values)

    def lock(self, connection: Connection) -> None:
        """Lock this session's row until the transaction ends; make the row if it is missing."""
        for attempt in range(1, _ATTEMPTS + 1):
            if self._touch(connection):
                return
            try:
                with connection.begin_nested():
                    row = insert(self.tables.sessions).values(session_id=self.session_id)
                    connection.execute(row)
                return
            except IntegrityError:
                # Another transaction made the row in between, and a third one may clear it again.
                # Each time one of them makes progress. Without the lock, write nothing.
                if attempt == _ATTEMPTS:
                    raise

    def newest_first(self, connection: Connection, count: int) -> Generator[KeyedText, None, None]:
        """Yield ids and texts, the latest first, in growing pages."""
        ids = self.tables.messages.c.id
        before = None
        while True:
            query = self._mine().order_by(ids.desc()).limit(count)
            bounded = query if before is None else query.where(ids < before)
            rows = _pairs(connection, bounded)
            yield from rows
            if len(rows) < count:
                return
            before, count = rows[-1][0], 4 * count

    def oldest_first(self, connection: Connection) -> Sequence[KeyedText]:
        """Return ids and texts, the earliest first."""
        return _pairs(connection, self._mine().order_by(self.tables.messages.c.id))

    def insert(self, connection: Connection, texts: Sequence[str]) -> Sequence[int]:
        """Insert rows at the end; return their ids."""
        messages = self.tables.messages
        values = [{"session_id": self.session_id, "message_data": text} for text in texts]
        if not values:
            return ()
        if connection.dialect.insert_executemany_returning_sort_by_parameter_order:
            returning = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
            return connection.scalars(returning, values).all()
        connection.execute(insert(messages), values)
        newest_first = self._mine().order_by(messages.c.id.desc()).limit(len(values))
        return connection.scalars(newest_first).all()[::-1]

    def is_followed(self, connection: Connection, key: int) -> bool:
        """Return whether rows follow the row with this id; it may be gone."""
        after = self._mine().where(self.tables.messages.c.id > key).limit(1)
        return connection.scalar(after) is not None

    def move_to_end(self, connection: Connection, keys: Sequence[int]) -> Sequence[int]:
        """Move those of the rows that still exist to the end; return their new ids.

        They get a new creation time, because the published SDK orders the rows of this store by
        time.
        """
        messages = self.tables.messages
        moved = messages.c.id.in_(keys)
        rows = _pairs(connection, self._mine().where(moved).order_by(messages.c.id))
        mine = messages.c.session_id == self.session_id
        connection.execute(delete(messages).where(mine & moved))
        return self.insert(connection, [without_mark(stored) for _, stored in rows])

    def remove(self, connection: Connection, key: int) -> None:
        """Remove a row."""
        messages = self.tables.messages
        connection.execute(delete(messages).where(messages.c.id == key))

    def pop(self, connection: Connection, accept: Accept) -> Popped:
        """Remove the latest row whose item is accepted; make no row for a missing session."""
        if not self._touch(connection):
            _, items, damaged = self.latest(connection, 1)
            if not items:
                return Popped(None, 0, damaged)
            self.lock(connection)
        return super().pop(connection, accept)

    def clear(self, connection: Connection, *, saves: bool) -> None:
        """Remove the session and all its rows; `saves` tells whether the table of saves exists."""
        # Without the lock this deadlocks with other writers.
        self.lock(connection)
        tables = [self.tables.messages, self.tables.sessions, *[self.tables.saves] * saves]
        for table in tables:
            connection.execute(delete(table).where(table.c.session_id == self.session_id))

    def _touch(self, connection: Connection) -> bool:
        sessions = self.tables.sessions
        result = connection.execute(
            update(sessions)
            .where(sessions.c.session_id == self.session_id)
            .values(updated_at=func.current_timestamp())
        )
        return result.rowcount > 0

    def _mine(self) -> Select[Any, Any]:
        messages = self.tables.messages
        return select(messages.c.id, messages.c.message_data).where(
            messages.c.session_id == self.session_id
        )


def _pairs(connection: Connection, query: Select[Any, Any]) -> list[KeyedText]:
    return [(row[0], row[1]) for row in connection.execute(query)]
