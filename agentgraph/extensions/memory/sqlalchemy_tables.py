"""The tables of `SQLAlchemySession`: two of the published SDK, and one of our own."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self

from agentgraph.memory.errors import MissingExtra

try:
    from sqlalchemy import (
        TIMESTAMP,
        Column,
        ForeignKey,
        Index,
        Integer,
        MetaData,
        String,
        Table,
        Text,
        text,
    )
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import AsyncEngine
except ImportError as error:
    raise MissingExtra("SQLAlchemySession", "sqlalchemy") from error

__all__ = ["SessionTables"]

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class SessionTables:
    """The tables of a store.

    Attributes:
        metadata: Describes the tables, to create them.
        sessions: One row per session; a writer locks it.
        messages: One row per item, ordered by id.
        saves: One row per save of a run: its key, its name (`Block.write_of`), the rows that it
            wrote, and the process in which the run is at work.
    """

    metadata: MetaData
    sessions: Table
    messages: Table
    saves: Table

    @classmethod
    def named(cls, sessions: str, messages: str) -> Self:
        """Return the description of tables with these names."""
        metadata = MetaData()
        return cls(
            metadata,
            Table(
                sessions,
                metadata,
                Column("session_id", String, primary_key=True),
                _timestamp("created_at"),
                _timestamp("updated_at"),
            ),
            Table(
                messages,
                metadata,
                Column("id", Integer, primary_key=True, autoincrement=True),
                Column(
                    "session_id",
                    String,
                    ForeignKey(f"{sessions}.session_id", ondelete="CASCADE"),
                    nullable=False,
                ),
                Column("message_data", Text, nullable=False),
                _timestamp("created_at"),
                Index(f"idx_{messages}_session_id", "session_id", "id"),
                sqlite_autoincrement=True,
            ),
            Table(
                f"agentgraph_{messages}",
                metadata,
                Column("session_id", String, primary_key=True),
                Column("run_id", String, primary_key=True),
                Column("position", Integer, primary_key=True, autoincrement=False),
                Column("write", String, nullable=False),
                Column("row_ids", Text, nullable=False),
                Column("owner", String, nullable=False),
            ),
        )

    async def create(self, engine: AsyncEngine, lock: AbstractAsyncContextManager[Any]) -> None:
        """Create the missing tables while holding a lock."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with lock, engine.begin() as connection:
                    await connection.run_sync(self.metadata.create_all)
                return
            except DBAPIError:
                # Another process created them between our check and our CREATE: check again.
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0)


def _timestamp(name: str) -> Column[Any]:
    return Column(
        name, TIMESTAMP(timezone=False), server_default=text("CURRENT_TIMESTAMP"), nullable=False
    )
