"""Text that appears while a model writes it, with line breaks between words at the terminal's
edge."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from agentgraph.cli.terminal import printable

__all__ = ["FlowingText"]

_PIECES: Final = re.compile(r"\n|[^\S\n]+|\S+")

_WORD_BUFFER: Final = 24
"""The most cells of an unfinished word to hold back. Scripts without spaces appear in pieces of
this length."""


class FlowingText:
    """A paragraph that grows at its end.

    Args:
        console: Where to write. Only a terminal breaks lines.
        indent: Columns to leave free at the left.
    """

    def __init__(self, console: Console, indent: int = 2) -> None:
        self._console = console
        self._indent = indent
        self._width = console.width if console.is_terminal else None
        self._column = 0
        self._space = ""
        self._unfinished = ""
        self.empty = True

    def write(self, delta: str) -> None:
        """Add to the end."""
        pieces = _PIECES.findall(self._unfinished + printable(delta))
        self._unfinished = ""
        if pieces and not pieces[-1].isspace() and cell_len(pieces[-1]) < _WORD_BUFFER:
            self._unfinished = pieces.pop()
        for piece in pieces:
            self._put(piece)

    def end(self) -> None:
        """Write the unfinished word, and end the line."""
        if self._unfinished:
            self._put(self._unfinished)
        if self._column:
            self._emit("\n")
        self._unfinished = self._space = ""
        self._column = 0
        self.empty = True

    def _put(self, piece: str) -> None:
        if piece == "\n":
            self._emit("\n")
            self._column, self._space = 0, ""
        elif piece.isspace():
            self._space = piece
        else:
            self._word(piece)

    def _word(self, word: str) -> None:
        length = cell_len(self._space) + cell_len(word)
        at_edge = self._width is not None and self._column + length > self._width
        if at_edge and self._column > self._indent:
            self._emit("\n")
            self._column, self._space = 0, ""
        if not self._column:
            self._emit(" " * self._indent)
            self._column = self._indent
        self._emit(self._space + word)
        self._column += cell_len(self._space) + cell_len(word)
        self._space = ""
        self.empty = False

    def _emit(self, text: str) -> None:
        self._console.print(Text(text), end="", soft_wrap=True)
