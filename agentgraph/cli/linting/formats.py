"""The forms of a report: for people, for a line-based tool, for programs, and for code hosts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.linting.outcome import FileOutcome, FileStatus, Outcome
from agentgraph.cli.linting.statistics import statistics_lines, statistics_of
from agentgraph.cli.reports import diagnostics_json, print_report, shown_path
from agentgraph.cli.sarif import LoadFailure, sarif_log
from agentgraph.cli.source_spans import underlined
from agentgraph.cli.terminal import Terminal, printable, printable_json
from agentgraph_compiler.checks import unseen_by_the_compiler
from agentgraph_compiler.diagnostics import UNKNOWN, Diagnostic, Severity
from agentgraph_compiler.render.report import summary

__all__ = ["ReportFormat", "write_report"]

_VERSION: Final = 1
"""Version of the JSON form; it changes when a field changes its meaning or is removed."""
_UNSEEN: Final = unseen_by_the_compiler.RULE.code
_OTHERS: Final[tuple[FileStatus, ...]] = ("without agents", "not loadable")
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


class ReportFormat(StrEnum):
    """The forms of a report."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def write_report(
    terminal: Terminal,
    outcome: Outcome,
    report_format: ReportFormat,
    *,
    strict: bool,
    statistics: bool = False,
    unknowns: bool = True,
) -> None:
    """Write the report of a check on the standard output.

    Args:
        terminal: Where to write.
        outcome: The outcome.
        report_format: The form.
        strict: Whether warnings count as errors.
        statistics: Whether to count the findings of each rule; people see only the counts.
        unknowns: Whether people see each agent of which something is only known at run time; else
            one line sums them up.

    Raises:
        CommandFault: The form has no place for statistics.
    """
    match report_format:
        case ReportFormat.TEXT | ReportFormat.CONCISE if statistics:
            for line in statistics_lines(statistics_of(outcome.diagnostics)):
                terminal.out.print(Text(line), soft_wrap=True)
            _print_summary(terminal, outcome, strict=strict)
        case ReportFormat.SARIF | ReportFormat.GITHUB if statistics:
            raise CommandFault(
                f"--statistics has no place in the form {report_format}",
                help="use it with text, concise or json",
            )
        case ReportFormat.TEXT | ReportFormat.CONCISE if not unknowns:
            unseen = [one for one in outcome.diagnostics if one.rule.code == _UNSEEN]
            rest = outcome.with_diagnostics(one for one in outcome.diagnostics if one not in unseen)
            write_report(terminal, rest, report_format, strict=strict)
            _print_unknowns(terminal, unseen)
        case ReportFormat.TEXT:
            print_report(terminal.out, outcome.diagnostics)
            _print_summary(terminal, outcome, strict=strict)
        case ReportFormat.CONCISE:
            for finding in outcome.diagnostics:
                terminal.out.print(Text(printable(_concise(finding))), soft_wrap=True)
            _print_summary(terminal, outcome, strict=strict)
        case ReportFormat.JSON:
            report = _json(outcome, strict=strict)
            if statistics:
                report["statistics"] = _statistics(outcome)
            _write(terminal, report)
        case ReportFormat.SARIF:
            _write(terminal, sarif_log(outcome.diagnostics, _failures(outcome.files)))
        case ReportFormat.GITHUB:
            for line in _commands(outcome):
                terminal.out.print(Text(printable(line)), soft_wrap=True)


def _write(terminal: Terminal, report: object) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False)
    terminal.write(f"{printable_json(text)}\n")


def _print_summary(terminal: Terminal, outcome: Outcome, *, strict: bool) -> None:
    if outcome.files and len(outcome.faults()) == len(outcome.files):
        return
    for file in outcome.files:
        if file.status == "not loadable" and file.fault is None:
            place = f"{shown_path(file.place.file)}:{file.place.line}"
            text = printable(f"not loadable: {place}: {file.reason}")
            terminal.out.print(Text(text, "quiet"), soft_wrap=True)
    others = {status: outcome.count(status) for status in _OTHERS}
    checked = outcome.count("checked")
    parts = [f"{checked} file{'s' if checked != 1 else ''} checked"]
    parts += [f"{number} {status}" for status, number in others.items() if number]
    good = outcome.status(strict=strict) is Status.DONE
    mark = Text("✓ ", "passed") if good else Text("✗ ", "error")
    hidden = f" ({outcome.hidden} more in the baseline)" if outcome.hidden else ""
    fixable = sum(finding.fix is not None for finding in outcome.diagnostics)
    fixes = f" ({fixable} fixable with --fix)" if fixable else ""
    line = f"{', '.join(parts)}: {summary(outcome.diagnostics)}{fixes}{hidden}"
    terminal.out.print(mark.append(line, "title"), soft_wrap=True)


def _print_unknowns(terminal: Terminal, unseen: Sequence[Diagnostic]) -> None:
    if unseen:
        things = sum(len(one.notes) for one in unseen)
        text = (
            f"{things} thing{'s' if things > 1 else ''} about {len(unseen)}"
            f" agent{'s' if len(unseen) > 1 else ''} will only be known at run time"
            " (--unknowns lists them)"
        )
        terminal.out.print(Text(text, "quiet"), soft_wrap=True)


def _concise(finding: Diagnostic) -> str:
    rule = finding.rule
    return f"{_place(finding)}{rule.severity}[{rule.code}] {rule.name}: {finding.message}"


def _place(finding: Diagnostic) -> str:
    if finding.origin == UNKNOWN:
        return ""
    columns = underlined(finding.origin)
    column = f"{columns[0] + 1}:" if columns else ""
    return f"{shown_path(finding.origin.file)}:{finding.origin.line}:{column} "


def _json(outcome: Outcome, *, strict: bool) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "diagnostics": diagnostics_json(outcome.diagnostics),
        "faults": [fault.message for fault in outcome.faults()],
        "files": [_file(file) for file in outcome.files],
        "summary": {
            "checked": outcome.count("checked"),
            "without_agents": outcome.count("without agents"),
            "not_loadable": outcome.count("not loadable"),
            "in_baseline": outcome.hidden,
            "status": outcome.status(strict=strict).value,
        },
    }


def _statistics(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "code": one.rule.code,
            "name": one.rule.name,
            "severity": one.rule.severity.value,
            "count": one.count,
            "fixable": one.fixable,
        }
        for one in statistics_of(outcome.diagnostics)
    ]


def _file(file: FileOutcome) -> dict[str, Any]:
    return {
        "file": file.target,
        "status": file.status.replace(" ", "_"),
        "reason": file.reason or None,
        "line": file.place.line or None,
        "agents": file.agents,
        "starts": [
            {
                "name": start.name,
                "label": start.label,
                "reason": start.reason,
                "line": start.origin.line or None,
                "run_line": start.place.line or None,
                "context": start.context or None,
                "max_turns": start.max_turns,
                "session": start.session or None,
            }
            for start in file.starts
        ],
    }


def _failures(files: Iterable[FileOutcome]) -> list[LoadFailure]:
    return [
        LoadFailure(file.reason, file.place, is_fault=file.fault is not None)
        for file in files
        if file.status == "not loadable"
    ]


def _commands(outcome: Outcome) -> Iterator[str]:
    """Commands of GitHub Actions, which show findings beside the lines of a change."""
    for finding in outcome.diagnostics:
        title = f"{finding.rule.code} {finding.rule.name}"
        text = finding.message + (f"\nHelp: {finding.help}" if finding.help else "")
        properties = {"title": title}
        if finding.origin != UNKNOWN:
            file = shown_path(finding.origin.file)
            properties = {"file": file, "line": str(finding.origin.line), **properties}
        yield _command(_LEVELS[finding.severity], properties, text)
    for fault in outcome.faults():
        yield _command("error", {"title": "agentgraph"}, fault.message)


def _command(level: str, properties: dict[str, str], text: str) -> str:
    written = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in properties.items())
    return f"::{level} {written}::{_escaped(text)}"


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
