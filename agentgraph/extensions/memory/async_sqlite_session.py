"""`SQLiteSession` with an awaitable `close`, for programs written for the SDK's class of this name.

`SQLiteSession` never blocks the event loop either, so there is only one implementation.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentgraph.memory.runs.blocks import Block
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.session import Accept, SessionABC
from agentgraph.memory.session_settings import SessionSettings
from agentgraph.memory.sqlite.database import MEMORY
from agentgraph.memory.sqlite_session import SQLiteSession

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["AsyncSQLiteSession"]


class AsyncSQLiteSession(SessionABC):
    """A conversation in an SQLite database.

    Args:
        session_id: The name of the conversation.
        db_path: The database file; by default the conversation is in memory.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads, as settings or as a dict.

    Raises:
        InvalidSessionInput: The session id is empty.
    """

    def __init__(
        self,
        session_id: str,
        db_path: str | Path = MEMORY,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | dict[str, Any] | None = None,
    ) -> None:
        self._session = SQLiteSession(
            session_id, db_path, sessions_table, messages_table, session_settings
        )
        self.session_id = session_id
        self.session_settings = self._session.session_settings
        self.db_path = db_path
        self.sessions_table = sessions_table
        self.messages_table = messages_table

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """Return the latest `limit` items, oldest first; see `SQLiteSession.get_items`."""
        self._session.session_settings = self.session_settings
        return await self._session.get_items(limit)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append items in one transaction."""
        await self._session.add_items(items)

    async def begin_block(self, prior: PriorAttempt) -> Block:
        """Look back and store the input of a run; see `SQLiteSession.begin_block`."""
        return await self._session.begin_block(prior)

    async def sync_block(self) -> None:
        """Wait until the disk has the items that `begin_block` stored."""
        await self._session.sync_block()

    async def append_to_block(self, items: list[TResponseInputItem], block: Block = None) -> Block:
        """Append items to the block of a run; see `SQLiteSession.append_to_block`."""
        return await self._session.append_to_block(items, block)

    async def adopt_block(self, items: list[TResponseInputItem]) -> Block:
        """Return the latest items as a block if they equal `items`, else None."""
        return await self._session.adopt_block(items)

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove and return the latest item; None if there is none."""
        return await self._session.pop_item()

    async def pop_latest(self, accept: Accept) -> TResponseInputItem | None:
        """Remove and return the latest accepted item; see `SQLiteSession.pop_latest`."""
        return await self._session.pop_latest(accept)

    async def clear_session(self) -> None:
        """Remove the session and its items."""
        await self._session.clear_session()

    async def close(self) -> None:
        """Release the database. Closing again does nothing; any other use is an error."""
        self._session.close()
