"""Diagnostics as people read them, in the manner of rustc: what is wrong, where, why, and what to
write.

The layout stands here once, as rows of pieces that say what tone they have; ``report`` writes them
plainly, and a terminal paints the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin, Severity

__all__ = ["Piece", "Quotation", "Quote", "Row", "Tone", "block", "report", "summary"]


class Tone(StrEnum):
    """What a piece of a row is, for whoever has colours."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    HELP = "help"
    PLACE = "place"
    TITLE = "title"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of one tone; it may have line breaks."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a report.

    Args:
        prefix: What it begins with.
        body: What it says; further lines of it stand below its beginning, behind the prefix.
        breaks: Whether a narrow terminal may break it between words.
    """

    prefix: tuple[Piece, ...]
    body: tuple[Piece, ...] = ()
    breaks: bool = False


@dataclass(frozen=True, slots=True)
class Quotation:
    """A source line and the piece of it that is underlined, in columns.

    Args:
        line: The line, cut where there is no more room.
        indent: Columns before the piece.
        marks: Columns of the piece, at least one.
    """

    line: str
    indent: int
    marks: int


Quote = Callable[[Origin, int], Quotation | None]
"""Quotes the source at an origin, given how many columns of a row are taken; ``None`` if it cannot
be read."""


def report(diagnostics: Iterable[Diagnostic], quote: Quote | None = None) -> str:
    """Write diagnostics as a compiler does.

    Args:
        diagnostics: In the order in which they shall stand.
        quote: Quotes source lines; without it none are quoted.

    Returns:
        A block for each diagnostic and a last line that counts them; empty if there are none.
    """
    found = tuple(diagnostics)
    if not found:
        return ""
    blocks = ["\n".join(map(_plain, block(diagnostic, quote))) for diagnostic in found]
    return "\n\n".join((*blocks, summary(found))) + "\n"


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """How many diagnostics there are of each severity, in words."""
    counts = Counter(diagnostic.severity for diagnostic in diagnostics)
    parts = [
        f"{counts[severity]} {severity.value}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    ]
    return ", ".join(parts) if parts else "nothing to report"


def block(
    found: Diagnostic, quote: Quote | None = None, *, shown_path: Callable[[str], str] = str
) -> Iterator[Row]:
    """Lay a diagnostic out.

    Args:
        found: The diagnostic.
        quote: Quotes source lines; without it none are quoted.
        shown_path: How a file is written.

    Yields:
        Its rows.
    """
    tone = Tone(found.severity.value)
    places = (found.origin, *(note.origin for note in found.notes))
    margin = max(len(str(place.line)) for place in places)
    remark = Piece(f"{' ' * margin} = ", Tone.PLACE)
    yield Row(
        (Piece(f"{tone.value}[{found.rule.code}]", tone), Piece(" ")),
        (Piece(f"{found.rule.name}: ", tone), Piece(found.message, Tone.TITLE)),
        breaks=True,
    )
    told: set[Origin] = set()
    for origin, says, note in (
        (found.origin, tone, None),
        *((note.origin, Tone.NOTE, note.message) for note in found.notes),
    ):
        if note is not None:
            yield Row((remark, Piece("note: ", Tone.NOTE)), (Piece(note),), breaks=True)
        if origin != UNKNOWN:
            arrow = Piece(f"{' ' * margin}--> ", Tone.PLACE)
            yield Row((arrow,), (Piece(f"{shown_path(origin.file)}:{origin.line}"),))
            if quote is not None and origin not in told:
                yield from _quoted(origin, quote, margin, says)
            told.add(origin)
    if found.help:
        yield Row((remark, Piece("help: ", Tone.HELP)), (Piece(found.help),), breaks=True)


def _quoted(origin: Origin, quote: Quote, margin: int, tone: Tone) -> Iterator[Row]:
    """The source line, with what it is about underlined."""
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
