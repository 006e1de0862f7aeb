"""Which run stored a text.

A mark is white space behind the JSON of an item, which every reader of JSON passes over. It needs
no column or key of its own that could tell another story, and goes along wherever the text goes:
also when the published SDK, which knows no marks, pops, appends or writes a whole list again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from agentgraph.memory.runs.blocks import ConcurrentWrite

__all__ = [
    "MARK_LENGTH",
    "SPACES",
    "WRITE_LENGTH",
    "MarkedRows",
    "MarkedTexts",
    "common_mark",
    "gathered",
    "marked_texts",
    "new_mark",
    "next_write",
]

SPACES = " \t\n\r"
"""What JSON takes for white space; two bits each."""

MARK_LENGTH = 24

WRITE_LENGTH = 8
"""Of the mark of a write, which only tells the few writes of one block apart."""


class MarkedRows(NamedTuple):
    """The block of a run where every item has a row.

    Attributes:
        mark: The mark of their texts.
        rows: The rows, in order.
        branch_id: The branch that they are in, where there are any.
    """

    mark: str
    rows: tuple[int, ...]
    branch_id: str = ""


class MarkedTexts(NamedTuple):
    """The block of a run where a session is one list of texts.

    There a mark is followed by a second one, of the write. By that a run knows its own texts from
    those of another one that goes on with the same block, whatever was popped meanwhile.

    Attributes:
        run: The mark of the texts.
        writes: The marks of the writes that the run has made or adopted, the latest last.
    """

    run: str
    writes: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What stands behind the texts of the latest write."""
        return self.run + self.writes[-1]


def new_mark(length: int = MARK_LENGTH) -> str:
    """Return a mark that no other run has."""
    bits = secrets.randbits(2 * length)
    return "".join(SPACES[bits >> 2 * place & 3] for place in range(length))


def common_mark(texts: Sequence[str]) -> str | None:
    """Return the mark of texts that one run has stored; None if it did not store them all."""
    marks = {text[len(text.rstrip(SPACES)) :] for text in texts}
    mark = marks.pop() if len(marks) == 1 else ""
    return mark if len(mark) == MARK_LENGTH else None


def next_write(block: MarkedTexts | None) -> MarkedTexts:
    """Return a block as it is after its next write; None begins one."""
    run, writes = block or MarkedTexts(new_mark(), ())
    return MarkedTexts(run, (*writes, new_mark(WRITE_LENGTH)))


def marked_texts(texts: Sequence[str]) -> MarkedTexts | None:
    """Return texts as the block that they are; None if one run did not store them all."""
    marks = [text[len(text.rstrip(SPACES)) :] for text in texts]
    runs = {mark[:MARK_LENGTH] for mark in marks}
    if len(runs) != 1 or any(len(mark) != MARK_LENGTH + WRITE_LENGTH for mark in marks):
        return None
    return MarkedTexts(runs.pop(), tuple(dict.fromkeys(mark[MARK_LENGTH:] for mark in marks)))


def gathered(texts: list[str], block: MarkedTexts | None) -> list[str]:
    """Return texts with those of a block at the end, the order among them and the others kept.

    Raises:
        ConcurrentWrite: Some with its mark are of a write that its run does not know of.
    """
    if block is None:
        return texts
    mine = [text for text in texts if _is_of(block, text)]
    if any(text[-WRITE_LENGTH:] not in block.writes for text in mine):
        raise ConcurrentWrite
    if texts[len(texts) - len(mine) :] == mine:
        return texts
    return [text for text in texts if not _is_of(block, text)] + mine


def _is_of(block: MarkedTexts, text: str) -> bool:
    return text[-MARK_LENGTH - WRITE_LENGTH : -WRITE_LENGTH] == block.run
