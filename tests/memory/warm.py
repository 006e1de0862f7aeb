"""Imported by the server that victims are forked from: what the first run of a process imports,
compiles and looks up is there already, so that most of a victim's short life is work."""

from __future__ import annotations

import asyncio

from agentgraph import Runner, SQLiteSession
from agentgraph.extensions.memory import SQLAlchemySession
from tests.api.killed_run import agents


async def _run_once() -> None:
    for number in range(2):
        session = SQLiteSession("warm")
        result = Runner.run_streamed(agents(), f"question {number}", session=session)
        async for _ in result.stream_events():
            pass
        await Runner.run(agents(), f"question {number}", session=session)
        session.close()
    # The same statements as for PostgreSQL, without a server.
    database = SQLAlchemySession.from_url(
        "warm", url="sqlite+aiosqlite:///:memory:", create_tables=True
    )
    await Runner.run(agents(), "question 0", session=database)
    await database.close()


asyncio.run(_run_once())
