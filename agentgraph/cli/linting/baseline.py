"""A baseline: the findings that were there before, which a check leaves out.

An entry is a rule and a symbol of the source, such as `src/desk.py:triage`, with the number of such
findings. Lines do not count, so a baseline survives edits around a finding.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.reports import shown_path
from agentgraph.cli.source_spans import parsed
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin

__all__ = ["Baseline", "symbol_at"]

_VERSION: Final = 1


class _Entry(NamedTuple):
    rule: str
    symbol: str


class Baseline:
    """Findings to leave out.

    Args:
        counts: How many findings of a rule and a symbol to leave out.
    """

    def __init__(self, counts: Counter[_Entry]) -> None:
        self._counts = counts

    @classmethod
    def of(cls, diagnostics: Iterable[Diagnostic]) -> Baseline:
        """The baseline that leaves out exactly these findings."""
        return cls(Counter(map(_entry, diagnostics)))

    @classmethod
    def read(cls, path: Path, place: str) -> Baseline:
        """Read a baseline.

        Args:
            path: The file.
            place: Where the user names it, for the error.

        Raises:
            CommandFault: The file is not there or is no baseline.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            entries = {
                _Entry(one["rule"], one["symbol"]): int(one["count"]) for one in content["findings"]
            }
        except OSError as error:
            raise CommandFault(
                f"{place}: the baseline {path} cannot be read: {error.strerror}",
                help=f"write it: agentgraph check --write-baseline {path}",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise CommandFault(
                f"{place}: {path} is no baseline of agentgraph",
                help=f"write it: agentgraph check --write-baseline {path}",
            ) from error
        return cls(Counter(entries))

    def write(self, path: Path) -> None:
        """Write the baseline, sorted, so that two of them can be compared.

        Raises:
            CommandFault: The file cannot be written.
        """
        findings = [
            {"rule": entry.rule, "symbol": entry.symbol, "count": count}
            for entry, count in sorted(self._counts.items())
        ]
        text = json.dumps({"version": _VERSION, "findings": findings}, indent=2, ensure_ascii=False)
        try:
            path.write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            raise CommandFault(f"{path} cannot be written: {error.strerror}") from error

    def without(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """The findings that the baseline does not leave out."""
        left = Counter(self._counts)
        new = []
        for finding in diagnostics:
            entry = _entry(finding)
            if left[entry] > 0:
                left[entry] -= 1
            else:
                new.append(finding)
        return new


def _entry(finding: Diagnostic) -> _Entry:
    return _Entry(finding.rule.code, symbol_at(finding.origin))


def symbol_at(origin: Origin) -> str:
    """The symbol of the source at a place: the file, the functions and classes around it, and the
    name that the statement there defines or assigns."""
    if origin == UNKNOWN:
        return ""
    names: list[str] = []
    body = parsed(Path(origin.file)).body
    while (statement := _at(body, origin.line)) is not None:
        names += _names_of(statement)
        body = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)]
    file = shown_path(origin.file).replace("\\", "/")
    return f"{file}:{'.'.join(names)}" if names else file


def _at(body: list[ast.stmt], line: int) -> ast.stmt | None:
    for statement in body:
        decorators = [one.lineno for one in getattr(statement, "decorator_list", ())]
        first = min([statement.lineno, *decorators])
        if first <= line <= (statement.end_lineno or statement.lineno):
            return statement
    return None


def _names_of(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[target, *_]) | ast.AnnAssign(target=target):
            return [ast.unparse(target)]
        case _:
            return []
