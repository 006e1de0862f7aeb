"""Processes that tests kill: forked from a server that has imported everything they need, so that
most of their short lives is work. There is one such server in a process of tests, for all of them.

`AGENTGRAPH_KILLS` says how often each of the tests kills one.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any

import pytest

KILLS = int(os.environ.get("AGENTGRAPH_KILLS", "200"))

KILLS_PER_SESSION = 20
"""Then another session begins: in a long history a victim would mostly read."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        "tests.durable.warm",
        "tests.memory.killed_writer",
        "tests.memory.warm",
        "agentgraph.extensions.memory.sqlalchemy_session",
        "asyncpg",
        "sqlalchemy.dialects.postgresql.asyncpg",
        "openai.types.responses",
    ]
)


def let_processes_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepare a test that starts processes."""
    # The server of Python 3.11 does not take over `sys.path`, and so would import nothing.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    # Each process would import the main module again, which is pytest, or has no file under xdist.
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", None, raising=False)


def sessions_and_kills() -> Iterator[tuple[str, int]]:
    """Give the sessions, one after the other, each with how often to kill whoever works on it."""
    for done in range(0, KILLS, KILLS_PER_SESSION):
        yield f"after-{done}", min(KILLS_PER_SESSION, KILLS - done)


def work_until_killed(
    target: Callable[..., None],
    place: object,
    session_id: str,
    first: int,
    chance: random.Random,
    longest: float,
) -> list[int]:
    """Let a process work, kill it at a random moment, and return what it said was finished.

    Args:
        target: What the process does; called with place, session id, first number, and where to
            send each number that is finished.
        place: The file or the server.
        session_id: The session.
        first: The first number.
        chance: The dice.
        longest: Seconds, about as many as the work of one number takes.
    """
    receiver, sender = PROCESSES.Pipe(duplex=False)
    arguments: tuple[Any, ...] = (place, session_id, first, sender)
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    sender.close()
    finished: list[int] = [receiver.recv() for _ in range(chance.randrange(1, 4))]
    # Nothing is waited for here: the moment itself is what the test varies, in parts of the work.
    wait([], timeout=chance.random() * longest)
    process.kill()
    process.join()
    try:
        while True:
            finished.append(receiver.recv())
    except EOFError:
        receiver.close()
    return finished
