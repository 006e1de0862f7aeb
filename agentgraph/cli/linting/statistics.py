"""The findings of each rule, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentgraph_compiler.diagnostics import Diagnostic, Rule

__all__ = ["RuleCount", "statistics_lines", "statistics_of"]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """The number of findings of a rule.

    Args:
        rule: The rule, with the severity that counts.
        count: Its findings.
        fixable: Those that have a fix.
    """

    rule: Rule
    count: int
    fixable: int


def statistics_of(diagnostics: Iterable[Diagnostic]) -> list[RuleCount]:
    """Count the findings of each rule, the most frequent rule first."""
    findings: dict[str, list[Diagnostic]] = {}
    for finding in diagnostics:
        findings.setdefault(finding.rule.code, []).append(finding)
    counts = [
        RuleCount(group[0].rule, len(group), sum(one.fix is not None for one in group))
        for group in findings.values()
    ]
    return sorted(counts, key=lambda one: (-one.count, one.rule.code))


def statistics_lines(counts: Iterable[RuleCount]) -> list[str]:
    """The table for people: code, name, severity, count, fixable."""
    rows = [("code", "name", "severity", "count", "fixable")]
    rows += [
        (
            one.rule.code,
            one.rule.name,
            one.rule.severity.value,
            f"{one.count:,}",
            f"{one.fixable:,}" if one.fixable else "",
        )
        for one in counts
    ]
    if len(rows) == 1:
        return []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number > 2 else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
