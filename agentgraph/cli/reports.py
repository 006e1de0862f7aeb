"""Diagnostics for the terminal: what is wrong, where in the user's file, why, and what to write."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from agentgraph.cli.terminal import print_hanging, printable
from agentgraph.cli.written import underlined
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin

__all__ = ["diagnostics_json", "print_report", "shown_path"]

_NARROWEST: Final = 20
"""Columns of a source line that are always shown."""


def print_report(console: Console, diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics, a block for each, with an empty line behind it."""
    for found in diagnostics:
        _print_block(console, found)
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


def _print_block(console: Console, found: Diagnostic) -> None:
    style = found.severity.value
    places = [found.origin, *(note.origin for note in found.notes)]
    margin = max(len(str(place.line)) for place in places)
    header = Text(f"{style}[{found.rule.code}]", style).append(" ")
    message = Text(f"{found.rule.name}: ", style).append(printable(found.message), "title")
    print_hanging(console, header, message)
    _print_place(console, found.origin, margin, style)
    quoted = {found.origin}
    for note in found.notes:
        prefix = Text(" " * margin).append(" = ", "place").append("note: ", "note")
        print_hanging(console, prefix, Text(printable(note.message)))
        _print_place(console, note.origin, margin, "note", again=note.origin in quoted)
        quoted.add(note.origin)
    if found.help:
        prefix = Text(" " * margin).append(" = ", "place").append("help: ", "help")
        print_hanging(console, prefix, Text(printable(found.help)))


def _print_place(
    console: Console, origin: Origin, margin: int, style: str, *, again: bool = False
) -> None:
    """The file and line and, unless it stands there already, the line itself with the piece that
    it is about underlined."""
    if origin == UNKNOWN:
        return
    place = Text(" " * margin).append("--> ", "place")
    place.append(f"{printable(shown_path(origin.file))}:{origin.line}")
    console.print(place, soft_wrap=True)
    columns = underlined(origin)
    if columns is None or again:
        return
    source, below = _quoted(console, origin, columns, margin + 3)
    bar = Text(" " * margin).append(" |", "place")
    number = Text(str(origin.line).rjust(margin), "place").append(" | ", "place")
    console.print(bar, soft_wrap=True)
    console.print(number.append(source), soft_wrap=True)
    console.print(bar.copy().append(" ").append(below, style), soft_wrap=True)


def _quoted(
    console: Console, origin: Origin, columns: tuple[int, int], taken: int
) -> tuple[str, str]:
    """A source line as it fits, and the marks below it."""
    written = linecache.getline(origin.file, origin.line).rstrip()
    start, end = columns
    # Tabs would shift the marks; what is before the piece keeps its width.
    before, piece = _flat(written[:start]), _flat(written[start:end])
    line = before + piece + _flat(written[end:])
    if console.is_terminal:
        room = max(console.width - taken, _NARROWEST)
        if Text(line).cell_len > room:
            shortened = Text(line)
            shortened.truncate(room, overflow="ellipsis")
            line = shortened.plain
        marks = min(Text(piece).cell_len, max(room - Text(before).cell_len, 1))
    else:
        marks = Text(piece).cell_len
    return line, " " * Text(before).cell_len + "^" * max(marks, 1)


def _flat(text: str) -> str:
    return printable(text.expandtabs(4))
