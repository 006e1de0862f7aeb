"""Saving to the documents of one session in MongoDB.

A write first takes a number from the session's document. Then one write of one document stores all
its items. The document of a run has a record of its saves: a writer changes it only if the record
is as it was read, so of two writers with the same key one finds the other's save.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from agentgraph.extensions.memory.mongodb_blocks import BlocksOfASession
from agentgraph.extensions.memory.mongodb_documents import (
    OURS,
    Document,
    fitting,
    of_generation,
    of_older_generations,
    part_generation,
    size_of,
)
from agentgraph.memory.encoding import decode_items
from agentgraph.memory.errors import MissingExtra
from agentgraph.memory.runs.saves import Block, adopted, is_repeated

try:
    from bson import ObjectId
    from pymongo.errors import DuplicateKeyError
except ImportError as error:
    raise MissingExtra("MongoDBSession", "mongodb") from error

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["SavedBlocks"]


class SavedBlocks(BlocksOfASession):
    """The documents of one session, and the saves of runs to them."""

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
            ours = None if block is None else _ours(block, block.write_of(texts), size)
            if document is None:
                written = await self._insert(block, seq, entries, ours, generation)
            else:
                written = await self._extend(document, seq, entries, ours, generation)
            if written:
                return
            # Another run, or another attempt, has changed the document since: look again.
            await self._messages.delete_many({"_id": {"$in": parts}})

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
        self,
        document: Document,
        seq: int,
        entries: list[Any],
        ours: Document | None,
        generation: int,
    ) -> bool:
        """Append to the document of a block, if it is as the run's latest write left it."""
        mine = {
            "_id": document["_id"],
            "generation": generation or {"$in": [0, None]},
            f"{OURS}.position": document[OURS]["position"],
        }
        change = {"$push": {"message_data": {"$each": entries}}, "$set": {"seq": seq, OURS: ours}}
        return bool((await self._messages.update_one(mine, change)).matched_count)

    async def _insert(
        self,
        block: Block | None,
        seq: int,
        entries: list[Any],
        ours: Document | None,
        generation: int,
    ) -> bool:
        """Insert the document of a block, also again after all of it was popped or cleared; return
        False if it exists."""
        document = {
            "_id": ObjectId() if block is None else self._id(block),
            "session_id": self._session_id,
            "generation": generation,
            "seq": seq,
            "message_data": entries,
            **({} if ours is None else {OURS: ours}),
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
