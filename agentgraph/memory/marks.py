"""Which run stored a text.

A mark is white space behind the JSON of an item, which every reader of JSON passes over. It needs
no column or key of its own that could tell another story, and goes along wherever the text goes:
also when the published SDK, which knows no marks, pops, appends or writes a whole list again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from agentgraph.memory.blocks import BlockTaken

__all__ = [
    "MARK_LENGTH",
    "SPACES",
    "MarkedRows",
    "MarkedTexts",
    "common_mark",
    "gathered",
    "new_mark",
]

SPACES = " \t\n\r"
"""What JSON takes for white space; two bits each."""

MARK_LENGTH = 24


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

    Attributes:
        mark: Their mark.
        known: How many the run has stored or adopted.
    """

    mark: str
    known: int


def new_mark() -> str:
    """Return a mark that no other run has."""
    bits = secrets.randbits(2 * MARK_LENGTH)
    return "".join(SPACES[bits >> 2 * place & 3] for place in range(MARK_LENGTH))


def common_mark(texts: Sequence[str]) -> str | None:
    """Return the mark of texts that one run has stored; None if it did not store them all."""
    marks = {text[len(text.rstrip(SPACES)) :] for text in texts}
    mark = marks.pop() if len(marks) == 1 else ""
    return mark if len(mark) == MARK_LENGTH else None


def gathered(texts: list[str], block: MarkedTexts) -> list[str]:
    """Return texts with those of a block at the end, the order among them and the others kept.

    Raises:
        BlockTaken: There are more with its mark than its run knows of.
    """
    mine = [text for text in texts if text.endswith(block.mark)]
    if len(mine) > block.known:
        raise BlockTaken
    if texts[len(texts) - len(mine) :] == mine:
        return texts
    return [text for text in texts if not text.endswith(block.mark)] + mine
