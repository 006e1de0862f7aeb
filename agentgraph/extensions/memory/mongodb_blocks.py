"""The documents of one session in MongoDB: reading, writing and removing.

A write first takes a number from the session's document. Then one write of one document stores all
its items. This needs no transaction, and so no replica set. The document of a run has a record of
its saves: a writer changes it only if the record is as it was read, so of two writers with the same
key one finds the other's save. `mongodb_documents` describes the documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agentgraph.extensions.memory.mongodb_documents import (
    OURS,
    Document,
    entries_of,
    fitting,
    is_of_a_session,
    latest_blocks,
    of_generation,
    of_older_generations,
    part_generation,
    part_of,
    size_of,
)
from agentgraph.memory.encoding import decode_items
from agentgraph.memory.errors import MissingExtra, SessionError
from agentgraph.memory.runs.saves import Block, adopted, is_repeated

try:
    from bson import ObjectId
    from pymongo import ReturnDocument
    from pymongo.errors import DuplicateKeyError
except ImportError as error:
    raise MissingExtra("MongoDBSession", "mongodb") from error

if TYPE_CHECKING:
    from pymongo.asynchronous.collection import AsyncCollection

    from agentgraph.items import TResponseInputItem

__all__ = ["BlocksOfASession"]

_MAX_COUNT = 2**31 - 1
"""The largest number of list entries that MongoDB accepts in a query."""


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

    async def adopt(self, items: list[TResponseInputItem], own: Block) -> Block | None:
        """Return the latest block if it holds these items and a run may continue it, else None.

        Raises:
            ConcurrentWrite: Another run of this process works on it.
        """
        while True:
            criteria = of_generation(self._session_id, await self._generation())
            document = await self._messages.find_one(criteria, sort=[("seq", -1)])
            if document is None:
                return None
            entries = self._entries(document)
            texts = await self._texts(entries)
            if decode_items(texts) != items or not isinstance(document["message_data"], list):
                return None
            here = {"_id": document["_id"], "seq": document["seq"], OURS: document.get(OURS)}
            saves, block = here[OURS], own.saved()
            if saves is None:
                ours = _ours(own, "", size_of(entries))
            else:
                run_id, position, owner = saves["run_id"], saves["position"] - 1, saves["owner"]
                adoption = adopted([(run_id, position, owner, [0])], [0], own)
                block, ours = adoption or block, {**saves, "owner": own.owner}
            change = {"$set": {OURS: ours}}
            # If another run has taken it since, look again.
            if (await self._messages.update_one(here, change)).matched_count:
                return block

    async def release(self, block: Block) -> None:
        """Record that no run of this process works on a block any more."""
        mine = {"session_id": self._session_id, f"{OURS}.run_id": block.run_id}
        change = {"$set": {f"{OURS}.owner": ""}}
        await self._messages.update_one({**mine, f"{OURS}.owner": block.owner}, change)

    async def append(self, texts: Sequence[str], block: Block | None) -> None:
        """Append texts to a block; first move the block to the end if others wrote after it.

        Args:
            texts: At least one text.
            block: The block; None stores texts of no run.

        Raises:
            ConcurrentWrite: Another run has written to the block; nothing was stored.
        """
        while True:
            document = None if block is None else await self._document_of(block)
            if document is not None and block is not None:
                saves = document[OURS]
                if saves["position"] > block.position:
                    is_latest = saves["position"] == block.position + 1
                    is_repeated(saves["write"] if is_latest else "", block.write_of(texts))
                    return
            session = await self._counted({"_seq": len(texts)})
            generation, seq = session.get("_generation", 0), session["_seq"]
            count, size = fitting(texts, 0 if document is None else document[OURS]["size"])
            parts = await self._store_parts(texts[count:], generation)
            entries = [*texts[:count], *({"part": part} for part in parts)]
            fields: Document = {"seq": seq}
            if block is not None:
                fields[OURS] = _ours(block, block.write_of(texts), size)
            if document is None:
                written = await self._insert(block, {**fields, "message_data": entries}, generation)
            else:
                written = await self._extend(document, fields, entries, generation)
            if written:
                return
            # Another run, or another attempt, has changed the document since: look again.
            await self._messages.delete_many({"_id": {"$in": parts}})

    async def remove(self, place: int, text: str | bytes) -> bool:
        """Remove a text, if it is still in this place, counted from the end of all blocks; return
        whether it was."""
        criteria = of_generation(self._session_id, await self._generation())
        cursor = await self._messages.aggregate(latest_blocks(criteria, place))
        async for document in cursor:
            length = document["length"]
            if place <= length:
                break
            place -= length
        else:
            return False
        await cursor.close()
        if place > 1:
            # The pipeline gives only the last entry of a block.
            document = await self._messages.find_one({"_id": document["_id"]}) or document
        entries = self._entries(document)
        if place > 1 and len(entries) != length:
            return False
        if await self._texts([entries[-place]]) != [text]:
            return False
        unchanged = {name: document.get(name) for name in ("_id", "seq", "popped", "message_data")}
        change: Document = {
            "$set": {"message_data": [*entries[:-place], *entries[length - place + 1 :]]}
        }
        if isinstance(document["message_data"], list):
            # Every change of a list also changes `seq`, `popped` or its length.
            unchanged["message_data"] = {"$size": length}
            if place == 1:
                change = {"$pop": {"message_data": 1}}
        update = await self._messages.update_one(unchanged, {**change, "$inc": {"popped": 1}})
        if not update.matched_count:
            return False
        if length == 1:
            await self._messages.delete_one({"_id": document["_id"], "message_data": []})
        if (part := part_of(entries[-place])) is not None:
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

    async def _store_parts(self, texts: Sequence[str], generation: int) -> list[str]:
        """Store texts in documents of their own, and return the ids of these."""
        documents = [
            {
                "_id": uuid4().hex,
                "session_id": self._session_id,
                "generation": part_generation(generation),
                "seq": 0,
                "message_data": [text],
            }
            for text in texts
        ]
        if documents:
            await self._messages.insert_many(documents)
        return [str(document["_id"]) for document in documents]

    async def _document_of(self, block: Block) -> Document | None:
        """Return the document of a run, without its texts."""
        criteria = of_generation(self._session_id, await self._generation())
        del criteria["message_data"]
        own = await self._messages.find_one({**criteria, "_id": self._id(block)}, {OURS: 1})
        if own is not None or not block.position:
            return own
        # A run that adopted a block of no run has the document of that block.
        return await self._messages.find_one(
            {**criteria, f"{OURS}.run_id": block.run_id}, {OURS: 1}
        )

    def _id(self, block: Block) -> ObjectId:
        """Return the id of the document that a run inserts; only one writer can insert it."""
        digest = blake2b(digest_size=12)
        for part in (self._session_id.encode(), block.run_id.encode()):
            digest.update(b"%d:" % len(part) + part)
        return ObjectId(digest.digest())

    async def _extend(
        self, document: Document, fields: Document, entries: list[Any], generation: int
    ) -> bool:
        """Append to the document of a block, if it is as the run's latest write left it."""
        mine = {
            "_id": document["_id"],
            "generation": generation or {"$in": [0, None]},
            f"{OURS}.position": document[OURS]["position"],
        }
        change = {"$push": {"message_data": {"$each": entries}}, "$set": fields}
        return bool((await self._messages.update_one(mine, change)).matched_count)

    async def _insert(self, block: Block | None, fields: Document, generation: int) -> bool:
        """Insert the document of a block, also again after all of it was popped or cleared; return
        False if it exists."""
        document = {
            "_id": ObjectId() if block is None else self._id(block),
            "session_id": self._session_id,
            "generation": generation,
            **fields,
        }
        while True:
            try:
                await self._messages.insert_one(document)
                return True
            except DuplicateKeyError:
                # A clear that was interrupted may have left the document.
                older = of_older_generations(self._session_id, generation)
                deletion = await self._messages.delete_one({**older, "_id": document["_id"]})
                if not deletion.deleted_count:
                    return False


def _ours(block: Block, write: str, size: int) -> Document:
    """Return the record of a run's saves after the next one."""
    return {
        "run_id": block.run_id,
        "position": block.position + 1,
        "write": write,
        "owner": block.owner,
        "size": size,
    }
