"""A Python file whose text is edited by the spans of its syntax tree."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

__all__ = ["Edit", "SourceFile", "are_apart"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A piece of a text and what takes its place.

    Args:
        start: The position of the first character, counted from 0.
        end: The position after the last one; that of `start` for an insertion.
        text: The new text.
    """

    start: int
    end: int
    text: str


class SourceFile:
    """The text of a file at one moment.

    Args:
        path: The file.
        content: Its bytes.

    Raises:
        SyntaxError: The bytes are no Python.
        ValueError: Likewise.
    """

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self.tree = ast.parse(content)
        self._encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        self.text = content.decode(self._encoding)

    @cached_property
    def lines(self) -> list[str]:
        """The lines as Python counts them, with their ends."""
        return list(io.StringIO(self.text, newline=""))

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(map(len, self.lines))]

    @property
    def newline(self) -> str:
        """The end of a line in this file."""
        first = self.lines[0] if self.lines else ""
        return first[len(first.rstrip("\r\n")) :] or "\n"

    def position(self, line: int, column: int) -> int:
        """The position of a place of the syntax tree.

        Args:
            line: Counted from 1.
            column: Counted from 0, in bytes of UTF-8.
        """
        start = self._starts[line - 1]
        return start + len(self.lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """The position of the first character of a node."""
        return self.position(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """The position after the last character of a node."""
        return self.position(node.end_lineno or 0, node.end_col_offset or 0)

    def end_of_line(self, position: int) -> int:
        """The position after the line of a position; a line without an end does not count."""
        return next((end for end in self._starts[1:] if end > position), len(self.text))

    def indent(self, position: int) -> str | None:
        """The blanks before a position, if nothing else stands before it on its line."""
        start = max(one for one in self._starts if one <= position)
        before = self.text[start:position]
        return before if not before.strip() else None

    def edited(self, edits: Sequence[Edit]) -> bytes | None:
        """The content with edits that do not overlap; `None` if it would not be Python any more, or
        if the encoding of the file cannot write it."""
        pieces, at = [], 0
        for edit in sorted(edits):
            pieces += [self.text[at : edit.start], edit.text]
            at = edit.end
        text = "".join(pieces) + self.text[at:]
        try:
            content = text.encode(self._encoding)
            ast.parse(content)
        except (SyntaxError, ValueError):
            return None
        return content


def are_apart(edits: Sequence[Edit]) -> bool:
    """Whether edits touch neither the same characters nor the same position."""
    return all(
        before.end < after.start or (before.end == after.start and before.start < after.start)
        for before, after in pairwise(sorted(edits))
    )
