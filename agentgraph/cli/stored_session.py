"""`--session DB[:ID]`: the stored conversation that a command goes on with."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from agentgraph.cli.faults import CommandFault
from agentgraph.extensions import memory
from agentgraph.memory import Session, SQLiteSession
from agentgraph.memory.errors import InvalidSessionInput, MissingExtra, SessionError

__all__ = ["opened_session"]

_DEFAULT_ID: Final = "default"


@contextlib.asynccontextmanager
async def opened_session(text: str) -> AsyncIterator[Session]:
    """Open the session that `DB[:ID]` names, and close it again.

    Args:
        text: An SQLite file or the URL of a database, and the id of the session; without an id it
            is `default`. The session is made if it does not exist.

    Raises:
        CommandFault: It cannot be opened.
    """
    try:
        async with contextlib.AsyncExitStack() as stack:
            place, session_id = _split(text)
            session: memory.SQLAlchemySession | SQLiteSession
            if "://" in place:
                session = memory.SQLAlchemySession.from_url(
                    session_id, url=place, create_tables=True
                )
                stack.push_async_callback(session.close)
            else:
                session = SQLiteSession(session_id, Path(place))
                stack.callback(session.close)
            # A place that cannot be read is a fault of the command line, not of the run.
            await session.get_items(limit=1)
            yield session
    except (SessionError, InvalidSessionInput, MissingExtra) as error:
        raise CommandFault(str(error)) from error


def _split(text: str) -> tuple[str, str]:
    place, colon, session_id = text.rpartition(":")
    scheme, _, rest = place.rpartition("://")
    named = colon and place and not {"/", "\\"} & set(session_id)
    if named and not Path(text).exists() and not (scheme and "/" not in rest):
        return place, session_id or _DEFAULT_ID
    return text, _DEFAULT_ID
