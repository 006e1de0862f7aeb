"""A session whose connections belong to one event loop, used in another one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from agentgraph.extensions.memory import MongoDBSession, RedisSession, SQLAlchemySession
from agentgraph.memory.errors import SessionError
from tests.memory.conftest import postgresql_url
from tests.memory.servers import mongodb_uri
from tests.memory.stores import user


def redis(name: str, ask: Callable[[str], Any]) -> RedisSession:
    return RedisSession.from_url(name, url=f"unix://{ask('redis_socket')}")


def mongodb(name: str, ask: Callable[[str], Any]) -> MongoDBSession:
    return MongoDBSession.from_uri(name, uri=mongodb_uri(ask("mongodb_port")))


def asyncpg(name: str, ask: Callable[[str], Any]) -> SQLAlchemySession:
    url = postgresql_url("asyncpg", ask("postgresql"))
    return SQLAlchemySession.from_url(name, url=url, create_tables=True)


@pytest.mark.parametrize("make", [redis, mongodb, asyncpg])
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
