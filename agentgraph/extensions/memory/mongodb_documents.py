"""How a conversation lies in MongoDB, under the names of the SDK.

    sessions   one document per conversation: session_id, created_at, updated_at,
               _seq (the latest number given), _generation (how often it was cleared)
    messages   one document per block, what a run or a call of `add_items` has stored: session_id,
               generation, seq (its number, which gives the order), message_data (a list of JSON
               texts), popped (how many of them were taken away)

MongoDB writes one document completely or not at all, on a single server as well, so a block can
grow and go to the end in one step. A document holds 16 MB. What a block has beyond `INLINE_BYTES`
lies in documents of its own, its parts; in their place the list has ranges of them. A part is
written before a list names it and does not grow, so the list alone decides what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = [
    "INLINE_BYTES",
    "LARGEST_TEXT",
    "Document",
    "MongoBlock",
    "Place",
    "batches",
    "entries_of",
    "fitting",
    "is_of_a_session",
    "latest_blocks",
    "of_generation",
    "of_older_generations",
    "part_generation",
    "places",
    "range_of",
    "size_of",
    "without",
]

Document = dict[str, Any]

INLINE_BYTES = 8 * 2**20
"""How many bytes of texts a block has in its own document."""

LARGEST_TEXT = 16 * 2**20 - 64 * 2**10
"""How many bytes a text may have, so that MongoDB takes a document with it."""

_OVERHEAD = 16
"""Bytes around a text in a list, at most."""


class MongoBlock(NamedTuple):
    """The block of a run.

    Attributes:
        id: Of its document.
        seq: The number of its latest write; whoever writes next gives it another one.
        size: How many bytes of texts its document has, at most.
    """

    id: Any
    seq: int
    size: int


class Place(NamedTuple):
    """Where a text of a block is.

    Attributes:
        entry: The position of the list's entry.
        part: The part that has it; None if the entry is the text.
        position: The position in the part.
    """

    entry: int
    part: str | None = None
    position: int = 0


def fitting(texts: Sequence[str], size: int) -> tuple[int, int]:
    """Return how many texts a document takes that has `size` bytes, and its bytes with them."""
    for count, text in enumerate(texts):
        larger = size + len(text) + _OVERHEAD
        if larger > INLINE_BYTES:
            return count, size
        size = larger
    return len(texts), size


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split texts for parts; one that is larger than a part should be is alone."""
    while texts:
        count = max(1, fitting(texts, 0)[0])
        yield texts[:count]
        texts = texts[count:]


def size_of(entries: Iterable[Any]) -> int:
    """Return how many bytes the texts of a list take in its document."""
    return sum(len(entry.encode()) + _OVERHEAD for entry in entries if isinstance(entry, str))


def range_of(part: str, start: int, count: int) -> Document:
    """Return the entry of a list that stands for some texts of a part."""
    return {"part": part, "start": start, "count": count}


def is_of_a_session(document: Mapping[str, Any]) -> bool:
    """Whether a document of messages is one that a session has stored."""
    numbered = isinstance(document.get("seq"), int | float)
    return numbered and isinstance(document.get("message_data"), list | str)


def entries_of(document: Mapping[str, Any]) -> list[Any]:
    """Return what a document of messages lists; the oldest ones of the SDK have one text."""
    stored = document["message_data"]
    return stored if isinstance(stored, list) else [stored]


def places(entries: Sequence[Any]) -> Iterator[Place]:
    """Go through the places of a list's texts, the latest first."""
    for index in range(len(entries) - 1, -1, -1):
        match entries[index]:
            case {"part": str(part), "start": int(start), "count": int(count)}:
                for position in range(start + count - 1, start - 1, -1):
                    yield Place(index, part, position)
            case _:
                yield Place(index)


def without(entries: Sequence[Any], place: Place) -> list[Any]:
    """Return a list without the text in one place."""
    kept: list[Any] = []
    if place.part is not None:
        start, count = entries[place.entry]["start"], entries[place.entry]["count"]
        after = place.position + 1
        ranges = ((start, place.position - start), (after, start + count - after))
        kept = [range_of(place.part, begin, length) for begin, length in ranges if length]
    return [*entries[: place.entry], *kept, *entries[place.entry + 1 :]]


def of_generation(session_id: str, generation: int) -> Document:
    """Select the blocks of a session; the oldest documents of the SDK name no generation."""
    wanted = {"$in": [0, None]} if generation == 0 else generation
    return {"session_id": session_id, "generation": wanted, "message_data": {"$ne": []}}


def part_generation(generation: int) -> int:
    """Return what parts have in place of a generation: a number that no block has."""
    return -1 - generation


def of_older_generations(session_id: str, generation: int) -> Document:
    """Select the blocks and parts of a session from before it was cleared the last time."""
    older = {"$gt": part_generation(generation), "$lt": generation}
    unnamed = {"generation": None, "message_data": {"$exists": True}}
    return {"session_id": session_id, "$or": [{"generation": older}, unnamed]}


def latest_blocks(selected: Document, count: int) -> list[Document]:
    """Return a pipeline for the latest blocks, latest first: how many entries they have, and of
    those only the last."""
    stored = "$message_data"
    listed = {"$isArray": stored}
    shown = {
        "seq": 1,
        "popped": 1,
        "listed": {"$cond": [listed, {"$size": stored}, 1]},
        "message_data": {"$cond": [listed, {"$slice": [stored, -1]}, stored]},
    }
    return [{"$match": selected}, {"$sort": {"seq": -1}}, {"$limit": count}, {"$project": shown}]
