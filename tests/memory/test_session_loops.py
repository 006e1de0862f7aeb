"""A session that is used in two event loops."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from agentgraph.extensions.memory import MongoDBSession, RedisSession, SQLAlchemySession
from agentgraph.memory.errors import SessionError
from tests.memory.conftest import postgresql_url
from tests.memory.servers import mongodb_uri
from tests.memory.stores import user


def redis(name: str, ask: Callable[[str], Any]) -> RedisSession:
    return RedisSession.from_url(name, url=f"unix://{ask('redis_socket')}")


def mongodb(name: str, ask: Callable[[str], Any]) -> MongoDBSession:
    return MongoDBSession.from_uri(name, uri=mongodb_uri(ask("mongodb_port")))


def url_of(kind: str, folder: Path, ask: Callable[[str], Any]) -> str:
    match kind:
        case "file":
            return f"sqlite+aiosqlite:///{folder / 'sessions.db'}"
        case "memory":
            return "sqlite+aiosqlite://"
        case driver:
            return postgresql_url(driver, ask("postgresql"))


@pytest.mark.parametrize("own_engine", [False, True])
@pytest.mark.parametrize("kind", ["file", "memory", "asyncpg", "psycopg"])
def test_a_session_of_sqlalchemy_works_in_two_event_loops_at_once(
    kind: str, own_engine: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, name = url_of(kind, tmp_path, request.getfixturevalue), f"s-{uuid4().hex}"
    session = (
        SQLAlchemySession(name, engine=create_async_engine(url), create_tables=True)
        if own_engine
        else SQLAlchemySession.from_url(name, url=url, create_tables=True)
    )
    both_run, failures = threading.Barrier(2, timeout=60), list[Exception]()

    async def work(loop: int) -> None:
        await session.add_items([user(f"{loop}.first")])
        await asyncio.to_thread(both_run.wait)
        await asyncio.gather(*(session.add_items([user(f"{loop}.{n}")]) for n in range(20)))
        block = None
        for part in range(3):
            block = await session.append_to_block([user(f"{loop}.run.{part}")], block)
        await asyncio.to_thread(both_run.wait)
        if loop:
            await session.close()
        await asyncio.to_thread(both_run.wait)

    def run(loop: int) -> None:
        try:
            asyncio.run(work(loop))
        except Exception as error:  # noqa: BLE001  # the test reports it
            failures.append(error)
            both_run.abort()

    threads = [threading.Thread(target=run, args=(loop,), daemon=True) for loop in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not failures
    assert not any(thread.is_alive() for thread in threads)
    if kind != "memory":
        again = SQLAlchemySession.from_url(name, url=url)
        texts = [item["content"][0]["text"] for item in asyncio.run(_items(again))]
        assert len(texts) == 2 * 24
        for loop in range(2):
            first = texts.index(f"{loop}.run.0")
            assert texts[first : first + 3] == [f"{loop}.run.{part}" for part in range(3)]


@pytest.mark.parametrize(
    "kind",
    [
        "file",
        # After the end of its loop asyncpg cannot close a connection; it warns about it.
        pytest.param("asyncpg", marks=pytest.mark.filterwarnings("ignore::ResourceWarning")),
        "psycopg",
    ],
)
def test_a_session_used_in_one_loop_after_another_keeps_only_the_connections_of_two(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, name = url_of(kind, tmp_path, request.getfixturevalue), f"s-{uuid4().hex}"
    session = SQLAlchemySession.from_url(name, url=url, create_tables=True)
    open_files = []
    for loop in range(6):
        asyncio.run(session.add_items([user(str(loop))]))
        gc.collect()
        open_files.append((len(list(Path("/proc/self/fd").iterdir())), threading.active_count()))

    assert len(set(open_files[1:])) == 1
    assert len(asyncio.run(_items(session))) == 6
    gc.collect()


async def _items(session: SQLAlchemySession) -> list[Any]:
    items = list(await session.get_items())
    await session.close()
    return items


@pytest.mark.parametrize("make", [redis, mongodb])
def test_a_session_used_in_a_second_event_loop_says_so_and_still_works_in_its_own(
    make: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    name = f"s-{uuid4().hex}"

    async def first() -> Any:
        session = make(name, request.getfixturevalue)
        await session.add_items([user("x")])
        return session

    with closing(asyncio.new_event_loop()) as own, closing(asyncio.new_event_loop()) as other:
        session = own.run_until_complete(first())
        with pytest.raises(SessionError, match=rf"'{name}': .* one event loop, which does not run"):
            other.run_until_complete(session.get_items())

        assert own.run_until_complete(session.get_items()) == [user("x")]
        own.run_until_complete(session.close())
