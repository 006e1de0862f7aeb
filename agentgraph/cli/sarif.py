"""Diagnostics as SARIF 2.1.0, the format that code hosts and editors read.

Paths below the current folder are relative to it, as those readers expect. A code host tells the
findings of two commits apart by their fingerprints, which do not depend on lines.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentgraph.cli.linting.baseline import symbol_at
from agentgraph.cli.rules import rule_pages
from agentgraph.cli.source_spans import underlined
from agentgraph.version import installed_version
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Origin, Rule, Severity

__all__ = ["LoadFailure", "sarif_log"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "SRCROOT"
_PROBLEM: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "recommendation",
}
_FAMILIES: Final = {
    "1": "names",
    "2": "routing",
    "3": "types",
    "4": "determinism",
    "5": "guardrails",
    "6": "budgets",
    "7": "policies",
    "8": "durability",
    "9": "source",
}
"""The tag of a rule, by the first digit of its code."""


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """A file that could not be loaded.

    Args:
        reason: Why.
        origin: The line at fault; unknown if there is none.
        is_fault: Whether nothing of the file was checked.
    """

    reason: str
    origin: Origin = UNKNOWN
    is_fault: bool = True


def sarif_log(
    diagnostics: Iterable[Diagnostic], failures: Sequence[LoadFailure] = ()
) -> dict[str, Any]:
    """Write diagnostics as a SARIF log.

    Args:
        diagnostics: In the order of the log.
        failures: The files that could not be loaded.

    Returns:
        The log, as plain JSON values.
    """
    rules = rule_pages()
    index = {rule.code: at for at, rule in enumerate(rules)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "agentgraph",
                        "version": installed_version(),
                        "rules": [_rule(rule, page) for rule, page in rules.items()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"uri": Path.cwd().as_uri().rstrip("/") + "/"}},
                "invocations": [
                    {
                        "executionSuccessful": not any(one.is_fault for one in failures),
                        "toolExecutionNotifications": [_notification(one) for one in failures],
                    }
                ],
                "results": [*_results(diagnostics, index)],
            }
        ],
    }


def _notification(failure: LoadFailure) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "level": "error" if failure.is_fault else "warning",
        "message": {"text": failure.reason},
    }
    if failure.origin != UNKNOWN:
        notification["locations"] = [{"physicalLocation": _place(failure.origin)}]
    return notification


def _rule(rule: Rule, page: str) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": _what_it_does(page) or rule.summary},
        "help": {"text": page.strip(), "markdown": page.strip()},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "tags": [_FAMILIES[rule.code[2]]],
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _what_it_does(page: str) -> str:
    """The first section of a page as one paragraph."""
    section = page.partition("## What it does")[2].partition("## ")[0]
    return " ".join(section.split())


def _results(diagnostics: Iterable[Diagnostic], index: dict[str, int]) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for diagnostic in diagnostics:
        fingerprint = _fingerprint(diagnostic)
        seen[fingerprint] += 1
        result = _result(diagnostic, index)
        # The name under which code scanning looks for a fingerprint.
        result["partialFingerprints"] = {
            "primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"
        }
        yield result


def _fingerprint(diagnostic: Diagnostic) -> str:
    parts = (diagnostic.rule.code, symbol_at(diagnostic.origin), diagnostic.message)
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:16]


def _result(diagnostic: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    # Readers show only related locations that have a place, so the other notes are text.
    placed = [note for note in diagnostic.notes if note.origin != UNKNOWN]
    lines = [diagnostic.message]
    lines += [f"Note: {note.message}" for note in diagnostic.notes if note.origin == UNKNOWN]
    lines += [f"Help: {diagnostic.help}"] if diagnostic.help else []
    result: dict[str, Any] = {
        "ruleId": diagnostic.rule.code,
        "ruleIndex": index[diagnostic.rule.code],
        "level": diagnostic.severity.value,
        "message": {"text": "\n".join(lines)},
    }
    if diagnostic.origin != UNKNOWN:
        result["locations"] = [{"physicalLocation": _place(diagnostic.origin)}]
    if placed:
        result["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": note.message},
                "physicalLocation": _place(note.origin),
            }
            for number, note in enumerate(placed, 1)
        ]
    return result


def _place(origin: Origin) -> dict[str, Any]:
    path = Path(origin.file).absolute()
    if path.is_relative_to(Path.cwd()):
        file = {"uri": _relative_uri(path), "uriBaseId": _ROOT}
    else:
        file = {"uri": path.as_uri()}
    region = {"startLine": origin.line}
    columns = underlined(origin)
    if columns is not None:
        region |= {"startColumn": columns[0] + 1, "endColumn": columns[1] + 1}
    return {"artifactLocation": file, "region": region}


def _relative_uri(path: Path) -> str:
    return path.as_uri().removeprefix(Path.cwd().as_uri().rstrip("/") + "/")
