"""`agentgraph check`: the compiler's findings about files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.reports import diagnostics_json, print_report
from agentgraph.cli.sarif import sarif_log
from agentgraph.cli.target import Target, loaded
from agentgraph.cli.terminal import Terminal, printable_json, progress, say_fault
from agentgraph.program import check
from agentgraph_compiler.diagnostics import Diagnostic, Severity, in_source_order
from agentgraph_compiler.render.report import summary

__all__ = ["ReportFormat", "check_files"]

_VERSION: Final = 1
"""Version of the JSON form; it changes when a field changes its meaning or is removed."""


class ReportFormat(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


@dataclass(frozen=True, slots=True)
class _Results:
    """The findings in all files, each once, and the faults of files that could not be checked."""

    diagnostics: tuple[Diagnostic, ...]
    faults: tuple[CommandFault, ...]

    def status(self, *, strict: bool) -> Status:
        if self.faults:
            return Status.UNUSABLE
        failing = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
        fails = any(diagnostic.severity in failing for diagnostic in self.diagnostics)
        return Status.FOUND if fails else Status.DONE


def check_files(
    terminal: Terminal, targets: Sequence[str], report_format: ReportFormat, *, strict: bool
) -> Status:
    """Check files and report the findings.

    Args:
        terminal: Where to report.
        targets: Files, each with a name or without.
        report_format: The form of the report.
        strict: Whether warnings count as errors.

    Returns:
        `DONE`; `FOUND` if a finding counts as an error; `UNUSABLE` if a file could not be checked,
        whatever the findings in the other files.
    """
    results = _check(terminal, targets)
    match report_format:
        case ReportFormat.TEXT:
            print_report(terminal.out, results.diagnostics)
            _print_summary(terminal, results, len(targets), strict=strict)
        case ReportFormat.JSON:
            report = {
                "version": _VERSION,
                "diagnostics": diagnostics_json(results.diagnostics),
                "faults": [fault.message for fault in results.faults],
            }
            _write(terminal, report)
        case ReportFormat.SARIF:
            faults = [fault.message for fault in results.faults]
            _write(terminal, sarif_log(results.diagnostics, faults))
    return results.status(strict=strict)


def _check(terminal: Terminal, targets: Sequence[str]) -> _Results:
    diagnostics: list[Diagnostic] = []
    faults: list[CommandFault] = []
    for number, text in enumerate(targets, 1):
        try:
            with progress(terminal, f"checking {text} ({number} of {len(targets)})"):
                diagnostics.extend(_diagnostics_of(text))
        except CommandFault as fault:
            say_fault(terminal, fault)
            faults.append(fault)
    return _Results(in_source_order(dict.fromkeys(diagnostics)), tuple(faults))


def _diagnostics_of(text: str) -> tuple[Diagnostic, ...]:
    with loaded(Target.parse(text)) as workload:
        return check(workload.source, overrides=workload.overrides)


def _print_summary(terminal: Terminal, results: _Results, files: int, *, strict: bool) -> None:
    checked_files = files - len(results.faults)
    if not checked_files:
        return
    count = f"{checked_files} file{'s' if checked_files != 1 else ''} checked: "
    good = results.status(strict=strict) is Status.DONE
    mark = Text("✓ ", "passed") if good else Text("✗ ", "error")
    terminal.out.print(mark.append(count + summary(results.diagnostics), "title"), soft_wrap=True)


def _write(terminal: Terminal, report: object) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False)
    terminal.write(f"{printable_json(text)}\n")
