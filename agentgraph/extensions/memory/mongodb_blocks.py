"""The documents of one session in MongoDB: reading, writing and removing.

A write first takes a number from the session's document. Then one write of one document stores all
its items. This needs no transaction, and so no replica set. `mongodb_documents` describes the
documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.extensions.memory.mongodb_documents import (
    Document,
    entries_of,
    is_of_a_session,
    latest_blocks,
    of_generation,
    of_older_generations,
    part_of,
)
from agentgraph.memory.encoding import decode_item
from agentgraph.memory.errors import MissingExtra, SessionError

try:
    from pymongo import ReturnDocument
    from pymongo.errors import DuplicateKeyError
except ImportError as error:
    raise MissingExtra("MongoDBSession", "mongodb") from error

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

    from agentgraph.items import TResponseInputItem
    from agentgraph.memory.session import Accept

__all__ = ["BlocksOfASession", "StoredItem"]

_MAX_COUNT = 2**31 - 1
"""The largest number of list entries that MongoDB accepts in a query."""


class StoredItem(NamedTuple):
    """An item in a block.

    Attributes:
        item: The item.
        document: The document of the block, as read: whole, or with only the last entry of its
            list, if that has the item.
        place: The index of the item in the whole list.
        length: The number of entries of the whole list.
        damaged: How many damaged texts are after it.
    """

    item: TResponseInputItem
    document: Document
    place: int
    length: int
    damaged: int = 0


class BlocksOfASession:
    """The documents of one session.

    Args:
        session_id: The name of the conversation.
        label: The session's name in messages.
        sessions: The collection with one document per conversation.
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

    async def latest_texts(self, count: int | None) -> tuple[list[str | None], bool]:
        """Return the latest texts, oldest first, and whether there are no others.

        Args:
            count: How many texts; None means all. A non-text entry yields None and still counts.
        """
        if count is not None and count > _MAX_COUNT:
            count = None
        generation = await self._generation()
        while True:
            entries, complete = await self._latest_entries(generation, count)
            texts = await self._texts(entries if count is None else entries[-count:])
            # If a part is missing, the session may have been cleared since its entry was read.
            previous = generation
            if None not in texts or previous == (generation := await self._generation()):
                return texts, complete

    async def find(self, accept: Accept) -> StoredItem | None:
        """Return the latest item that `accept` accepts."""
        criteria = of_generation(self._session_id, await self._generation())
        cursor = await self._messages.aggregate(latest_blocks(criteria, 1))
        for document in await cursor.to_list():
            text = self._entries(document)[-1]
            item = decode_item(text) if isinstance(text, str) else None
            length = document["length"]
            if item is not None and accept(item):
                return StoredItem(item, document, length - 1, length=length)
        damaged = 0
        async for document in self._messages.find(criteria).sort("seq", -1):
            entries = self._entries(document)
            for place in range(len(entries) - 1, -1, -1):
                (text,) = await self._texts([entries[place]])
                item = decode_item(text)
                damaged += item is None
                if item is not None and accept(item):
                    return StoredItem(item, document, place, length=len(entries), damaged=damaged)
        return None

    async def remove(self, stored: StoredItem) -> bool:
        """Remove an item; return False, without a change, if its block has changed since."""
        _, document, place, length, _ = stored
        entries = self._entries(document)
        unchanged = {name: document.get(name) for name in ("_id", "seq", "popped", "message_data")}
        change: Document = {"$set": {"message_data": [*entries[:place], *entries[place + 1 :]]}}
        if isinstance(document["message_data"], list):
            # Every change of a list also changes `seq`, `popped` or its length.
            unchanged["message_data"] = {"$size": length}
            if place == length - 1:
                change = {"$pop": {"message_data": 1}}
        update = await self._messages.update_one(unchanged, {**change, "$inc": {"popped": 1}})
        if not update.matched_count:
            return False
        if length == 1:
            await self._messages.delete_one({"_id": document["_id"], "message_data": []})
        if (part := part_of(entries[min(place, len(entries) - 1)])) is not None:
            await self._messages.delete_one({"_id": part})
        return True

    async def clear(self) -> None:
        """Remove all items. They are gone as soon as the generation is counted up; then delete
        their documents."""
        session = await self._counted({"_generation": 1})
        older = of_older_generations(self._session_id, session["_generation"])
        await self._messages.delete_many(older)

    async def _prepare(self) -> None:
        """Before the first write, make the indexes and the session's document, unless the document
        exists. Another program's document is refused unchanged."""
        if self._prepared or await self._session() is not None:
            return
        await self._sessions.create_index("session_id", unique=True)
        await self._messages.create_index(["session_id", "generation", "seq"])
        new = {"created_at": datetime.now(UTC), "_seq": 0, "_generation": 0}
        # Another writer may have inserted it meanwhile.
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
        """Add to the numbers of the session's document, and return the new document."""
        change = {"$inc": add, "$set": {"updated_at": datetime.now(UTC)}}
        while True:
            await self._prepare()
            session = await self._sessions.find_one_and_update(
                {"session_id": self._session_id}, change, return_document=ReturnDocument.AFTER
            )
            if session is not None:
                return session
            # Another process has removed it.
            self._prepared = False

    async def _latest_entries(self, generation: int, count: int | None) -> tuple[list[Any], bool]:
        """Return the entries of the latest blocks, oldest first, and whether there are no others.

        They are at least `count` entries, if there are so many; None means all.
        """
        criteria, projection, complete = of_generation(self._session_id, generation), None, True
        if count is not None:
            projection = {"message_data": {"$slice": -count}}
            cursor = await self._messages.aggregate(latest_blocks(criteria, count))
            total = 0
            async for document in cursor:
                self._entries(document)
                total += document["length"]
                if total >= count:
                    criteria["seq"] = {"$gte": document["seq"]}
                    complete = False
                    break
            await cursor.close()
        blocks: dict[Any, list[Any]] = {}
        async for document in self._messages.find(criteria, projection).sort("seq", 1):
            # A block that moves to the end meanwhile comes twice; the second time counts. In this
            # order the cursor misses no block.
            blocks.pop(document["_id"], None)
            blocks[document["_id"]] = self._entries(document)
        return [entry for entries in blocks.values() for entry in entries], complete

    async def _texts(self, entries: Sequence[Any]) -> list[str | None]:
        """Return the texts of list entries; None for an entry without a text."""
        texts: dict[str | None, Any] = {}
        if ids := [part for part in map(part_of, entries) if part is not None]:
            async for document in self._messages.find({"_id": {"$in": ids}}):
                (texts[document["_id"]],) = self._entries(document)
        stored = (texts.get(part_of(it)) if isinstance(it, dict) else it for it in entries)
        return [text if isinstance(text, str) else None for text in stored]

    def _entries(self, document: Document) -> list[Any]:
        if not is_of_a_session(document):
            raise self._foreign(self._messages)
        return entries_of(document)

    def _foreign(self, collection: AsyncCollection[Document]) -> SessionError:
        return SessionError(
            f"{self._label}: the collection {collection.full_name!r} holds a document with this "
            "session id that is damaged or belongs to another program; nothing was changed; choose "
            "another session id or collection, or remove the document"
        )
