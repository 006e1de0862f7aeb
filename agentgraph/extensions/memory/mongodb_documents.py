"""The documents of a conversation in MongoDB, under the SDK's names.

    sessions   one document per conversation: session_id, created_at, updated_at,
               _seq (the latest number used), _generation (how often it was cleared)
    messages   one document per block, which a run or a call of `add_items` stores: session_id,
               generation, seq (its number, which gives the order), message_data (a list of JSON
               texts), popped (how many of them were removed); and in that of a run a field of our
               own, `agentgraph`: run_id, position (the number of its saves), write (the name of the
               latest one), owner (the process in which the run is at work), size (of the texts)

MongoDB writes one document completely or not at all, on a single server as well, so a block can
grow and move to the end in one step. A document can have 16 MB. Each text of a block beyond
`INLINE_BYTES` is in a document of its own, a part, to which the list refers. A part is written
before a list refers to it and never changes, so the list alone decides what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = [
    "INLINE_BYTES",
    "LARGEST_TEXT",
    "OURS",
    "Document",
    "entries_of",
    "fitting",
    "is_of_a_session",
    "latest_blocks",
    "of_generation",
    "of_older_generations",
    "part_generation",
    "part_of",
    "size_of",
]

Document = dict[str, Any]

OURS = "agentgraph"
"""The field of a run's document that records its saves."""

INLINE_BYTES = 8 * 2**20
"""The largest size of the texts in a block's own document, in bytes."""

LARGEST_TEXT = 16 * 2**20 - 64 * 2**10
"""The largest size of a text, in bytes, for which MongoDB accepts a document with it."""

_OVERHEAD = 16
"""The largest number of bytes that a list adds to a text."""


def fitting(texts: Sequence[str], size: int) -> tuple[int, int]:
    """Return how many of the texts fit in a document that has `size` bytes, and its size then."""
    for count, text in enumerate(texts):
        larger = size + len(text) + _OVERHEAD
        if larger > INLINE_BYTES:
            return count, size
        size = larger
    return len(texts), size


def size_of(entries: Iterable[Any]) -> int:
    """Return the size of the texts of a list in its document, in bytes."""
    return sum(len(entry.encode()) + _OVERHEAD for entry in entries if isinstance(entry, str))


def part_of(entry: object) -> str | None:
    """Return the id of the part to which a list entry refers; None if it refers to none."""
    part = entry.get("part") if isinstance(entry, Mapping) else None
    return part if isinstance(part, str) else None


def is_of_a_session(document: Mapping[str, Any]) -> bool:
    """Return whether a document of `messages` has the form of a session's document."""
    has_number = isinstance(document.get("seq"), int | float)
    return has_number and isinstance(document.get("message_data"), list | str)


def entries_of(document: Mapping[str, Any]) -> list[Any]:
    """Return the entries of a document of `messages`; the SDK's oldest documents have one text."""
    entries = document["message_data"]
    return entries if isinstance(entries, list) else [entries]


def of_generation(session_id: str, generation: int) -> Document:
    """Return a filter for a session's blocks. The SDK's oldest documents have no generation."""
    condition = {"$in": [0, None]} if generation == 0 else generation
    return {"session_id": session_id, "generation": condition, "message_data": {"$ne": []}}


def part_generation(generation: int) -> int:
    """Return the `generation` of parts: a number that no block has."""
    return -1 - generation


def of_older_generations(session_id: str, generation: int) -> Document:
    """Return a filter for the blocks and parts of a session from before its latest clear."""
    older = {"$gt": part_generation(generation), "$lt": generation}
    without_generation = {"generation": None, "message_data": {"$exists": True}}
    return {"session_id": session_id, "$or": [{"generation": older}, without_generation]}


def latest_blocks(criteria: Document, count: int) -> list[Document]:
    """Return a pipeline for the latest blocks, the latest first: `length` is the number of their
    entries, and `message_data` has only the last entry."""
    entries = "$message_data"
    is_list = {"$isArray": entries}
    fields = {
        "seq": 1,
        "popped": 1,
        "length": {"$cond": [is_list, {"$size": entries}, 1]},
        "message_data": {"$cond": [is_list, {"$slice": [entries, -1]}, entries]},
    }
    return [{"$match": criteria}, {"$sort": {"seq": -1}}, {"$limit": count}, {"$project": fields}]
