"""A process that stores turns, or runs agents, until it is killed; it reports each turn or run that
was acknowledged."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from agentgraph import Runner
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session, SQLiteSession
from tests.api.killed_run import agents
from tests.memory.stores import Item, call, output, user


def turn(number: int) -> list[list[Item]]:
    """The writes of one turn, as a run makes them: the input, then what the turn produced."""
    answer = {"type": "message", "role": "assistant", "content": f"answer {number}"}
    calls = [call(f"{number}.a"), call(f"{number}.b")]
    outputs = [output(f"{number}.a"), output(f"{number}.b")]
    return [[user(f"question {number}")], [*calls, *outputs], [answer]]


def write_to_sqlite(file: Path, session_id: str, first: int, acknowledged: Connection) -> None:
    """Store turns in a file, starting with number `first`."""
    asyncio.run(_write(SQLiteSession(session_id, file), first, acknowledged))


def write_to_postgresql(url: str, session_id: str, first: int, acknowledged: Connection) -> None:
    """Store turns in PostgreSQL, where the tables are, starting with number `first`."""

    async def write() -> None:
        await _write(SQLAlchemySession.from_url(session_id, url=url), first, acknowledged)

    asyncio.run(write())


def run_on_postgresql(url: str, session_id: str, first: int, finished: Connection) -> None:
    """Run questions on a session in PostgreSQL, where the tables are, starting with `first`."""

    async def run() -> None:
        session = SQLAlchemySession.from_url(session_id, url=url)
        agent, number = agents(), first
        while True:
            await Runner.run(agent, f"question {number}", session=session)
            finished.send(number)
            number += 1

    asyncio.run(run())


async def _write(session: Session, first: int, acknowledged: Connection) -> None:
    await session.get_items()
    number = first
    while True:
        for items in turn(number):
            await session.add_items(items)
        acknowledged.send(number)
        number += 1
