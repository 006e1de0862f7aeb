"""Diagnostics as text, in the manner of rustc: what is wrong, where, why, and what to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Note, Severity

SourceLines = Callable[[str], Sequence[str]]
"""Gives the lines of a source file by its path, such as ``linecache.getlines``."""


def report(diagnostics: Iterable[Diagnostic], source_lines: SourceLines | None = None) -> str:
    """Write diagnostics as a compiler does.

    Args:
        diagnostics: In the order in which they shall stand.
        source_lines: Where to find the source lines to quote; without it none are quoted.

    Returns:
        A block for each diagnostic and a last line that counts them; empty if there are none.
    """
    found = tuple(diagnostics)
    if not found:
        return ""
    blocks = ["\n".join(_block(diagnostic, source_lines)) for diagnostic in found]
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


def _block(diagnostic: Diagnostic, source_lines: SourceLines | None) -> Iterator[str]:
    rule, origin = diagnostic.rule, diagnostic.origin
    margin = " " * len(str(origin.line))
    yield f"{rule.severity.value}[{rule.code}] {rule.name}: {diagnostic.message}"
    if origin != UNKNOWN:
        yield f"{margin}--> {origin}"
        quoted = _quoted(diagnostic, source_lines)
        if quoted:
            yield f"{margin} |"
            yield f"{origin.line} | {quoted}"
            yield f"{margin} |"
    yield from (f"{margin} = {_note(note)}" for note in diagnostic.notes)
    if diagnostic.help:
        yield f"{margin} = help: {diagnostic.help}"


def _quoted(diagnostic: Diagnostic, source_lines: SourceLines | None) -> str:
    origin = diagnostic.origin
    lines = source_lines(origin.file) if source_lines is not None else ()
    return lines[origin.line - 1].rstrip() if 0 < origin.line <= len(lines) else ""


def _note(note: Note) -> str:
    return f"note: {note.message}" + (f" ({note.origin})" if note.origin != UNKNOWN else "")
