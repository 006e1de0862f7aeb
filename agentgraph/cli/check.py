"""`agentgraph check`: what the compiler has to say about files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.reports import diagnostics_json, print_report
from agentgraph.cli.sarif import sarif_log
from agentgraph.cli.target import Target, loaded
from agentgraph.cli.terminal import Terminal, progress, say_fault
from agentgraph.program import check
from agentgraph_compiler.diagnostics import Diagnostic, Severity, in_source_order
from agentgraph_compiler.render.report import summary

__all__ = ["ReportFormat", "check_files"]

_VERSION: Final = 1
"""Version of the JSON form; it changes when a field changes its meaning or goes."""


class ReportFormat(StrEnum):
    """How diagnostics are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was found in all files together, each finding once, and what could not be checked."""

    diagnostics: tuple[Diagnostic, ...]
    faults: tuple[CommandFault, ...]

    def status(self, *, strict: bool) -> Status:
        if self.faults:
            return Status.UNUSABLE
        failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
        found = any(diagnostic.severity in failing for diagnostic in self.diagnostics)
        return Status.FOUND if found else Status.DONE


def check_files(
    terminal: Terminal, targets: Sequence[str], report_format: ReportFormat, *, strict: bool
) -> Status:
    """Check files and report what was found.

    Args:
        terminal: Where to report.
        targets: Files, each with a name or without.
        report_format: How to report.
        strict: Whether warnings fail as errors do.

    Returns:
        `DONE`; `FOUND` if something fails; `UNUSABLE` if a file could not be checked, whatever was
        found in the others.
    """
    checked = _check(terminal, targets)
    match report_format:
        case ReportFormat.TEXT:
            print_report(terminal.out, checked.diagnostics)
            _print_summary(terminal, checked, len(targets), strict=strict)
        case ReportFormat.JSON:
            report = {
                "version": _VERSION,
                "diagnostics": diagnostics_json(checked.diagnostics),
                "faults": [fault.message for fault in checked.faults],
            }
            _write(report)
        case ReportFormat.SARIF:
            faults = [fault.message for fault in checked.faults]
            _write(sarif_log(checked.diagnostics, faults))
    return checked.status(strict=strict)


def _check(terminal: Terminal, targets: Sequence[str]) -> _Checked:
    found: list[Diagnostic] = []
    faults: list[CommandFault] = []
    for number, text in enumerate(targets, 1):
        try:
            with progress(terminal, f"checking {text} ({number} of {len(targets)})"):
                found.extend(_found_in(text))
        except CommandFault as fault:
            say_fault(terminal, fault)
            faults.append(fault)
    return _Checked(in_source_order(dict.fromkeys(found)), tuple(faults))


def _found_in(text: str) -> tuple[Diagnostic, ...]:
    with loaded(Target.parse(text)) as workload:
        return check(workload.source, overrides=workload.overrides)


def _print_summary(terminal: Terminal, checked: _Checked, files: int, *, strict: bool) -> None:
    checked_files = files - len(checked.faults)
    if not checked_files:
        return
    said = f"{checked_files} file{'s' if checked_files != 1 else ''} checked: "
    good = checked.status(strict=strict) is Status.DONE
    mark = Text("✓ ", "passed") if good else Text("✗ ", "error")
    terminal.out.print(mark.append(said + summary(checked.diagnostics), "title"), soft_wrap=True)


def _write(report: object) -> None:
    json.dump(report, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
