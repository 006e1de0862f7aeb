"""`MongoDBSession`: its documents, large runs, lost connections, documents of others, no server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("pymongo", reason="pip install pymongo brings the client")

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandListener, ServerHeartbeatListener

from agentgraph.extensions.memory import MongoDBSession
from agentgraph.extensions.memory.mongodb_blocks import BlocksOfASession
from agentgraph.memory.blocks import BlockTaken
from agentgraph.memory.errors import InvalidSessionInput, SessionClosedError, SessionError
from agentgraph.memory.transcript import legal
from tests.memory.servers import TcpProxy, mongodb_uri
from tests.memory.stores import Item, call, output, user

INLINE_BYTES = "agentgraph.extensions.memory.mongodb_documents.INLINE_BYTES"


@pytest.fixture
async def client(mongodb_port: int) -> AsyncIterator[AsyncMongoClient[Any]]:
    client: AsyncMongoClient[Any] = AsyncMongoClient(mongodb_uri(mongodb_port))
    yield client
    await client.close()


@pytest.fixture
def database(client: AsyncMongoClient[Any]) -> AsyncDatabase[Any]:
    return client[f"test-{uuid4().hex[:8]}"]


@pytest.fixture
def session(database: AsyncDatabase[Any]) -> MongoDBSession:
    return opened(database)


def opened(database: AsyncDatabase[Any], **arguments: Any) -> MongoDBSession:
    return MongoDBSession("s", client=database.client, database=database.name, **arguments)


async def stored(database: AsyncDatabase[Any]) -> list[dict[str, Any]]:
    return await database["agent_messages"].find().sort("seq", 1).to_list()


async def test_a_write_is_one_document_with_the_fields_of_the_sdk(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1"), user("2")])
    block = await session.append_to_block([user("3")])
    await session.add_items([user("4")])
    await session.append_to_block([user("5")], block)

    documents = await stored(database)
    assert [set(document) for document in documents] == [
        {"_id", "session_id", "generation", "seq", "message_data"}
    ] * 3
    assert [(it["seq"], len(it["message_data"])) for it in documents] == [(2, 2), (4, 1), (5, 2)]
    (about,) = await database["agent_sessions"].find().to_list()
    assert set(about) == {
        *("_id", "session_id", "created_at", "updated_at"),
        *("_seq", "_generation"),
    }
    assert (about["session_id"], about["_seq"], about["_generation"]) == ("s", 5, 0)
    indexes = {
        name: await database[name].index_information()
        for name in ("agent_sessions", "agent_messages")
    }
    assert indexes["agent_sessions"]["session_id_1"]["unique"]
    assert "session_id_1_generation_1_seq_1" in indexes["agent_messages"]


async def test_the_documents_that_the_sdk_stores_are_read_and_continued(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await database["agent_sessions"].insert_one({"session_id": "s", "_seq": 5})
    first = {"session_id": "s", "seq": 1, "message_data": '{"role":"user","content":"1"}'}
    listed = ['{"role":"user","content":"2"}', '{"role":"user","content":"3"}']
    second = {"session_id": "s", "seq": 3, "generation": 0, "message_data": listed}
    emptied = {"session_id": "s", "seq": 5, "generation": 0, "message_data": []}
    await database["agent_messages"].insert_many([first, second, emptied])
    items: list[Any] = [{"role": "user", "content": text} for text in "123"]

    assert await session.get_items() == items
    assert await session.get_items(2) == items[1:]
    block = await session.adopt_block(items[1:])
    await session.append_to_block([call("c"), output("c")], block)
    for item in [output("c"), call("c"), *reversed(items)]:
        assert await session.pop_item() == item
    assert await session.pop_item() is None
    await database["agent_messages"].insert_one({**first, "_id": ObjectId()})
    assert await session.adopt_block(items[:1]) is None
    await session.clear_session()
    assert await session.get_items() == []
    assert await stored(database) == []


async def test_a_read_with_a_limit_reads_little_else(
    database: AsyncDatabase[Any], mongodb_port: int, session: MongoDBSession
) -> None:
    for number in range(120):
        await session.add_items([user(f"{number}.{part}") for part in range(3)])
    await session.add_items([user(f"last.{part}") for part in range(100)])
    read = _TextsRead()
    own: AsyncMongoClient[Any] = AsyncMongoClient(mongodb_uri(mongodb_port), event_listeners=[read])
    watched = MongoDBSession("s", client=own, database=database.name)

    assert await watched.get_items(5) == [user(f"last.{part}") for part in range(95, 100)]
    assert read.count <= 2 * 5
    assert len(await watched.get_items(103)) == 103
    assert read.count <= 3 * 103
    assert len(await watched.get_items(2**40)) == 460
    await own.close()


class _TextsRead(CommandListener):
    """Counts the texts that a server has answered with."""

    count = 0

    def started(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...

    def succeeded(self, event: Any) -> None:
        cursor = event.reply.get("cursor", {})
        for document in [*cursor.get("firstBatch", ()), *cursor.get("nextBatch", ())]:
            self.count += len(document.get("message_data", ()))


async def test_a_block_that_moves_while_a_history_is_read_is_read_once(
    database: AsyncDatabase[Any],
    mongodb_port: int,
    session: MongoDBSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    block = await session.append_to_block([user("mine 0")])
    for number in range(120):
        await session.add_items([user(f"{number}")])
    look, moves = BlocksOfASession._entries, iter([{"$set": {"seq": 500}}])

    def entries(blocks: BlocksOfASession, document: Any) -> Any:
        for move in moves:
            with MongoClient[Any](mongodb_uri(mongodb_port)) as other:
                other[database.name]["agent_messages"].update_one({"_id": block.id}, move)
        return look(blocks, document)

    monkeypatch.setattr(BlocksOfASession, "_entries", entries)

    texts = [item["content"][0]["text"] for item in await items_of(session)]
    assert sorted(texts) == sorted(["mine 0", *(f"{number}" for number in range(120))])


async def items_of(session: MongoDBSession) -> list[Item]:
    return list(await session.get_items())


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
    client: AsyncMongoClient[Any], mongodb_port: int
) -> None:
    given = MongoDBSession("s", client=client)
    own = MongoDBSession.from_uri("s", uri=mongodb_uri(mongodb_port))
    assert await given.ping()
    assert await own.ping()

    for session in (given, own):
        await session.close()
        await session.close()
        with pytest.raises(SessionClosedError, match="'s' is closed"):
            await session.get_items()

    assert not await own.ping()
    assert (await client.admin.command("ping"))["ok"]


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


async def test_what_cannot_work_is_refused(client: AsyncMongoClient[Any]) -> None:
    with pytest.raises(InvalidSessionInput, match="non-empty string"):
        MongoDBSession(" ", client=client)
    with pytest.raises(InvalidSessionInput, match="non-empty string"):
        MongoDBSession.from_uri("", uri="mongodb://localhost")
    with pytest.raises(InvalidSessionInput, match="no such name"):
        MongoDBSession("s", client=client, database="a.b")
    with pytest.raises(InvalidSessionInput, match="no such name"):
        MongoDBSession("s", client=client, messages_collection="")
    async with AsyncMongoClient[Any]("mongodb://localhost", w=0) as deaf:
        with pytest.raises(InvalidSessionInput, match="w=0"):
            MongoDBSession("s", client=deaf)


async def test_the_settings_of_a_client_do_not_change_what_is_read(
    database: AsyncDatabase[Any], mongodb_port: int, session: MongoDBSession
) -> None:
    await session.add_items([user("ü")])
    async with AsyncMongoClient[Any](
        mongodb_uri(mongodb_port),
        document_class=RawBSONDocument,
        tz_aware=True,
        readPreference="secondaryPreferred",
        w=1,
    ) as client:
        other = MongoDBSession("s", client=client, database=database.name)

        assert await other.get_items() == [user("ü")]
        await other.add_items([user("x")])
        assert await other.pop_item() == user("x")


@pytest.mark.parametrize("about", [{}, {"_seq": "five"}, {"_seq": 1, "_generation": "new"}])
async def test_a_session_document_of_another_program_is_refused_and_left_alone(
    database: AsyncDatabase[Any], session: MongoDBSession, about: dict[str, Any]
) -> None:
    await database["agent_sessions"].insert_one({"_id": 1, "session_id": "s", **about})

    for use in (
        *(session.add_items([user("x")]), session.append_to_block([user("x")])),
        *(session.get_items(), session.pop_item(), session.clear_session()),
    ):
        with pytest.raises(SessionError, match=r"'s': the collection '.*agent_sessions' holds"):
            await use

    assert await database["agent_sessions"].find().to_list() == [
        {"_id": 1, "session_id": "s", **about}
    ]
    assert await stored(database) == []


@pytest.mark.parametrize(
    "foreign", [{"text": "precious"}, {"seq": 9, "message_data": 3}, {"message_data": ["{}"]}]
)
async def test_a_message_document_of_another_program_is_an_error_and_is_left_alone(
    database: AsyncDatabase[Any], session: MongoDBSession, foreign: dict[str, Any]
) -> None:
    await session.add_items([user("x")])
    await database["agent_messages"].insert_one({"_id": 1, "session_id": "s", **foreign})

    for use in (session.get_items(), session.pop_latest(lambda item: False)):
        with pytest.raises(SessionError, match=r"'s': the collection '.*agent_messages' holds"):
            await use

    assert {"_id": 1, "session_id": "s", **foreign} in await stored(database)


async def test_damaged_texts_take_no_place_of_an_item(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1"), user("2"), user("3")])
    damaged = ["broken", "[]", 3, None, {"part": 1}]
    await database["agent_messages"].update_one({}, {"$push": {"message_data": {"$each": damaged}}})

    assert await session.get_items() == [user("1"), user("2"), user("3")]
    assert await session.get_items(2) == [user("2"), user("3")]
    assert await session.pop_item() == user("3")
    assert await session.get_items() == [user("1"), user("2")]


async def test_what_a_server_says_of_an_item_is_not_repeated(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("x")])
    await database.command("collMod", "agent_messages", validator={"message_data": "none"})

    with pytest.raises(SessionError, match="did not confirm") as refusal:
        await session.add_items([user("a secret")])

    assert "secret" not in str(refusal.value)
    assert await session.get_items() == [user("x")]


async def test_a_run_beyond_what_a_document_holds_stays_one_block(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    large = [user(f"{number}" * 1_000_000) for number in range(10)]
    await session.add_items(large * 2)
    block = await session.append_to_block([user("mine")])
    block = await session.append_to_block(large, block)
    await session.add_items([user("other")])
    await session.append_to_block([user("mine too"), large[0]], block)

    mine = [user("mine"), *large, user("mine too"), large[0]]
    assert await session.get_items() == [*large * 2, user("other"), *mine]
    assert await session.get_items(3) == mine[-3:]
    for item in reversed(mine[-4:]):
        assert await session.pop_item() == item
    await session.clear_session()
    assert await stored(database) == []


async def test_an_item_that_no_document_can_hold_is_refused_and_nothing_is_stored(
    session: MongoDBSession,
) -> None:
    with pytest.raises(InvalidSessionInput, match=r"'s': items\[1\] has 17,000,0\d\d bytes"):
        await session.add_items([user("x"), user("x" * 17_000_000)])
    largest = user("x" * (16 * 2**20 - 66_000))
    await session.add_items([largest])

    assert await session.get_items() == [largest]


async def test_texts_in_parts_are_popped_from_anywhere_and_parts_go_with_their_last_text(
    database: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 500)
    items = [user(f"{number:02}") for number in range(20)]
    await session.add_items(items)
    left = list(items)
    assert len(await stored(database)) > 4

    for number in (19, 12, 13, 10, 3, 18, 0, 11):
        wanted = items[number]
        assert await session.pop_latest(lambda item, wanted=wanted: item == wanted) == wanted
        left.remove(wanted)
        assert await session.get_items() == left
        assert await session.get_items(4) == left[-4:]
    assert '"19"' not in str(await stored(database))
    popped = await asyncio.gather(*(opened(database).pop_item() for _ in range(14)))
    assert sorted(map(str, popped)) == sorted(map(str, [*left, None, None]))
    assert await stored(database) == []


async def test_of_two_runs_with_one_block_the_second_leaves_nothing_behind(
    database: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 100)
    await session.append_to_block([user("asked")])
    tries = [await session.adopt_block([user("asked")]) for _ in range(2)]
    await session.append_to_block([call("1"), output("1")], tries[0])
    documents = await stored(database)

    with pytest.raises(BlockTaken):
        await session.append_to_block([call("2"), output("2")], tries[1])

    assert await stored(database) == documents
    assert await session.get_items() == [user("asked"), call("1"), output("1")]


async def test_a_block_of_which_all_was_popped_is_still_only_one_runs(
    session: MongoDBSession,
) -> None:
    await session.append_to_block([user("asked")])
    tries = [await session.adopt_block([user("asked")]) for _ in range(2)]
    await session.pop_item()

    block = await session.append_to_block([user("of the first")], tries[0])
    with pytest.raises(BlockTaken):
        await session.append_to_block([user("of the other")], tries[1])
    await session.append_to_block([user("end")], block)

    assert await session.get_items() == [user("of the first"), user("end")]


async def test_a_clear_that_was_cut_short_is_a_clear(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    block = await session.append_to_block([user("old")])
    await session.add_items([user("old, too")])
    await database["agent_sessions"].update_one({}, {"$inc": {"_generation": 1}})

    assert await session.get_items() == []
    assert await session.pop_item() is None
    await session.append_to_block([user("new")], block)
    assert await session.get_items() == [user("new")]
    await session.clear_session()
    assert await stored(database) == []


async def test_a_session_whose_document_was_removed_goes_on(
    database: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1")])
    await database.drop_collection("agent_sessions")
    await database.drop_collection("agent_messages")

    await session.add_items([user("2")])

    assert await session.get_items() == [user("2")]


async def test_whoever_reads_while_others_write_pop_and_clear_sees_whole_turns(
    database: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 300)

    async def run(name: int) -> None:
        own, block = opened(database), None
        for turn in range(4):
            name_of_call = f"{name}.{turn}"
            items = [call(name_of_call), output(name_of_call)]
            block = await own.append_to_block(items, block)
            assert legal(await session.get_items())

    async def clear() -> None:
        for _ in range(3):
            await session.clear_session()
            assert legal(await session.get_items())

    await asyncio.gather(*(run(name) for name in range(6)), clear())
    assert legal(await session.get_items())
    await session.clear_session()
    assert await stored(database) == []
