"""The documents of a `MongoDBSession`: their fields, large runs, and what happens meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("pymongo", reason="pip install pymongo brings the client")

from bson import ObjectId
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.monitoring import CommandListener

from agentgraph.extensions.memory import MongoDBSession
from agentgraph.extensions.memory.mongodb_blocks import BlocksOfASession
from agentgraph.memory.runs.blocks import ConcurrentWrite
from agentgraph.memory.transcripts.histories import legal
from tests.memory.servers import mongodb_uri
from tests.memory.stores import Item, call, output, user

INLINE_BYTES = "agentgraph.extensions.memory.mongodb_documents.INLINE_BYTES"


@pytest.fixture
def session(mongodb: AsyncDatabase[Any]) -> MongoDBSession:
    return MongoDBSession("s", client=mongodb.client, database=mongodb.name)


async def stored(mongodb: AsyncDatabase[Any]) -> list[dict[str, Any]]:
    return await mongodb["agent_messages"].find().sort("seq", 1).to_list()


async def test_a_write_is_one_document_with_the_fields_of_the_sdk(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1"), user("2")])
    block = await session.append_to_block([user("3")])
    await session.add_items([user("4")])
    await session.append_to_block([user("5")], block)

    documents = await stored(mongodb)
    fields = {"_id", "session_id", "generation", "seq", "message_data"}
    # A run's document has a field of our own, too.
    ours = {"agentgraph"}
    assert [set(document) for document in documents] == [fields, fields, fields | ours]
    assert [(it["seq"], len(it["message_data"])) for it in documents] == [(2, 2), (4, 1), (5, 2)]
    (about,) = await mongodb["agent_sessions"].find().to_list()
    assert set(about) == {
        *("_id", "session_id", "created_at", "updated_at"),
        *("_seq", "_generation"),
    }
    assert (about["session_id"], about["_seq"], about["_generation"]) == ("s", 5, 0)
    indexes = {
        name: await mongodb[name].index_information()
        for name in ("agent_sessions", "agent_messages")
    }
    assert indexes["agent_sessions"]["session_id_1"]["unique"]
    assert "session_id_1_generation_1_seq_1" in indexes["agent_messages"]


async def test_the_documents_that_the_sdk_stores_are_read_and_continued(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await mongodb["agent_sessions"].insert_one({"session_id": "s", "_seq": 5})
    first = {"session_id": "s", "seq": 1, "message_data": '{"role":"user","content":"1"}'}
    listed = ['{"role":"user","content":"2"}', '{"role":"user","content":"3"}']
    second = {"session_id": "s", "seq": 3, "generation": 0, "message_data": listed}
    emptied = {"session_id": "s", "seq": 5, "generation": 0, "message_data": []}
    await mongodb["agent_messages"].insert_many([first, second, emptied])
    items: list[Any] = [{"role": "user", "content": text} for text in "123"]

    assert await session.get_items() == items
    assert await session.get_items(2) == items[1:]
    block = await session.adopt_block(items[1:])
    await session.append_to_block([call("c"), output("c")], block)
    for item in [output("c"), call("c"), *reversed(items)]:
        assert await session.pop_item() == item
    assert await session.pop_item() is None
    await mongodb["agent_messages"].insert_one({**first, "_id": ObjectId()})
    assert await session.adopt_block(items[:1]) is None
    await session.clear_session()
    assert await session.get_items() == []
    assert await stored(mongodb) == []


async def test_a_read_with_a_limit_reads_little_else(
    mongodb: AsyncDatabase[Any], mongodb_port: int, session: MongoDBSession
) -> None:
    for number in range(120):
        await session.add_items([user(f"{number}.{part}") for part in range(3)])
    await session.add_items([user(f"last.{part}") for part in range(100)])
    read = _TextsRead()
    own: AsyncMongoClient[Any] = AsyncMongoClient(mongodb_uri(mongodb_port), event_listeners=[read])
    watched = MongoDBSession("s", client=own, database=mongodb.name)

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
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.append_to_block([user("mine")])
    await session.add_items([user("other")])

    async def move(document: dict[str, Any]) -> None:
        if document["seq"] == 1:
            change = {"$push": {"message_data": json.dumps(user("mine too"))}, "$set": {"seq": 9}}
            await mongodb["agent_messages"].update_one({"_id": document["_id"]}, change)

    reader: Any = MongoDBSession("s", client=mongodb.client, database=mongodb.name)
    reader._blocks._messages = _AlongTheIndex(mongodb["agent_messages"], move)

    assert await reader.get_items() == [user("other"), user("mine"), user("mine too")]


class _AlongTheIndex:
    """Reads as a cursor of MongoDB does, which goes along the index as it is at each moment.

    A cursor of the server here goes along the index as it was at first.
    """

    def __init__(self, messages: Any, meanwhile: Callable[[dict[str, Any]], Awaitable[None]]):
        self._messages = messages
        self._meanwhile = meanwhile

    def find(self, selected: dict[str, Any], shown: Any) -> Any:
        self._selected = selected
        return self

    async def sort(self, key: str, direction: int) -> AsyncIterator[dict[str, Any]]:
        after, seen = ("$gt", 0) if direction == 1 else ("$lt", 100)
        while True:
            selected = {**self._selected, key: {after: seen}}
            document = await self._messages.find_one(selected, sort=[(key, direction)])
            if document is None:
                return
            seen = document[key]
            await self._meanwhile(document)
            yield document


async def test_a_history_that_is_cleared_while_it_is_read_is_read_as_empty(
    mongodb: AsyncDatabase[Any],
    mongodb_port: int,
    session: MongoDBSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 300)
    await session.add_items([call("c"), *(user(f"{number}") for number in range(20)), output("c")])
    look, cleared = BlocksOfASession._entries, iter(["once"])

    def entries(blocks: BlocksOfASession, document: Any) -> Any:
        for _ in cleared:
            with MongoClient[Any](mongodb_uri(mongodb_port)) as other:
                place = other[mongodb.name]
                place["agent_sessions"].update_one({}, {"$inc": {"_generation": 1}})
                place["agent_messages"].delete_many({})
        return look(blocks, document)

    monkeypatch.setattr(BlocksOfASession, "_entries", entries)

    assert await session.get_items() == []


@pytest.mark.parametrize(
    ("change", "latest"),
    [
        ({"$pop": {"message_data": 1}}, user("1")),
        ({"$set": {"message_data": [json.dumps(user(n)) for n in "013"], "seq": 9}}, user("3")),
    ],
    ids=["the SDK pops", "a run goes on after that"],
)
async def test_a_pop_takes_the_latest_item_also_when_others_change_its_block_meanwhile(
    mongodb: AsyncDatabase[Any],
    mongodb_port: int,
    session: MongoDBSession,
    change: dict[str, Any],
    latest: Item,
) -> None:
    await session.add_items([user("0"), user("1"), user("2")])
    changes = iter([change])

    def accept(item: Item) -> bool:
        for change in changes:
            with MongoClient[Any](mongodb_uri(mongodb_port)) as other:
                other[mongodb.name]["agent_messages"].update_one({}, change)
        return True

    assert await session.pop_latest(accept) == latest
    assert await session.get_items() == ([user("0")] if latest == user("1") else [*map(user, "01")])


async def test_a_run_beyond_what_a_document_holds_stays_one_block(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
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
    assert await stored(mongodb) == []


async def test_texts_in_parts_are_popped_from_anywhere_and_parts_go_with_their_last_text(
    mongodb: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 500)
    items = [user(f"{number:02}") for number in range(20)]
    await session.add_items(items)
    left = list(items)
    assert len(await stored(mongodb)) > 4

    for number in (19, 12, 13, 10, 3, 18, 0, 11):
        wanted = items[number]
        assert await session.pop_latest(lambda item, wanted=wanted: item == wanted) == wanted
        left.remove(wanted)
        assert await session.get_items() == left
        assert await session.get_items(4) == left[-4:]
    assert '"19"' not in str(await stored(mongodb))
    popped = await asyncio.gather(
        *(
            MongoDBSession("s", client=mongodb.client, database=mongodb.name).pop_item()
            for _ in range(14)
        )
    )
    assert sorted(map(str, popped)) == sorted(map(str, [*left, None, None]))
    assert await stored(mongodb) == []


async def test_of_two_runs_with_one_block_the_second_leaves_nothing_behind(
    mongodb: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 100)
    await session.append_to_block([user("asked")])
    tries = [await session.adopt_block([user("asked")]) for _ in range(2)]
    await session.append_to_block([call("1"), output("1")], tries[0])
    documents = await stored(mongodb)

    with pytest.raises(ConcurrentWrite):
        await session.append_to_block([call("2"), output("2")], tries[1])

    assert await stored(mongodb) == documents
    assert await session.get_items() == [user("asked"), call("1"), output("1")]


async def test_a_block_of_which_all_was_popped_is_still_only_one_runs(
    session: MongoDBSession,
) -> None:
    await session.append_to_block([user("asked")])
    tries = [await session.adopt_block([user("asked")]) for _ in range(2)]
    await session.pop_item()

    block = await session.append_to_block([user("of the first")], tries[0])
    with pytest.raises(ConcurrentWrite):
        await session.append_to_block([user("of the other")], tries[1])
    await session.append_to_block([user("end")], block)

    assert await session.get_items() == [user("of the first"), user("end")]


async def test_a_block_that_the_sdk_has_emptied_goes_on(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    block = await session.append_to_block([user("asked")])
    await mongodb["agent_messages"].update_one({}, {"$set": {"message_data": []}})

    assert await session.get_items() == []
    await session.append_to_block([user("more")], block)

    assert await session.get_items() == [user("more")]


async def test_a_clear_that_was_cut_short_is_a_clear(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    block = await session.append_to_block([user("old")])
    await session.add_items([user("old, too")])
    await mongodb["agent_sessions"].update_one({}, {"$inc": {"_generation": 1}})

    assert await session.get_items() == []
    assert await session.pop_item() is None
    await session.append_to_block([user("new")], block)
    assert await session.get_items() == [user("new")]
    await session.clear_session()
    assert await stored(mongodb) == []


async def test_a_session_whose_document_was_removed_goes_on(
    mongodb: AsyncDatabase[Any], session: MongoDBSession
) -> None:
    await session.add_items([user("1")])
    await mongodb.drop_collection("agent_sessions")
    await mongodb.drop_collection("agent_messages")

    await session.add_items([user("2")])

    assert await session.get_items() == [user("2")]


async def test_whoever_reads_while_others_write_pop_and_clear_sees_whole_turns(
    mongodb: AsyncDatabase[Any], session: MongoDBSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(INLINE_BYTES, 300)

    async def run(name: int) -> None:
        own, block = MongoDBSession("s", client=mongodb.client, database=mongodb.name), None
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
    assert await stored(mongodb) == []
