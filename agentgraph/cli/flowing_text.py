"""Text that is shown while it is being written, broken between words at the terminal's edge."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from agentgraph.cli.terminal import printable

__all__ = ["FlowingText"]

_PIECES: Final = re.compile(r"\n|[^\S\n]+|\S+")

_HELD_BACK: Final = 24
"""Cells of an unfinished word that are held back; scripts without spaces come in pieces of this."""


class FlowingText:
    """A paragraph that grows at its end.

    Args:
        console: Where to write. Lines are only broken on a terminal.
        indent: Columns to leave free at the left.
    """

    def __init__(self, console: Console, indent: int = 2) -> None:
        self._console = console
        self._indent = indent
        self._width = console.width if console.is_terminal else None
        self._column = 0
        self._space = ""
        self._held = ""
        self.empty = True

    def write(self, delta: str) -> None:
        """Add to the end."""
        pieces = _PIECES.findall(self._held + printable(delta))
        self._held = ""
        if pieces and not pieces[-1].isspace() and cell_len(pieces[-1]) < _HELD_BACK:
            self._held = pieces.pop()
        for piece in pieces:
            self._put(piece)

    def end(self) -> None:
        """Write what was held back, and end the line."""
        if self._held:
            self._put(self._held)
        if self._column:
            self._emit("\n")
        self._held = self._space = ""
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
