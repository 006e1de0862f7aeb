"""`RedisSession`: keys, age, lost connections, keys of other programs, unreachable servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("redis", reason="pip install redis brings the client")

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import CrossSlotTransactionError

from agentgraph.extensions.memory import RedisSession
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from tests.memory.servers import TcpProxy
from tests.memory.stores import call, output, user


@pytest.fixture
async def client(redis_socket: Path) -> AsyncIterator[Redis]:
    client = Redis.from_url(f"unix://{redis_socket}")
    await client.flushdb()
    yield client
    await client.aclose()


async def test_a_session_is_a_list_and_a_hash_under_the_keys_of_the_sdk(client: Redis) -> None:
    session = RedisSession("s", redis_client=client)

    await session.add_items([user("x")])

    assert sorted(await client.keys()) == [b"agents:session:s", b"agents:session:s:messages"]
    assert await client.llen("agents:session:s:messages") == 1
    assert sorted(await client.hkeys("agents:session:s")) == [
        b"created_at",
        b"session_id",
        b"updated_at",
    ]
    await session.clear_session()
    assert await client.keys() == []


async def test_every_write_gives_the_session_its_full_time_again(client: Redis) -> None:
    session = RedisSession("s", redis_client=client, ttl=100, key_prefix="mine")
    await session.add_items([user("x")])
    await client.expire("mine:s:messages", 5)

    await session.add_items([user("y")])

    assert await client.ttl("mine:s:messages") > 90
    assert await client.ttl("mine:s") > 90


async def test_a_run_that_is_alone_has_nothing_of_the_list_read(client: Redis) -> None:
    session = RedisSession("s", redis_client=client)
    await session.add_items([user(f"{number}") for number in range(100)])
    await client.config_resetstat()

    block = await session.append_to_block([user("asked")])
    block = await session.append_to_block([call("1"), output("1")], block)
    assert "cmdstat_lrange" not in await client.info("commandstats")

    await session.add_items([user("of somebody else")])
    await session.append_to_block([user("end")], block)
    assert (await client.info("commandstats"))["cmdstat_lrange"]["calls"] == 1


async def test_a_text_that_an_older_version_has_marked_loses_its_mark_when_it_moves(
    client: Redis,
) -> None:
    session, key = RedisSession("s", redis_client=client), "agents:session:s:messages"
    mark = " \t\n\r" * 6
    await client.rpush(key, json.dumps(user("of others")) + mark, json.dumps(user("asked")) + mark)
    assert await session.get_items() == [user("of others"), user("asked")]
    block = await session.adopt_block([user("asked")])
    await session.add_items([user("other")])

    await session.append_to_block([user("end")], block)

    texts = [text.decode() for text in await client.lrange(key, 0, -1)]
    assert texts == [
        json.dumps(user("of others")) + mark,
        *(json.dumps(user(text)) for text in ("other", "asked", "end")),
    ]


async def test_a_client_that_decodes_answers_works_too(client: Redis, redis_socket: Path) -> None:
    decoding = Redis.from_url(f"unix://{redis_socket}", decode_responses=True)
    session = RedisSession("s", redis_client=decoding)

    await session.add_items([user("ü")])

    assert await session.get_items() == [user("ü")]
    assert await session.pop_item() == user("ü")
    await decoding.aclose()


async def test_damaged_texts_take_no_place_of_an_item(client: Redis) -> None:
    session = RedisSession("s", redis_client=client)
    await session.add_items([user("1"), user("2"), user("3")])
    for damaged in ("broken", "[]", "3"):
        await client.rpush("agents:session:s:messages", damaged)

    assert await session.get_items() == [user("1"), user("2"), user("3")]
    assert await session.get_items(2) == [user("2"), user("3")]
    assert await session.pop_item() == user("3")
    assert await session.get_items() == [user("1"), user("2")]


@pytest.mark.parametrize("key", ["agents:session:s", "agents:session:s:messages"])
async def test_a_key_of_another_program_is_refused_and_left_alone(client: Redis, key: str) -> None:
    await client.set(key, "precious")
    session = RedisSession("s", redis_client=client, ttl=10)

    with pytest.raises(SessionError, match="holds a string of another program"):
        await session.add_items([user("x")])

    assert await client.get(key) == b"precious"
    assert await client.ttl(key) == -1


@pytest.mark.parametrize("after_sending", [False, True], ids=["request-lost", "answer-lost"])
async def test_a_connection_lost_in_a_write_stores_the_call_once_or_not_at_all(
    redis_socket: Path, after_sending: bool
) -> None:
    async with TcpProxy(redis_socket).running() as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        session = RedisSession.from_url(f"s-{uuid4().hex}", url=url)
        await session.add_items([user("before")])
        proxy.cut_when(lambda chunk: b"EXEC" in chunk, after_sending=after_sending)

        turn = [call("c"), output("c")]
        with pytest.raises(SessionError, match="done completely or not at all"):
            await session.add_items(turn)

        expected = [user("before"), *turn] if after_sending else [user("before")]
        assert await session.get_items() == expected
        await session.add_items([user("again")])
        assert await session.get_items() == [*expected, user("again")]
        await session.close()


async def test_a_client_that_sends_a_write_again_whose_answer_was_lost_stores_it_once(
    redis_socket: Path,
) -> None:
    async with TcpProxy(redis_socket).running() as proxy:
        url = f"redis://127.0.0.1:{proxy.port}/0"
        arguments = {"retry": Retry(NoBackoff(), 3)}
        session = RedisSession.from_url(f"s-{uuid4().hex}", url=url, redis_kwargs=arguments)
        block, stored = await session.append_to_block([user("asked")]), [user("asked")]

        for others in ([], [user("other")]):
            for item in others:
                proxy.cut_when(lambda chunk: b"EXEC" in chunk, after_sending=True)
                await session.add_items([item])
            proxy.cut_when(lambda chunk: b"EXEC" in chunk, after_sending=True)
            block = await session.append_to_block([call("c"), output("c")], block)
            stored = [*others, *stored, call("c"), output("c")]
            assert await session.get_items() == stored
        await session.close()


async def test_an_unreachable_server_is_an_error_that_names_session_and_address() -> None:
    session = RedisSession.from_url("s", url="redis://127.0.0.1:1/0")

    assert not await session.ping()
    with pytest.raises(SessionError, match=r"'s' at 127\.0\.0\.1:1"):
        await session.add_items([user("x")])
    await session.close()


async def test_close_ends_the_own_client_and_leaves_a_given_one_open(
    client: Redis, redis_socket: Path
) -> None:
    given = RedisSession("s", redis_client=client)
    own = RedisSession.from_url("s", url=f"unix://{redis_socket}")
    assert await given.ping()
    assert await own.ping()

    for session in (given, own):
        await session.close()
        await session.close()
        with pytest.raises(SessionClosedError, match="'s' is closed"):
            await session.get_items()

    assert await client.ping()


async def test_clearing_leaves_a_key_of_another_program_alone(client: Redis) -> None:
    await client.set("agents:session:s", "precious")
    session = RedisSession("s", redis_client=client)

    with pytest.raises(SessionError, match="holds a string of another program"):
        await session.clear_session()

    assert await client.get("agents:session:s") == b"precious"


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(InvalidSessionInput, match="no URL of Redis"):
        RedisSession.from_url("s", url="postgres://localhost")
    with pytest.raises(InvalidSessionInput, match=r"'s': .* 'bogus'"):
        RedisSession.from_url("s", url="redis://localhost?bogus=1")
    for ttl in (0, 1.5, "5", True):
        with pytest.raises(InvalidSessionInput, match="whole number that is more than 0"):
            RedisSession.from_url("s", url="redis://localhost", ttl=ttl)


def test_of_a_url_that_is_not_understood_nothing_is_shown() -> None:
    with pytest.raises(InvalidSessionInput, match="percent-encoded") as caught:
        RedisSession.from_url("s", url="redis://me:hunter2/x@localhost:6379/0")

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_cluster_that_has_the_keys_in_two_places_says_what_to_do(client: Redis) -> None:
    class Cluster:
        """Refuses as `RedisCluster` does, which is no `RedisError`."""

        type = client.type

        def pipeline(self, transaction: bool) -> None:
            raise CrossSlotTransactionError("must map to the same slot")

    cluster: Any = Cluster()
    session = RedisSession("s", redis_client=cluster)

    with pytest.raises(SessionError, match=r"'s': .* key_prefix in braces"):
        await session.add_items([user("x")])
