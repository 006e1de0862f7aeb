"""The rows of one session in a database of SQLAlchemy, as operations on an open connection.

The caller holds the transaction. A writer first locks the row of the session.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.encoding import decode_item, without_mark
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.runs.saves import Block, adopted, is_repeated
from agentgraph.memory.session import Accept, any_item

try:
    from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
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

    async def texts(self, connection: AsyncConnection) -> Sequence[str]:
        """Return all texts, the oldest first."""
        messages = self.tables.messages
        mine = messages.c.session_id == self.session_id
        query = select(messages.c.message_data).where(mine).order_by(messages.c.id)
        return (await connection.scalars(query)).all()

    async def append(
        self, connection: AsyncConnection, texts: Sequence[str], block: Block | None
    ) -> None:
        """Append texts, to a block; first move the block to the end if others wrote after it.

        Args:
            connection: The connection, in a transaction.
            texts: The texts.
            block: The block; None appends texts of no run.

        Raises:
            ConcurrentWrite: Another run has written to the block.
        """
        await self._lock(connection)
        if block is None:
            await self._insert(connection, texts)
            return
        saves = self.tables.saves
        query = select(saves.c.position, saves.c.write, saves.c.row_ids).where(self._of(block))
        query = query.where(saves.c.position >= block.position - 1)
        latest = {position: rest for position, *rest in await connection.execute(query)}
        write = block.write_of(texts)
        stored, _ = latest.get(block.position, (None, None))
        if is_repeated(stored, write):
            return
        _, before = latest.get(block.position - 1, (None, "[]"))
        moved = await self._gather(connection, block, json.loads(before))
        keys = [*moved, *await self._insert(connection, texts)]
        await self._record(connection, block, write, keys)

    async def adopt(
        self,
        connection: AsyncConnection,
        items: list[TResponseInputItem],
        own: Block,
        *,
        saves: bool,
    ) -> Block | None:
        """Return the latest rows as a block if they hold these items, else None.

        Rows of another program, or of several runs, become the run's own block; so do all rows
        where the table of saves is missing.

        Raises:
            ConcurrentWrite: Another run of this process works on them.
        """
        await self._lock(connection)
        rows, _ = await self.newest(connection, len(items))
        if [item for _, item in reversed(rows)] != items:
            return None
        if not saves:
            return own.saved()
        keys = [row_id for row_id, _ in reversed(rows)]
        table = self.tables.saves
        # Of two runs that list a row, the one that has claimed it comes last.
        listed = await connection.execute(
            select(table.c.run_id, table.c.position, table.c.owner, table.c.row_ids)
            .where(table.c.session_id == self.session_id)
            .order_by(case((table.c.write == "", 1), else_=0), table.c.position)
        )
        block = adopted(((*save, json.loads(row_ids)) for *save, row_ids in listed), keys, own)
        if block is None:
            await connection.execute(delete(table).where(self._of(own)))
            await self._record(connection, own, "", keys)
            return own.saved()
        change = update(table).where(self._of(block)).values(owner=own.owner)
        await connection.execute(change)
        return block

    async def release(self, connection: AsyncConnection, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        saves = self.tables.saves
        mine = self._of(block) & (saves.c.owner == block.owner)
        await connection.execute(update(saves).where(mine).values(owner=""))

    async def pop(
        self, connection: AsyncConnection, accept: Accept
    ) -> tuple[TResponseInputItem | None, int]:
        """Remove the latest row whose item `accept` accepts.

        Returns:
            The item, and the number of damaged rows after it.
        """
        if not await self._touch(connection):
            rows, damaged = await self.newest(connection, 1)
            if not rows:
                return None, damaged
            await self._lock(connection)
        rows, damaged = await self.newest(connection, 1, accept)
        for row_id, item in rows:
            messages = self.tables.messages
            await connection.execute(delete(messages).where(messages.c.id == row_id))
            return item, damaged
        return None, damaged

    async def clear(self, connection: AsyncConnection, *, saves: bool) -> None:
        """Remove the session and all its rows; `saves` tells whether the table of saves exists."""
        # Without the lock this deadlocks with other writers.
        await self._lock(connection)
        tables = [self.tables.messages, self.tables.sessions, *[self.tables.saves] * saves]
        for table in tables:
            await connection.execute(delete(table).where(table.c.session_id == self.session_id))

    def _of(self, block: Block) -> ColumnElement[bool]:
        saves = self.tables.saves
        return (saves.c.session_id == self.session_id) & (saves.c.run_id == block.run_id)

    async def _record(
        self, connection: AsyncConnection, block: Block, write: str, keys: Sequence[int]
    ) -> None:
        await connection.execute(
            insert(self.tables.saves).values(
                session_id=self.session_id,
                run_id=block.run_id,
                position=block.position,
                write=write,
                row_ids=json.dumps(list(keys)),
                owner=block.owner,
            )
        )

    async def _gather(
        self, connection: AsyncConnection, block: Block, latest: list[int]
    ) -> Sequence[int]:
        """Move the rows of a run to the end if others follow those of its latest save.

        Moved rows get a new creation time, because the published SDK orders the rows of this store
        by time.

        Returns:
            The new ids of all its rows; empty if nothing was moved.
        """
        messages, saves = self.tables.messages, self.tables.saves
        mine = messages.c.session_id == self.session_id
        after = (
            select(messages.c.id).where(mine & (messages.c.id > max(latest, default=0))).limit(1)
        )
        if not latest or await connection.scalar(after) is None:
            return ()
        lists = await connection.scalars(select(saves.c.row_ids).where(self._of(block)))
        mine &= messages.c.id.in_([key for row_ids in lists for key in json.loads(row_ids)])
        texts = await connection.scalars(
            select(messages.c.message_data).where(mine).order_by(messages.c.id)
        )
        copies = [without_mark(text) for text in texts]
        await connection.execute(delete(messages).where(mine))
        await connection.execute(update(saves).where(self._of(block)).values(row_ids="[]"))
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

    async def newest(
        self, connection: AsyncConnection, count: int, accept: Accept = any_item
    ) -> tuple[list[tuple[int, TResponseInputItem]], int]:
        """Return row id and item of the latest accepted rows, the latest first, and how many
        damaged rows were read."""
        messages = self.tables.messages
        query = (
            select(messages.c.id, messages.c.message_data)
            .where(messages.c.session_id == self.session_id)
            .order_by(messages.c.id.desc())
        )
        matches: list[tuple[int, TResponseInputItem]] = []
        before, page, damaged = None, count, 0
        while len(matches) < count:
            bounded = query if before is None else query.where(messages.c.id < before)
            rows = (await connection.execute(bounded.limit(page))).all()
            decoded = [(row_id, decode_item(text)) for row_id, text in rows]
            damaged += sum(item is None for _, item in decoded)
            matches += [(id, item) for id, item in decoded if item is not None and accept(item)]
            if len(rows) < page:
                break
            before, page = rows[-1][0], 4 * page
        return matches[:count], damaged
