"""`SQLiteSession` with an awaitable `close`, for programs written for the SDK's class of this name.

`SQLiteSession` never blocks the event loop either, so there is only one implementation.
"""

from __future__ import annotations

from agentgraph.memory.sqlite_session import SQLiteSession

__all__ = ["AsyncSQLiteSession"]


class AsyncSQLiteSession(SQLiteSession):
    """A conversation in an SQLite database.

    Args:
        session_id: The name of the conversation.
        db_path: The database file; by default the conversation is in memory.
        sessions_table: The table of sessions.
        messages_table: The table of items.
        session_settings: Defaults for reads.

    Raises:
        InvalidSessionInput: The session id is empty.
    """

    async def close(self) -> None:  # type: ignore[override]  # the SDK's class has it so
        """Release the database. Closing again does nothing; any other use is an error."""
        super().close()
