"""Marks that tell which run stored a text.

A mark is white space after the JSON of an item, which every JSON reader ignores. It needs no column
or key of its own, which could get out of step, and it moves with the text: also when the published
SDK, which knows no marks, pops, appends or rewrites a whole list.
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
"""The white space of JSON; each character stands for two bits."""

MARK_LENGTH = 24

WRITE_LENGTH = 8
"""The length of the mark of a write, which only distinguishes the few writes of one block."""


class MarkedRows(NamedTuple):
    """The block of a run in a store with one row for each item.

    Attributes:
        mark: The mark of their texts.
        rows: The rows, in order.
        branch_id: Their branch; empty if the store has no branches.
    """

    mark: str
    rows: tuple[int, ...]
    branch_id: str = ""


class MarkedTexts(NamedTuple):
    """The block of a run in a store where a session is one list of texts.

    There the mark of the run is followed by the mark of the write. With it a run distinguishes its
    own texts from those of another run that writes to the same block, whatever was popped.

    Attributes:
        run: The mark of the texts.
        writes: The marks of the writes that the run has made or adopted, the latest last.
    """

    run: str
    writes: tuple[str, ...]

    @property
    def mark(self) -> str:
        """The mark after the texts of the latest write."""
        return self.run + self.writes[-1]


def new_mark(length: int = MARK_LENGTH) -> str:
    """Return a mark that no other run has."""
    bits = secrets.randbits(2 * length)
    return "".join(SPACES[bits >> 2 * place & 3] for place in range(length))


def common_mark(texts: Sequence[str]) -> str | None:
    """Return the mark of texts if one run stored them all, else None."""
    marks = {text[len(text.rstrip(SPACES)) :] for text in texts}
    mark = marks.pop() if len(marks) == 1 else ""
    return mark if len(mark) == MARK_LENGTH else None


def next_write(block: MarkedTexts | None) -> MarkedTexts:
    """Return a block as it will be after its next write; None begins one."""
    run, writes = block or MarkedTexts(new_mark(), ())
    return MarkedTexts(run, (*writes, new_mark(WRITE_LENGTH)))


def marked_texts(texts: Sequence[str]) -> MarkedTexts | None:
    """Return texts as a block if one run stored them all, else None."""
    marks = [text[len(text.rstrip(SPACES)) :] for text in texts]
    runs = {mark[:MARK_LENGTH] for mark in marks}
    if len(runs) != 1 or any(len(mark) != MARK_LENGTH + WRITE_LENGTH for mark in marks):
        return None
    return MarkedTexts(runs.pop(), tuple(dict.fromkeys(mark[MARK_LENGTH:] for mark in marks)))


def gathered(texts: list[str], block: MarkedTexts | None) -> list[str]:
    """Return texts with those of a block moved to the end; both parts keep their order.

    Raises:
        ConcurrentWrite: Some texts with its mark come from a write of another run.
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
