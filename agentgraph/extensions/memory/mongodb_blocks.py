"""The documents of one session in MongoDB: reading, writing, taking away.

A write takes a number from the document of the session and then writes one document, which is the
write. Nothing here needs a transaction, and so no replica set. `mongodb_documents` says what is in
the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from agentgraph.extensions.memory.mongodb_documents import (
    Document,
    MongoBlock,
    Place,
    batches,
    entries_of,
    fitting,
    is_of_a_session,
    latest_blocks,
    of_generation,
    of_older_generations,
    part_generation,
    places,
    range_of,
    size_of,
    without,
)
from agentgraph.memory.encoding import decode_item
from agentgraph.memory.errors import MissingExtra, SessionError
from agentgraph.memory.runs.blocks import ConcurrentWrite

try:
    from bson import ObjectId
    from pymongo import ReturnDocument
    from pymongo.errors import DuplicateKeyError
except ImportError as error:
    raise MissingExtra("MongoDBSession", "mongodb") from error

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

__all__ = ["BlocksOfASession", "Found"]

_MOST = 2**31 - 1
"""How far MongoDB counts the entries of a list."""


class Found(NamedTuple):
    """An item in a block.

    Attributes:
        item: The item.
        document: The document of the block, as it was read: as a whole, or of its list the end.
        listed: How many entries the list has.
        place: Where the item is; None if it is the last entry.
    """

    item: TResponseInputItem
    document: Document
    listed: int
    place: Place | None = None


class BlocksOfASession:
    """What MongoDB has of one session.

    Args:
        session_id: The name of the conversation.
        label: How to name the session in a message.
        sessions: The collection with a document per conversation.
        messages: The collection with the items.
    """

    def __init__(
        self,
        session_id: str,
        label: str,
        sessions: AsyncCollection[Document],
        messages: AsyncCollection[Document],
    ) -> None:
        self._session_id = session_id
        self._label = label
        self._sessions = sessions
        self._messages = messages
        self._prepared = False

    async def latest_texts(self, wanted: int | None) -> tuple[list[str | None], bool]:
        """Return the latest texts, oldest first, and whether there are no others.

        Args:
            wanted: How many; None: all. What is no text is None, and counts.
        """
        if wanted is not None and wanted > _MOST:
            wanted = None
        generation = await self._generation()
        while True:
            entries, complete = await self._latest_entries(generation, wanted)
            texts = await self._texts(entries, islice(places(entries), wanted))
            # Where a part is gone, the session may have been cleared since its name was read.
            known = generation
            if None not in texts or known == (generation := await self._generation()):
                return texts, complete

    async def latest_block(self) -> tuple[MongoBlock, list[str | None]] | None:
        """Return the latest block and its texts, if a run may go on with it."""
        selected = of_generation(self._session_id, await self._generation())
        document = await self._messages.find_one(selected, sort=[("seq", -1)])
        if document is None:
            return None
        entries = self._entries(document)
        if not isinstance(document["message_data"], list):
            return None
        block = MongoBlock(document["_id"], document["seq"], size_of(entries))
        return block, await self._texts(entries, places(entries))

    async def append(self, texts: Sequence[str], block: MongoBlock | None) -> MongoBlock:
        """Append texts to a block, and the block to the end if others have written after it.

        Args:
            texts: At least one.
            block: The block as its run knows it; None begins one.

        Raises:
            ConcurrentWrite: Somebody has gone on with it since; nothing was stored.
        """
        session = await self._counted({"_seq": len(texts)})
        generation = session.get("_generation", 0)
        known = block or MongoBlock(ObjectId(), 0, 0)
        count, size = fitting(texts, known.size)
        ranges = await self._store_parts(texts[count:], generation)
        entries = [*texts[:count], *ranges]
        written = MongoBlock(known.id, session["_seq"], size)
        if block is None:
            await self._insert(written, entries, generation)
        elif not await self._extend(block, written.seq, entries, generation):
            try:
                await self._insert_again(written, entries, generation)
            except ConcurrentWrite:
                await self._messages.delete_many({"_id": {"$in": [it["part"] for it in ranges]}})
                raise
        return written

    async def find(self, accept: Accept) -> Found | None:
        """Return the latest item that is accepted."""
        selected = of_generation(self._session_id, await self._generation())
        cursor = await self._messages.aggregate(latest_blocks(selected, 1))
        for document in await cursor.to_list():
            text = self._entries(document)[-1]
            item = decode_item(text) if isinstance(text, str) else None
            if item is not None and accept(item):
                return Found(item, document, document["listed"])
        async for document in self._messages.find(selected).sort("seq", -1):
            entries = self._entries(document)
            for place in places(entries):
                (text,) = await self._texts(entries, [place])
                item = decode_item(text)
                if item is not None and accept(item):
                    return Found(item, document, len(entries), place)
        return None

    async def take(self, found: Found) -> bool:
        """Take an item away; returns False, and does nothing, if its block has changed since."""
        document, place = found.document, found.place
        entries = self._entries(document)
        unchanged = {name: document.get(name) for name in ("_id", "seq", "popped", "message_data")}
        rest: list[Any] = [] if place is None else without(entries, place)
        if isinstance(document["message_data"], list):
            # Nobody changes a list without changing one of these.
            unchanged["message_data"] = {"$size": found.listed}
        if place is None and found.listed > 1:
            change: Document = {"$pop": {"message_data": 1}}
        else:
            change = {"$set": {"message_data": rest}}
        done = await self._messages.update_one(unchanged, {**change, "$inc": {"popped": 1}})
        if not done.matched_count:
            return False
        if found.listed == 1 and not rest:
            await self._messages.delete_one({"_id": document["_id"], "message_data": []})
        if place is not None and place.part is not None:
            if any(left.part == place.part for left in places(rest)):
                gone = {"$set": {f"message_data.{place.position}": None}}
                await self._messages.update_one({"_id": place.part}, gone)
            else:
                await self._messages.delete_one({"_id": place.part})
        return True

    async def clear(self) -> None:
        """Take everything away, which is done when it is counted; then what is left is removed."""
        session = await self._counted({"_generation": 1})
        older = of_older_generations(self._session_id, session["_generation"])
        await self._messages.delete_many(older)

    async def _prepare(self) -> None:
        """Before the first write: make the document of the session and, for the first session of
        all, the indexes; leave alone what another program has."""
        if self._prepared or await self._session() is not None:
            return
        await self._sessions.create_index("session_id", unique=True)
        await self._messages.create_index(["session_id", "generation", "seq"])
        new = {"created_at": datetime.now(UTC), "_seq": 0, "_generation": 0}
        # Another writer may have been faster.
        with suppress(DuplicateKeyError):
            await self._sessions.insert_one({"session_id": self._session_id, **new})
        await self._session()

    async def _session(self) -> Document | None:
        document = await self._sessions.find_one({"session_id": self._session_id})
        if document is not None:
            numbers = (document.get("_seq"), document.get("_generation", 0))
            if not all(isinstance(number, int) for number in numbers):
                raise self._foreign(self._sessions)
            self._prepared = True
        return document

    async def _generation(self) -> int:
        session = await self._session()
        return 0 if session is None else session.get("_generation", 0)

    async def _counted(self, add: Document) -> Document:
        """Add to the numbers of the session's document, and return what it is then."""
        change = {"$inc": add, "$set": {"updated_at": datetime.now(UTC)}}
        while True:
            await self._prepare()
            session = await self._sessions.find_one_and_update(
                {"session_id": self._session_id}, change, return_document=ReturnDocument.AFTER
            )
            if session is not None:
                return session
            # Somebody has removed it.
            self._prepared = False

    async def _latest_entries(self, generation: int, wanted: int | None) -> tuple[list[Any], bool]:
        """Return the entries of the latest blocks, oldest first, and whether that is all."""
        selected, shown, complete = of_generation(self._session_id, generation), None, True
        if wanted is not None:
            shown = {"message_data": {"$slice": -wanted}}
            cursor = await self._messages.aggregate(latest_blocks(selected, wanted))
            count = 0
            async for document in cursor:
                self._entries(document)
                count += document["listed"]
                if count >= wanted:
                    selected["seq"] = {"$gte": document["seq"]}
                    complete = False
                    break
            await cursor.close()
        found: dict[Any, list[Any]] = {}
        async for document in self._messages.find(selected, shown).sort("seq", 1):
            # A block that went to the end meanwhile comes again there. In this direction none is
            # missed.
            found.pop(document["_id"], None)
            found[document["_id"]] = self._entries(document)
        return [entry for entries in found.values() for entry in entries], complete

    async def _texts(self, entries: Sequence[Any], chosen: Iterable[Place]) -> list[str | None]:
        """Return the texts in some places, the latest of which come first, oldest first."""
        chosen = list(chosen)
        named = list({place.part for place in chosen if place.part is not None})
        parts: dict[Any, list[Any]] = {}
        if named:
            async for document in self._messages.find({"_id": {"$in": named}}):
                parts[document["_id"]] = self._entries(document)
        texts = []
        for place in reversed(chosen):
            listed = entries if place.part is None else parts.get(place.part, ())
            position = place.entry if place.part is None else place.position
            text = listed[position] if position < len(listed) else None
            texts.append(text if isinstance(text, str) else None)
        return texts

    async def _store_parts(self, texts: Sequence[str], generation: int) -> list[Document]:
        """Store texts in documents of their own, and return what stands for them in a list."""
        ranges = []
        for batch in batches(texts):
            part = uuid4().hex
            await self._messages.insert_one(
                {
                    "_id": part,
                    "session_id": self._session_id,
                    "generation": part_generation(generation),
                    "seq": 0,
                    "message_data": list(batch),
                }
            )
            ranges.append(range_of(part, 0, len(batch)))
        return ranges

    async def _extend(
        self, block: MongoBlock, seq: int, entries: list[Any], generation: int
    ) -> bool:
        """Append to the document of a block, if it is there and as its run knows it."""
        mine = {**of_generation(self._session_id, generation), "_id": block.id, "seq": block.seq}
        del mine["message_data"]
        change = {"$push": {"message_data": {"$each": entries}}, "$set": {"seq": seq}}
        return bool((await self._messages.update_one(mine, change)).matched_count)

    async def _insert(self, block: MongoBlock, entries: list[Any], generation: int) -> None:
        await self._messages.insert_one(
            {
                "_id": block.id,
                "session_id": self._session_id,
                "generation": generation,
                "seq": block.seq,
                "message_data": entries,
            }
        )

    async def _insert_again(self, block: MongoBlock, entries: list[Any], generation: int) -> None:
        """Begin a block anew of which all was popped or cleared.

        Under the same id, so that of two runs that share it only one can.
        """
        while True:
            try:
                return await self._insert(block, entries, generation)
            except DuplicateKeyError as error:
                # A clear that was cut short may have left it.
                older = of_older_generations(self._session_id, generation)
                left = await self._messages.delete_one({**older, "_id": block.id})
                if not left.deleted_count:
                    raise ConcurrentWrite from error

    def _entries(self, document: Document) -> list[Any]:
        if not is_of_a_session(document):
            raise self._foreign(self._messages)
        return entries_of(document)

    def _foreign(self, collection: AsyncCollection[Document]) -> SessionError:
        return SessionError(
            f"{self._label}: the collection {collection.full_name!r} holds a document with this "
            "session id that is damaged or of another program; nothing was changed; choose another "
            "session id or collection, or remove the document"
        )
