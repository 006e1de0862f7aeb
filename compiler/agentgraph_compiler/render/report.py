"""Diagnostics as people read them, in the manner of rustc: what is wrong, where, why, and what to
write.

This module alone defines the layout, as rows of pieces, each with its tone; ``report`` writes the
rows as plain text, and a terminal paints the same rows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin, Severity

__all__ = ["Piece", "Quotation", "Quote", "Row", "Tone", "block", "blocks", "report", "summary"]

_COLLAPSED = 6
"""The least findings of a group to show it in short."""
_IN_FULL = 3
"""The findings of such a group that have a block of their own."""
_PLACES = 10
"""The places of the others that their common block names."""
_QUOTED_NAME = re.compile(r"'[^'\n]*'")


class Tone(StrEnum):
    """The role of a piece of a row, for output that has colours."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    HELP = "help"
    PLACE = "place"
    TITLE = "title"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one tone; it may have line breaks."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a report.

    Args:
        prefix: The beginning of the row.
        body: The text after it; its further lines are indented by the width of the prefix.
        breaks: Whether a narrow terminal may break it between words.
    """

    prefix: tuple[Piece, ...]
    body: tuple[Piece, ...] = ()
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Quotation:
    """A source line and the piece of it to underline, in columns.

    Args:
        line: The line, cut to the width of the output.
        indent: Columns before the piece.
        marks: Columns of the piece, at least one.
    """

    line: str
    indent: int
    marks: int


Quote = Callable[[Origin, int], Quotation | None]
"""Quotes the source at an origin. Gets the origin and the number of columns that the row already
uses; returns ``None`` if it cannot read the source."""


def report(diagnostics: Iterable[Diagnostic], quote: Quote | None = None) -> str:
    """Write diagnostics as a compiler does.

    Args:
        diagnostics: In the order of the report.
        quote: Quotes source lines; without it the report quotes none.

    Returns:
        The ``blocks`` and a last line that counts the diagnostics; empty if there are none.
    """
    entries = tuple(diagnostics)
    if not entries:
        return ""
    texts = ["\n".join(map(_plain, rows)) for rows in blocks(entries, quote)]
    return "\n\n".join((*texts, summary(entries))) + "\n"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """The number of diagnostics of each severity, in words."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    parts = [
        f"{counts[severity]} {severity.value}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    ]
    return ", ".join(parts) if parts else "nothing to report"


def blocks(
    diagnostics: Iterable[Diagnostic],
    quote: Quote | None = None,
    *,
    shown_path: Callable[[str], str] = str,
) -> Iterator[Iterator[Row]]:
    """Lay a report out so that thousands of findings stay readable.

    Findings of one rule whose help differs at most in names form a group. A large group has blocks
    for its first findings, and one block that counts the others and names the first places.

    Args:
        diagnostics: In the order of the report.
        quote: Quotes source lines; without it the report quotes none.
        shown_path: Turns the path of a file into the text that the report shows.

    Yields:
        The rows of each block.
    """
    groups: dict[tuple[str, str], list[Diagnostic]] = {}
    for diagnostic in (entries := tuple(diagnostics)):
        groups.setdefault(_group(diagnostic), []).append(diagnostic)
    numbers: Counter[tuple[str, str]] = Counter()
    for diagnostic in entries:
        key = _group(diagnostic)
        group, number = groups[key], numbers[key]
        numbers[key] += 1
        if number < _IN_FULL or len(group) < _COLLAPSED:
            yield block(diagnostic, quote, shown_path=shown_path)
        elif number == _IN_FULL:
            yield _others(group[_IN_FULL:], shown_path)


def _group(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.rule.code, _QUOTED_NAME.sub("'…'", diagnostic.help)


def _others(group: list[Diagnostic], shown_path: Callable[[str], str]) -> Iterator[Row]:
    """The block of the findings that have none of their own."""
    rule, tone = group[0].rule, Tone(group[0].severity.value)
    yield Row(
        (Piece(f"{tone.value}[{rule.code}]", tone), Piece(" ")),
        (Piece(f"{rule.name}: ", tone), Piece(f"{len(group):,} more like these", Tone.TITLE)),
        breaks=True,
    )
    origins = list(dict.fromkeys(one.origin for one in group if one.origin != UNKNOWN))
    lines: dict[str, list[str]] = {}
    for origin in origins[:_PLACES]:
        lines.setdefault(origin.file, []).append(str(origin.line))
    for file, numbers in lines.items():
        yield Row(
            (Piece(" --> ", Tone.PLACE),), (Piece(f"{shown_path(file)}:{', '.join(numbers)}"),)
        )
    if len(origins) > _PLACES:
        note = Piece(f"and {len(origins) - _PLACES:,} more places")
        yield Row((Piece("  = ", Tone.PLACE), Piece("note: ", Tone.NOTE)), (note,), breaks=True)


def block(
    diagnostic: Diagnostic, quote: Quote | None = None, *, shown_path: Callable[[str], str] = str
) -> Iterator[Row]:
    """Lay a diagnostic out.

    Args:
        diagnostic: The diagnostic.
        quote: Quotes source lines; without it the block quotes none.
        shown_path: Turns the path of a file into the text that the block shows.

    Yields:
        Its rows.
    """
    tone = Tone(diagnostic.severity.value)
    places = (diagnostic.origin, *(note.origin for note in diagnostic.notes))
    margin = max(len(str(place.line)) for place in places)
    remark = Piece(f"{' ' * margin} = ", Tone.PLACE)
    yield Row(
        (Piece(f"{tone.value}[{diagnostic.rule.code}]", tone), Piece(" ")),
        (Piece(f"{diagnostic.rule.name}: ", tone), Piece(diagnostic.message, Tone.TITLE)),
        breaks=True,
    )
    quoted_origins: set[Origin] = set()
    for origin, origin_tone, note in (
        (diagnostic.origin, tone, None),
        *((note.origin, Tone.NOTE, note.message) for note in diagnostic.notes),
    ):
        if note is not None:
            yield Row((remark, Piece("note: ", Tone.NOTE)), (Piece(note),), breaks=True)
        if origin != UNKNOWN:
            arrow = Piece(f"{' ' * margin}--> ", Tone.PLACE)
            yield Row((arrow,), (Piece(f"{shown_path(origin.file)}:{origin.line}"),))
            if quote is not None and origin not in quoted_origins:
                yield from _source_rows(origin, quote, margin, origin_tone)
            quoted_origins.add(origin)
    if diagnostic.help:
        yield Row((remark, Piece("help: ", Tone.HELP)), (Piece(diagnostic.help),), breaks=True)


def _source_rows(origin: Origin, quote: Quote, margin: int, tone: Tone) -> Iterator[Row]:
    """The source line, with the piece that the diagnostic is about underlined."""
    quotation = quote(origin, margin + len(" | "))
    if quotation is None:
        return
    bar = f"{' ' * margin} |"
    number = Piece(f"{origin.line:>{margin}} | ", Tone.PLACE)
    marks = f"{' ' * quotation.indent}{'^' * quotation.marks}"
    yield Row((Piece(bar, Tone.PLACE),))
    yield Row((number,), (Piece(quotation.line),))
    yield Row((Piece(f"{bar} ", Tone.PLACE),), (Piece(marks, tone),))


def _plain(row: Row) -> str:
    prefix = "".join(piece.text for piece in row.prefix)
    body = "".join(piece.text for piece in row.body)
    return prefix + body.replace("\n", f"\n{' ' * len(prefix)}")
