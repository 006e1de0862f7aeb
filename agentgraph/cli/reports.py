"""Diagnostics in a terminal: the compiler's layout in colour, with quotes of the user's lines."""

from __future__ import annotations

import io
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
from agentgraph_compiler.render.report import Piece, Quotation, Quote, Tone, blocks, summary

__all__ = ["diagnostics_json", "print_report", "printed_report", "shown_path"]

_NARROWEST: Final = 20
"""The least columns of a source line to show, however narrow the terminal is."""


def printed_report(diagnostics: Iterable[Diagnostic]) -> str:
    """The report of diagnostics as plain text, with quotes of the source."""
    console = Console(file=io.StringIO(), highlight=False, markup=False, emoji=False)
    entries = tuple(diagnostics)
    with console.capture() as capture:
        print_report(console, entries)
    return f"{capture.get()}{summary(entries)}"


def print_report(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Print the blocks of diagnostics, with an empty line after each."""
    for rows in blocks(diagnostics, _quoting(console), shown_path=shown_path):
        for row in rows:
            prefix, body = _painted(row.prefix), _painted(row.body)
            if row.breaks:
                print_hanging(console, prefix, body)
            else:
                console.print(prefix + body, soft_wrap=True)
        console.print()


def diagnostics_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """Write diagnostics as plain JSON values; an unknown place is null."""
    return [
        {
            "code": one.rule.code,
            "name": one.rule.name,
            "severity": one.severity.value,
            "message": one.message,
            **_place(one.origin),
            "notes": [{"message": note.message, **_place(note.origin)} for note in one.notes],
            "help": one.help or None,
            "fix": one.fix.title if one.fix else None,
        }
        for one in diagnostics
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
    text = Text()
    for piece in pieces:
        text.append(printable(piece.text), "" if piece.tone is Tone.PLAIN else piece.tone.value)
    return text


def _quoting(console: Console) -> Quote:
    def quote(origin: Origin, prefix: int) -> Quotation | None:
        columns = underlined(origin)
        return None if columns is None else _quotation(console, origin, columns, prefix)

    return quote


def _quotation(
    console: Console, origin: Origin, columns: tuple[int, int], prefix: int
) -> Quotation:
    """A source line, cut to the terminal, and the position of its underlined piece."""
    source = linecache.getline(origin.file, origin.line).rstrip()
    start, end = columns
    # Tabs would shift the marks, so replace them by spaces of the same width.
    before, piece = _flat(source[:start]), _flat(source[start:end])
    line = before + piece + _flat(source[end:])
    indent, marks = Text(before).cell_len, Text(piece).cell_len
    if console.is_terminal:
        room = max(console.width - prefix, _NARROWEST)
        if Text(line).cell_len > room:
            shortened = Text(line)
            shortened.truncate(room, overflow="ellipsis")
            line = shortened.plain
        marks = min(marks, room - indent)
    return Quotation(line, indent, max(marks, 1))


def _flat(text: str) -> str:
    return printable(text.expandtabs(4))
