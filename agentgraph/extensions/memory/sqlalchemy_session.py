"""A session in any database that SQLAlchemy's asyncio engines reach.

Every public method is one database transaction. A writer first locks the row of its session, so the
items of one call stay together and in order whatever other processes do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self, TypeVar

from agentgraph.extensions.memory.sqlalchemy_connections import (
    engine_for,
    failure,
    file_of,
    transactional,
    turnstile,
)
from agentgraph.extensions.memory.sqlalchemy_tables import SessionTables
from agentgraph.memory.blocks import Block, BlockTaken
from agentgraph.memory.encoding import (
    check_session_id,
    check_table_names,
    decode_item,
    decode_items,
    encode_items,
)
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.marks import SPACES, MarkedRows, common_mark, new_mark
from agentgraph.memory.session import Accept, SessionABC, any_item
from agentgraph.memory.session_settings import (
    SessionSettings,
    coerce_session_settings,
    resolve_session_limit,
)
from agentgraph.memory.uncut import uncut

try:
    from sqlalchemy import case, delete, func, insert, select, update
    from sqlalchemy.exc import IntegrityError, SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SQLAlchemySession"]

_ATTEMPTS = 20
"""How often the row of a session is looked for and made while others clear the session."""

_T = TypeVar("_T")


class SQLAlchemySession(SessionABC):
    """A conversation in a database that SQLAlchemy supports.

    Args:
        session_id: The name of the conversation.
        engine: The database; it stays the caller's to dispose of.
        create_tables: Whether to make the tables on first use when they are missing.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads, as settings or as a dict.
        ensure_ascii: Whether stored JSON escapes everything that is not ASCII.

    Raises:
        InvalidSessionInput: The session id is empty, or the tables have no two names.
    """

    def __init__(
        self,
        session_id: str,
        *,
        engine: AsyncEngine,
        create_tables: bool = False,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
        ensure_ascii: bool = True,
    ) -> None:
        self.session_id = check_session_id(session_id, type(self).__name__)
        check_table_names(sessions_table, messages_table, type(self).__name__)
        self.session_settings = (
            SessionSettings()
            if session_settings is None
            else coerce_session_settings(session_settings)
        )
        self._engine = engine
        self._tables = SessionTables.named(sessions_table, messages_table)
        self._create_tables = create_tables
        self._ensure_ascii = ensure_ascii
        self._tables_lock = asyncio.Lock()
        self._file = file_of(engine)
        self._made_in = object()  # no place yet
        self._database = transactional(engine)
        self._turnstile = turnstile(engine)

    @classmethod
    def from_url(
        cls,
        session_id: str,
        *,
        url: str,
        engine_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a session with an engine of its own; dispose of it with `await session.close()`.

        Args:
            session_id: The name of the conversation.
            url: A URL with an asyncio driver, such as `postgresql+asyncpg://user@host/database`,
                `postgresql+psycopg://…` or `sqlite+aiosqlite:///file.db`.
            engine_kwargs: Arguments for SQLAlchemy's `create_async_engine`.
            session_settings: Defaults for reads.
            kwargs: Arguments for the class.

        Raises:
            InvalidSessionInput: The URL is no URL, or its driver is unknown or not installed.
        """
        engine = engine_for(url, f"{cls.__name__} {session_id!r}", engine_kwargs)
        return cls(session_id, engine=engine, session_settings=session_settings, **kwargs)

    @property
    def engine(self) -> AsyncEngine:
        """The engine, to share with other sessions or to dispose of."""
        return self._engine

    async def close(self) -> None:
        """Close the connections of the engine, for a session that alone uses it."""
        await self._engine.dispose()

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest items, oldest first; rows that are damaged are left out.

        Args:
            limit: How many at most; None takes the session's own limit, and without one every item.

        Raises:
            SessionError: The database cannot be read.
        """
        limit = resolve_session_limit(limit, self.session_settings)
        return [] if limit == 0 else await self._whole(self._get(limit))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction.

        Raises:
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The database cannot be written; all or none of it was stored.
        """
        texts = encode_items(items, self._label, ensure_ascii=self._ensure_ascii)
        if texts:
            await self._whole(self._store(texts, MarkedRows("", ())))

    async def append_to_block(
        self, items: list[TResponseInputItem], block: Block = None
    ) -> MarkedRows:
        """Append items to the block of a run, and the block to the end if others wrote after it.

        Args:
            items: Input items as dicts.
            block: What a method for blocks returned before; None begins a block.

        Returns:
            The block with the items.

        Raises:
            BlockTaken: Another run has gone on with the block; nothing was stored.
            InvalidSessionInput: Something in `items` is no item; nothing was stored.
            SessionError: The database cannot be written; all or none of it was stored.
        """
        texts = encode_items(items, self._label, ensure_ascii=self._ensure_ascii)
        return await self._whole(self._store(texts, block or MarkedRows(new_mark(), ())))

    async def adopt_block(self, items: list[TResponseInputItem]) -> MarkedRows | None:
        """Return the latest items as a block if they are these, else None.

        Raises:
            SessionError: The database cannot be read or written.
        """
        return await self._whole(self._adopt(items))

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None when there is none."""
        return await self.pop_latest(any_item)

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest item that is accepted; None, and nothing done, without one.

        Args:
            accept: Tells which item is meant.
        """
        return await self._whole(self._pop(accept))

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._whole(self._clear())

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.session_id!r}"

    async def _get(self, limit: int | None) -> list[TResponseInputItem]:
        if limit is not None:
            async with self._transaction() as connection:
                newest_first = await self._newest(connection, limit)
            return [item for _, _, item in newest_first][::-1]
        messages = self._tables.messages
        mine = messages.c.session_id == self.session_id
        async with self._transaction() as connection:
            texts = await connection.scalars(
                select(messages.c.message_data).where(mine).order_by(messages.c.id)
            )
            return decode_items(texts)

    async def _pop(self, accept: Accept) -> TResponseInputItem | None:
        async with self._transaction() as connection:
            if not await self._touch(connection):
                if not await self._newest(connection, 1):
                    return None
                await self._lock(connection)
            for row_id, _, item in await self._newest(connection, 1, accept):
                messages = self._tables.messages
                await connection.execute(delete(messages).where(messages.c.id == row_id))
                return item
        return None

    async def _clear(self) -> None:
        async with self._transaction() as connection:
            # Who takes items away without the lock waits for others that wait for those items.
            await self._lock(connection)
            for table in (self._tables.messages, self._tables.sessions):
                await connection.execute(delete(table).where(table.c.session_id == self.session_id))

    async def _store(self, texts: list[str], block: MarkedRows) -> MarkedRows:
        """Append texts to a block, after taking it to the end if that is elsewhere."""
        mark, rows = block.mark, block.rows
        async with self._transaction() as connection:
            await self._lock(connection)
            if rows and await self._is_followed(connection, block):
                rows = await self._moved(connection, rows)
            new = [{"message_data": text + mark} for text in texts]
            return MarkedRows(mark, (*rows, *await self._insert(connection, new)))

    async def _is_followed(self, connection: AsyncConnection, block: MarkedRows) -> bool:
        """Whether others have written after the rows of a run.

        Raises:
            BlockTaken: One of them has gone on with these rows.
        """
        messages = self._tables.messages
        after = (messages.c.session_id == self.session_id) & (messages.c.id > block.rows[-1])
        # One row says whether there is any after them, and whether any of those has the mark.
        own = case((messages.c.message_data.endswith(block.mark), 1), else_=0)
        taken = await connection.scalar(select(func.max(own)).where(after))
        if taken:
            raise BlockTaken
        return taken is not None

    async def _adopt(self, items: list[TResponseInputItem]) -> MarkedRows | None:
        messages = self._tables.messages
        async with self._transaction() as connection:
            await self._lock(connection)
            rows = (await self._newest(connection, len(items)))[::-1]
            if [item for _, _, item in rows] != items:
                return None
            ids = tuple(row_id for row_id, _, _ in rows)
            mark = common_mark([text for _, text, _ in rows])
            if mark is None:
                mark = new_mark()
                for row_id, text, _ in rows:
                    marked = text.rstrip(SPACES) + mark
                    mine = messages.c.id == row_id
                    await connection.execute(
                        update(messages).where(mine).values(message_data=marked)
                    )
            return MarkedRows(mark, ids)

    async def _moved(self, connection: AsyncConnection, block: tuple[int, ...]) -> tuple[int, ...]:
        """Write the rows of a block that are still there again, at the end; return their ids.

        They are made now, too: the published SDK reads the rows of this store by their times.
        """
        messages = self._tables.messages
        mine = (messages.c.session_id == self.session_id) & messages.c.id.in_(block)
        texts = await connection.scalars(
            select(messages.c.message_data).where(mine).order_by(messages.c.id)
        )
        again = [{"message_data": text} for text in texts]
        await connection.execute(delete(messages).where(mine))
        return await self._insert(connection, again)

    async def _insert(
        self, connection: AsyncConnection, rows: list[dict[str, Any]]
    ) -> tuple[int, ...]:
        """Insert rows and return their ids."""
        messages = self._tables.messages
        values = [{"session_id": self.session_id, **row} for row in rows]
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
        """Hold the row of this session until the transaction ends, making it when missing."""
        for _ in range(_ATTEMPTS):
            if await self._touch(connection):
                return
            try:
                async with connection.begin_nested():
                    await connection.execute(
                        insert(self._tables.sessions).values(session_id=self.session_id)
                    )
                return
            except IntegrityError:
                # Another transaction made the row in between, and a third one may clear it again.
                continue

    async def _touch(self, connection: AsyncConnection) -> bool:
        sessions = self._tables.sessions
        touched = await connection.execute(
            update(sessions)
            .where(sessions.c.session_id == self.session_id)
            .values(updated_at=func.current_timestamp())
        )
        return touched.rowcount > 0

    async def _newest(
        self, connection: AsyncConnection, count: int, accept: Accept = any_item
    ) -> list[tuple[int, str, TResponseInputItem]]:
        """Return (row id, text, item) of the latest accepted items, the latest first."""
        messages = self._tables.messages
        query = (
            select(messages.c.id, messages.c.message_data)
            .where(messages.c.session_id == self.session_id)
            .order_by(messages.c.id.desc())
        )
        found: list[tuple[int, str, TResponseInputItem]] = []
        before, page = None, count
        while len(found) < count:
            bounded = query if before is None else query.where(messages.c.id < before)
            rows = (await connection.execute(bounded.limit(page))).all()
            read = [(row_id, text, decode_item(text)) for row_id, text in rows]
            found += [(id, text, it) for id, text, it in read if it is not None and accept(it)]
            if len(rows) < page:
                break
            before, page = rows[-1][0], 4 * page
        return found[:count]

    async def _whole(self, transaction: Coroutine[Any, Any, _T]) -> _T:
        """Let a transaction of SQLite end although its caller is cancelled; wait until it has.

        Cut in the middle of a statement, the connection would go on holding the lock of the file
        until the garbage collector finds it. Servers notice that a connection was dropped.
        """
        sqlite = self._engine.dialect.name == "sqlite"
        return await (uncut(transaction) if sqlite else transaction)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        connected = False
        try:
            with in_its_loop(self._label):
                if self._file is not None:
                    await self._file.check(self._engine)
                if self._create_tables and self._made_in != self._place():
                    await self._make_tables()
                async with self._turnstile or nullcontext(), self._database.begin() as connection:
                    connected = True
                    yield connection
        except (SQLAlchemyError, OSError, TypeError, ValueError, OverflowError) as error:
            # Drivers refuse an option or a port of the URL when they connect, each in its way.
            if connected and not isinstance(error, SQLAlchemyError | OSError):
                raise
            raise failure(self._label, self._engine, error) from error

    async def _make_tables(self) -> None:
        async with self._tables_lock:
            if self._made_in != self._place():
                await self._tables.create(self._database, self._turnstile)
                self._made_in = self._place()

    def _place(self) -> object:
        """What tells the database from another one under the same URL."""
        return None if self._file is None else self._file.identity
