"""The rows of one session in a database of SQLAlchemy, as operations on an open connection.

The caller holds the transaction. A writer first locks the row of the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.runs.blocks import ConcurrentWrite
from agentgraph.memory.runs.marks import SPACES, MarkedRows, common_mark, new_mark
from agentgraph.memory.session import Accept, any_item

try:
    from sqlalchemy import case, delete, func, insert, select, update
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.ext.asyncio import AsyncConnection
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SessionRows"]

_ATTEMPTS = 1000
"""How often to look for a session's row and make it while other processes clear the session. Of
twelve processes that cleared it at once, one lost twenty rounds in a row."""


@dataclass(frozen=True, slots=True)
class SessionRows:
    """The rows of one session.

    Attributes:
        session_id: The session.
        tables: The tables with the rows.
    """

    session_id: str
    tables: SessionTables

    async def items(
        self, connection: AsyncConnection, limit: int | None
    ) -> list[TResponseInputItem]:
        """Return the latest `limit` readable items, oldest first; None means all."""
        if limit is not None:
            return [item for _, _, item in await self._newest(connection, limit)][::-1]
        messages = self.tables.messages
        mine = messages.c.session_id == self.session_id
        texts = await connection.scalars(
            select(messages.c.message_data).where(mine).order_by(messages.c.id)
        )
        return decode_items(texts)

    async def append(
        self, connection: AsyncConnection, texts: Sequence[str], block: MarkedRows
    ) -> MarkedRows:
        """Append texts to a block; first move the block to the end if others wrote after it.

        Raises:
            ConcurrentWrite: Another run has continued the block.
        """
        await self._lock(connection)
        rows = block.rows
        if rows and await self._is_followed(connection, block):
            rows = await self._move_to_end(connection, rows)
        new = await self._insert(connection, [text + block.mark for text in texts])
        return MarkedRows(block.mark, (*rows, *new))

    async def adopt(
        self, connection: AsyncConnection, items: list[TResponseInputItem]
    ) -> MarkedRows | None:
        """Return the latest rows as a block if they hold these items, else None.

        Rows that are not all from one run get a common mark, by which two runs with this block
        detect each other.
        """
        messages = self.tables.messages
        await self._lock(connection)
        rows = (await self._newest(connection, len(items)))[::-1]
        if [item for _, _, item in rows] != items:
            return None
        mark = common_mark([text for _, text, _ in rows])
        if mark is None:
            mark = new_mark()
            for row_id, text, _ in rows:
                marked = update(messages).values(message_data=text.rstrip(SPACES) + mark)
                await connection.execute(marked.where(messages.c.id == row_id))
        return MarkedRows(mark, tuple(row_id for row_id, _, _ in rows))

    async def pop(self, connection: AsyncConnection, accept: Accept) -> TResponseInputItem | None:
        """Remove the latest readable row whose item `accept` accepts; return the item."""
        if not await self._touch(connection):
            if not await self._newest(connection, 1):
                return None
            await self._lock(connection)
        for row_id, _, item in await self._newest(connection, 1, accept):
            messages = self.tables.messages
            await connection.execute(delete(messages).where(messages.c.id == row_id))
            return item
        return None

    async def clear(self, connection: AsyncConnection) -> None:
        """Remove the session and all its items."""
        # Without the lock this deadlocks with other writers.
        await self._lock(connection)
        for table in (self.tables.messages, self.tables.sessions):
            await connection.execute(delete(table).where(table.c.session_id == self.session_id))

    async def _is_followed(self, connection: AsyncConnection, block: MarkedRows) -> bool:
        """Return whether other runs have written after the rows of a run.

        Raises:
            ConcurrentWrite: Another run has continued the block.
        """
        messages = self.tables.messages
        after = (messages.c.session_id == self.session_id) & (messages.c.id > block.rows[-1])
        # None: there are no later rows; 1: one of them has the mark of the block; 0: none has it.
        own = case((messages.c.message_data.endswith(block.mark), 1), else_=0)
        later = await connection.scalar(select(func.max(own)).where(after))
        if later:
            raise ConcurrentWrite
        return later is not None

    async def _move_to_end(
        self, connection: AsyncConnection, block: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Write the remaining rows of a block again, at the end; return their ids.

        They get a new creation time, because the published SDK orders the rows of this store by
        time.
        """
        messages = self.tables.messages
        mine = (messages.c.session_id == self.session_id) & messages.c.id.in_(block)
        texts = await connection.scalars(
            select(messages.c.message_data).where(mine).order_by(messages.c.id)
        )
        copies = list(texts)
        await connection.execute(delete(messages).where(mine))
        return await self._insert(connection, copies)

    async def _insert(self, connection: AsyncConnection, texts: Sequence[str]) -> tuple[int, ...]:
        """Insert rows and return their ids."""
        messages = self.tables.messages
        values = [{"session_id": self.session_id, "message_data": text} for text in texts]
        if not values:
            return ()
        if connection.dialect.insert_executemany_returning_sort_by_parameter_order:
            returning = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
            return tuple(await connection.scalars(returning, values))
        await connection.execute(insert(messages), values)
        newest_first = (
            select(messages.c.id)
            .where(messages.c.session_id == self.session_id)
            .order_by(messages.c.id.desc())
            .limit(len(values))
        )
        return tuple(await connection.scalars(newest_first))[::-1]

    async def _lock(self, connection: AsyncConnection) -> None:
        """Lock this session's row until the transaction ends; make the row if it is missing."""
        for attempt in range(1, _ATTEMPTS + 1):
            if await self._touch(connection):
                return
            try:
                async with connection.begin_nested():
                    await connection.execute(
                        insert(self.tables.sessions).values(session_id=self.session_id)
                    )
                return
            except IntegrityError:
                # Another transaction made the row in between, and a third one may clear it again.
                # Each time one of them makes progress. Without the lock, write nothing.
                if attempt == _ATTEMPTS:
                    raise

    async def _touch(self, connection: AsyncConnection) -> bool:
        sessions = self.tables.sessions
        result = await connection.execute(
            update(sessions)
            .where(sessions.c.session_id == self.session_id)
            .values(updated_at=func.current_timestamp())
        )
        return result.rowcount > 0

    async def _newest(
        self, connection: AsyncConnection, count: int, accept: Accept = any_item
    ) -> list[tuple[int, str, TResponseInputItem]]:
        """Return (row id, text, item) of the latest accepted items, the latest first."""
        messages = self.tables.messages
        query = (
            select(messages.c.id, messages.c.message_data)
            .where(messages.c.session_id == self.session_id)
            .order_by(messages.c.id.desc())
        )
        matches: list[tuple[int, str, TResponseInputItem]] = []
        before, page = None, count
        while len(matches) < count:
            bounded = query if before is None else query.where(messages.c.id < before)
            rows = (await connection.execute(bounded.limit(page))).all()
            decoded = [(row_id, text, decode_item(text)) for row_id, text in rows]
            matches += [(id, text, it) for id, text, it in decoded if it is not None and accept(it)]
            if len(rows) < page:
                break
            before, page = rows[-1][0], 4 * page
        return matches[:count]
