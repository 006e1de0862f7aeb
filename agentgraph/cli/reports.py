"""Diagnostics in a terminal: the compiler's layout, painted, with the user's own lines quoted."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from agentgraph.cli.source_spans import underlined
from agentgraph.cli.terminal import print_hanging, printable
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin
from agentgraph_compiler.render.report import Piece, Quotation, Quote, Tone, block

__all__ = ["diagnostics_json", "print_report", "shown_path"]

_NARROWEST: Final = 20
"""Columns of a source line that are always shown."""


def print_report(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics, a block for each, with an empty line behind it."""
    for found in diagnostics:
        for row in block(found, _quoting(console), shown_path=shown_path):
            prefix, body = _painted(row.prefix), _painted(row.body)
            if row.breaks:
                print_hanging(console, prefix, body)
            else:
                console.print(prefix + body, soft_wrap=True)
        console.print()


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Write diagnostics as plain JSON values; places that are not known are null."""
    return [
        {
            "code": found.rule.code,
            "name": found.rule.name,
            "severity": found.severity.value,
            "message": found.message,
            **_place(found.origin),
            "notes": [{"message": note.message, **_place(note.origin)} for note in found.notes],
            "help": found.help or None,
        }
        for found in diagnostics
    ]


def _place(origin: Origin) -> dict[str, Any]:
    if origin == UNKNOWN:
        return {"file": None, "line": None}
    return {"file": shown_path(origin.file), "line": origin.line}


def shown_path(file: str) -> str:
    """A path as the user would write it: relative to the current folder if it is below it."""
    path = Path(file).absolute()
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _painted(pieces: Iterable[Piece]) -> Text:
    painted = Text()
    for piece in pieces:
        painted.append(printable(piece.text), "" if piece.tone is Tone.PLAIN else piece.tone.value)
    return painted


def _quoting(console: Console) -> Quote:
    def quote(origin: Origin, taken: int) -> Quotation | None:
        columns = underlined(origin)
        return None if columns is None else _quotation(console, origin, columns, taken)

    return quote


def _quotation(console: Console, origin: Origin, columns: tuple[int, int], taken: int) -> Quotation:
    """A source line as it fits, and where its piece stands."""
    written = linecache.getline(origin.file, origin.line).rstrip()
    start, end = columns
    # Tabs would shift the marks; what is before the piece keeps its width.
    before, piece = _flat(written[:start]), _flat(written[start:end])
    line = before + piece + _flat(written[end:])
    indent, marks = Text(before).cell_len, Text(piece).cell_len
    if console.is_terminal:
        room = max(console.width - taken, _NARROWEST)
        if Text(line).cell_len > room:
            shortened = Text(line)
            shortened.truncate(room, overflow="ellipsis")
            line = shortened.plain
        marks = min(marks, room - indent)
    return Quotation(line, indent, max(marks, 1))


def _flat(text: str) -> str:
    return printable(text.expandtabs(4))
