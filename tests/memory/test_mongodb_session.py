"""`MongoDBSession`: lost connections, no server, URIs, clients, documents of others."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("pymongo", reason="pip install pymongo brings the client")

from bson import SON
from bson.codec_options import TypeDecoder, TypeRegistry
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import ServerHeartbeatListener

from agentgraph.extensions.memory import MongoDBSession
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from tests.memory.servers import TcpProxy, mongodb_uri
from tests.memory.stores import call, output, user


@pytest.fixture
def session(mongodb: AsyncDatabase[Any]) -> MongoDBSession:
    return MongoDBSession("s", client=mongodb.client, database=mongodb.name)


async def stored(mongodb: AsyncDatabase[Any]) -> list[dict[str, Any]]:
    return await mongodb["agent_messages"].find().sort("seq", 1).to_list()


@pytest.mark.parametrize("after_sending", [False, True], ids=["request-lost", "answer-lost"])
@pytest.mark.parametrize("command", ["findAndModify", "insert", "update"])
async def test_a_connection_lost_in_a_write_stores_the_call_once_or_not_at_all(
    mongodb_port: int, command: str, after_sending: bool
) -> None:
    async with TcpProxy(mongodb_port).running() as proxy:
        session = MongoDBSession.from_uri(
            "s", uri=mongodb_uri(proxy.port), database=f"test-{uuid4().hex[:8]}"
        )
        block = await session.append_to_block([user("before")])
        proxy.cut_when(
            lambda chunk: b"\x02" + command.encode() + b"\x00" in chunk, after_sending=after_sending
        )

        turn = [call("c"), output("c")]
        with pytest.raises(SessionError, match="done completely or not at all"):
            await session.append_to_block(turn, None if command == "insert" else block)

        done = after_sending and command != "findAndModify"
        expected = [user("before"), *turn] if done else [user("before")]
        assert await session.get_items() == expected
        await session.add_items([user("again")])
        assert await session.get_items() == [*expected, user("again")]
        await session.close()


async def test_an_unreachable_server_is_an_error_that_names_session_and_address() -> None:
    looking = _Looking()
    options = {"serverSelectionTimeoutMS": 50, "event_listeners": [looking]}
    session = MongoDBSession.from_uri("s", uri=mongodb_uri(1), client_kwargs=options)

    assert not await session.ping()
    for use in (session.add_items([user("x")]), session.get_items()):
        with pytest.raises(SessionError, match=r"'s' in 'agents.agent_messages'.*127\.0\.0\.1:1"):
            await use
    await looking.done.wait()
    await session.close()


class _Looking(ServerHeartbeatListener):
    """Knows whether a client tries to connect: closed meanwhile it would leave a socket open."""

    def __init__(self) -> None:
        self.done = asyncio.Event()

    def started(self, event: Any) -> None:
        self.done.clear()

    def succeeded(self, event: Any) -> None:
        self.done.set()

    def failed(self, event: Any) -> None:
        self.done.set()


async def test_close_ends_the_own_client_and_leaves_a_given_one_open(
    mongodb: AsyncDatabase[Any], mongodb_port: int
) -> None:
    given = MongoDBSession("s", client=mongodb.client)
    own = MongoDBSession.from_uri("s", uri=mongodb_uri(mongodb_port))
    assert await given.ping()
    assert await own.ping()

    for session in (given, own):
        await session.close()
        await session.close()
        with pytest.raises(SessionClosedError, match="'s' is closed"):
            await session.get_items()

    assert not await own.ping()
    assert (await mongodb.client.admin.command("ping"))["ok"]


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        ("postgres://ada:secret@localhost", {}),
        ("mongodb://ada:secret/ada@localhost", {}),
        ("mongodb://ada:se:cret@localhost:x", {}),
        ("mongodb://localhost:secret", {}),
        ("mongodb://localhost", {"secret": 1}),
    ],
)
def test_a_uri_that_is_none_is_refused_without_quoting_it(uri: str, options: Any) -> None:
    with pytest.raises(InvalidSessionInput, match="'s': this is no URI of MongoDB") as refusal:
        MongoDBSession.from_uri("s", uri=uri, client_kwargs=options)

    assert "secret" not in str(refusal.value)
    assert refusal.value.__suppress_context__


async def test_what_cannot_work_is_refused(mongodb: AsyncDatabase[Any]) -> None:
    with pytest.raises(InvalidSessionInput, match="non-empty string"):
        MongoDBSession(" ", client=mongodb.client)
    with pytest.raises(InvalidSessionInput, match="non-empty string"):
        MongoDBSession.from_uri("", uri="mongodb://localhost")
    with pytest.raises(InvalidSessionInput, match="does not allow this name"):
        MongoDBSession("s", client=mongodb.client, database="a.b")
    with pytest.raises(InvalidSessionInput, match="does not allow this name"):
        MongoDBSession("s", client=mongodb.client, messages_collection="")
    async with AsyncMongoClient[Any]("mongodb://localhost", w=0) as deaf:
        with pytest.raises(InvalidSessionInput, match="w=0"):
            MongoDBSession("s", client=deaf)


class _Shouting(TypeDecoder):
    """Reads texts in a way of its own."""

    bson_type = str

    def transform_bson(self, value: str) -> str:
        return value.upper()


async def test_the_settings_of_a_client_do_not_change_what_is_read(
    mongodb: AsyncDatabase[Any], mongodb_port: int, session: MongoDBSession
) -> None:
    await session.add_items([user("ü")])
    async with AsyncMongoClient[Any](
        mongodb_uri(mongodb_port),
        document_class=SON,
        type_registry=TypeRegistry([_Shouting()]),
        tz_aware=True,
        readPreference="secondaryPreferred",
        w=1,
    ) as client:
        other = MongoDBSession("s", client=client, database=mongodb.name)

        assert await other.get_items() == [user("ü")]
        await other.add_items([user("x")])
        assert await other.pop_item() == user("x")


@pytest.mark.parametrize("about", [{}, {"_seq": "five"}, {"_seq": 1, "_generation": "new"}])
async def test_a_session_document_of_another_program_is_refused_and_left_alone(
    mongodb: AsyncDatabase[Any], session: MongoDBSession, about: dict[str, Any]
) -> None:
    await mongodb["agent_sessions"].insert_one({"_id": 1, "session_id": "s", **about})

    for use in (
        *(session.add_items([user("x")]), session.append_to_block([user("x")])),
        *(session.get_items(), session.pop_item(), session.clear_session()),
    ):
        with pytest.raises(SessionError, match=r"'s': the collection '.*agent_sessions' holds"):
            await use

    assert await mongodb["agent_sessions"].find().to_list() == [
        {"_id": 1, "session_id": "s", **about}
    ]
    assert await stored(mongodb) == []


@pytest.mark.parametrize(
    "foreign", [{"text": "precious"}, {"seq": 9, "message_data": 3}, {"message_data": ["{}"]}]
)
async def test_a_message_document_of_another_program_is_an_error_and_is_left_alone(
    mongodb: AsyncDatabase[Any], session: MongoDBSession, foreign: dict[str, Any]
) -> None:
    await session.add_items([user("x")])
    await mongodb["agent_messages"].insert_one({"_id": 1, "session_id": "s", **foreign})

    for use in (session.get_items(), session.pop_latest(lambda item: False)):
        with pytest.raises(SessionError, match=r"'s': the collection '.*agent_messages' holds"):
            await use

    assert {"_id": 1, "session_id": "s", **foreign} in await stored(mongodb)


async def test_damaged_texts_take_no_place_of_an_item(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1"), user("2"), user("3")])
    damaged = ["broken", "[]", 3, None, {"part": 1}]
    await mongodb["agent_messages"].update_one({}, {"$push": {"message_data": {"$each": damaged}}})

    assert await session.get_items() == [user("1"), user("2"), user("3")]
    assert await session.get_items(2) == [user("2"), user("3")]
    assert await session.pop_item() == user("3")
    assert await session.get_items() == [user("1"), user("2")]


async def test_what_a_server_says_of_an_item_is_not_repeated(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("x")])
    await mongodb.command("collMod", "agent_messages", validator={"message_data": "none"})

    with pytest.raises(SessionError, match="did not confirm") as refusal:
        await session.add_items([user("a secret")])

    assert "secret" not in str(refusal.value)
    assert await session.get_items() == [user("x")]


async def test_an_item_that_no_document_can_hold_is_refused_and_nothing_is_stored(
    session: MongoDBSession,
) -> None:
    with pytest.raises(InvalidSessionInput, match=r"'s': items\[1\] has 17,000,0\d\d bytes"):
        await session.add_items([user("x"), user("x" * 17_000_000)])
    largest = user("x" * (16 * 2**20 - 66_000))
    await session.add_items([largest])

    assert await session.get_items() == [largest]
