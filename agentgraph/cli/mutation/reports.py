"""The report of `agentgraph mutate`: mutants that no test noticed, runs that would, the score."""

from __future__ import annotations

import json
import linecache
from collections.abc import Sequence
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.mutation.scores import Judged, Outcome, Score
from agentgraph.cli.reports import shown_path
from agentgraph.cli.terminal import Terminal, print_hanging, printable, printable_json

__all__ = ["write_json", "write_text"]

_VERSION: Final = 1
_TONES: Final = {
    Outcome.KILLED: "passed",
    Outcome.SURVIVED: "error",
    Outcome.TIMEOUT: "passed",
    Outcome.ERROR: "warning",
    Outcome.EQUIVALENT: "quiet",
    Outcome.REFUSED: "quiet",
}
_UNCOUNTED: Final = {
    Outcome.ERROR: "ended in an error",
    Outcome.EQUIVALENT: "equivalent",
    Outcome.REFUSED: "refused by the compiler",
}


def write_text(terminal: Terminal, score: Score, *, every: bool) -> None:
    """Write the report for people.

    Args:
        terminal: Where to write.
        score: The mutants.
        every: Whether to list the mutants that need no attention, too.
    """
    for one in score.mutants:
        match one.outcome:
            case Outcome.SURVIVED:
                _write_survivor(terminal, one)
            case Outcome.ERROR:
                _write_head(terminal, one)
                _write_line(terminal, " = ", one.reason)
                terminal.out.print()
            case _ if every:
                _write_head(terminal, one)
                _write_line(terminal, " = ", _why(one))
                terminal.out.print()
            case _:
                continue
    terminal.out.print(Text(_summary(score), "title"), soft_wrap=True)


def write_json(terminal: Terminal, score: Score, file: str, command: Sequence[str]) -> None:
    """Write the report for programs.

    Args:
        terminal: Where to write.
        score: The mutants.
        file: The file, as the user named it.
        command: The command that ran the tests.
    """
    document = {
        "version": _VERSION,
        "file": file,
        "command": list(command),
        "score": None if score.percent is None else round(score.percent, 2),
        "counts": {one.value: len(score.of(one)) for one in Outcome},
        "mutants": [_as_json(one) for one in score.mutants],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    terminal.write(f"{printable_json(text)}\n")


def _as_json(one: Judged) -> dict[str, Any]:
    mutant = one.mutant
    return {
        "operator": mutant.operator,
        "object": mutant.owner,
        "part": mutant.part,
        "change": mutant.text,
        "outcome": one.outcome.value,
        "file": mutant.origin.file or None,
        "line": mutant.origin.line or None,
        "scenario": list(mutant.scenario),
        "reached": one.planted,
        "test": one.test or None,
        "reason": one.reason or None,
        "seconds": round(one.seconds, 3),
    }


def _write_survivor(terminal: Terminal, one: Judged) -> None:
    _write_head(terminal, one)
    origin = one.mutant.origin
    gutter = " " * len(str(origin.line))
    if origin.line:
        source = linecache.getline(origin.file, origin.line).strip()
        place = f"{shown_path(origin.file)}:{origin.line}"
        _write_line(terminal, f"{gutter}--> ", place)
        _write_line(terminal, f"{origin.line} | ", source)
    if not one.planted:
        _write_line(terminal, f"{gutter} = ", "no test comes to this object")
    _write_line(terminal, f"{gutter} = ", "a test of this run would notice it:")
    for number, move in enumerate(one.mutant.scenario, 1):
        _write_line(terminal, f"{gutter}   {number}. ", move)
    terminal.out.print()


def _write_head(terminal: Terminal, one: Judged) -> None:
    prefix = Text(one.outcome.value, _TONES[one.outcome]) + Text(f"[{one.mutant.operator}] ")
    print_hanging(terminal.out, prefix, Text(printable(one.mutant.text)))


def _write_line(terminal: Terminal, prefix: str, text: str) -> None:
    print_hanging(terminal.out, Text(prefix, "place"), Text(printable(text)))


def _why(one: Judged) -> str:
    if one.outcome is Outcome.KILLED:
        return f"{one.test}: {one.reason}" if one.reason else one.test
    if one.outcome is Outcome.TIMEOUT:
        return f"the tests did not end within {one.seconds:.0f} s"
    return one.reason


def _summary(score: Score) -> str:
    counts = [
        f"{len(score.of(outcome))} {words}"
        for outcome, words in (
            (Outcome.KILLED, "killed"),
            (Outcome.TIMEOUT, "timed out"),
            (Outcome.SURVIVED, "survived"),
        )
        if score.of(outcome) or outcome is not Outcome.TIMEOUT
    ]
    aside = [
        f"{len(score.of(outcome))} {words}"
        for outcome, words in _UNCOUNTED.items()
        if score.of(outcome)
    ]
    percent = score.percent
    head = "no mutant counts" if percent is None else f"score {_rounded(percent)} %"
    tail = f"; not counted: {', '.join(aside)}" if aside else ""
    return f"{head}: {', '.join(counts)}{tail}"


def _rounded(percent: float) -> str:
    """A percentage that says 100 only of all."""
    return f"{percent:.0f}" if percent == 100 else f"{min(percent, 99.9):.1f}"
