"""Which run stored a text, for stores that have nothing but a list of texts.

A mark is white space behind the JSON of an item, which every reader of JSON passes over. It needs
no second key that could tell another story, and goes along wherever the text goes: also when the
published SDK, which knows no marks, pops, appends or writes the whole list again.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

__all__ = ["common_mark", "gathered", "new_mark"]

_SPACES = " \t\n\r"
"""What JSON takes for white space; two bits each."""

_LENGTH = 24


def new_mark() -> str:
    """Return a mark that no other run has."""
    bits = secrets.randbits(2 * _LENGTH)
    return "".join(_SPACES[bits >> 2 * place & 3] for place in range(_LENGTH))


def common_mark(texts: Sequence[str]) -> str | None:
    """Return the mark of texts that one run has stored; None if it did not store them all."""
    marks = {text[len(text.rstrip(_SPACES)) :] for text in texts}
    mark = marks.pop() if len(marks) == 1 else ""
    return mark if len(mark) == _LENGTH else None


def gathered(texts: list[str], mark: str) -> list[str]:
    """Return texts with those of a mark at the end, the order among them and the others kept."""
    mine = [text for text in texts if text.endswith(mark)]
    if texts[len(texts) - len(mine) :] == mine:
        return texts
    return [text for text in texts if not text.endswith(mark)] + mine
