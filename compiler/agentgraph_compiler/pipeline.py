"""The pipeline: verify, check, emit. It collects all diagnostics and makes the machine only if none
of them is an error.

A run uses ``deep=False``: verification and the error-level rules, which take linear time and need
no graph library.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks import (
    CHECKS,
    input_guardrail_never_runs,
    output_guardrail_never_runs,
)
from agentgraph_compiler.diagnostics import Diagnostic, Origin, Severity, errors, in_source_order
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.options import NO_OPTIONS, OptionValues
from agentgraph_compiler.verify import verify


@dataclass(frozen=True, slots=True)
class Compilation:
    """The result of compiling a chart: every diagnostic, and the machine if none of them is an
    error."""

    machine: Machine | None
    diagnostics: tuple[Diagnostic, ...]


ABOUT_ALL_RUNS: Final = frozenset(
    rule.code for rule in (input_guardrail_never_runs.RULE, output_guardrail_never_runs.RULE)
)
"""Rules that say "never": they hold for an agent only if they hold in each chart that has it."""

Checked: TypeAlias = tuple[frozenset[Origin], Sequence[Diagnostic]]
"""The places of the agents that were checked together, and the findings about them."""


def check(
    chart: Chart, *, deep: bool = True, options: OptionValues = NO_OPTIONS
) -> tuple[Diagnostic, ...]:
    """Everything the compiler has to say about a chart, in source order.

    Args:
        chart: The root chart.
        deep: Whether to apply the rules of every severity, or only those that can stop a run.
        options: What the project sets about rules.
    """
    malformed = verify(chart)
    if malformed:
        return in_source_order(malformed)
    analysis = Analysis(chart, options)
    diagnostics: list[Diagnostic] = []
    inner = [
        Analysis(replace(part, charts=chart.charts), options)
        for part in (analysis.parts if any(part.steps for part in chart.charts) else ())
        if part.steps and part is not chart
    ]
    for part in CHECKS:
        if deep or part.RULE.severity is Severity.ERROR:
            diagnostics.extend(part.check(analysis))
            for one in inner if hasattr(part, "OF_EACH_CHART") else ():
                diagnostics.extend(part.check(one))
    # An agent may be in several sub-charts; its faults are reported once.
    return in_source_order(dict.fromkeys(diagnostics))


def check_together(
    charts: Sequence[Chart], options: OptionValues = NO_OPTIONS
) -> tuple[Diagnostic, ...]:
    """What the compiler has to say about charts that are parts of one program."""
    if len(charts) == 1:
        return check(charts[0], options=options)
    findings = united([(places_of(chart), check(chart, options=options)) for chart in charts])
    unique = {key(finding): finding for finding in reversed(findings)}
    return in_source_order(unique.values())


def places_of(chart: Chart) -> frozenset[Origin]:
    """Where the agents of a chart are made."""
    return frozenset(agent.origin for part in chart.walk() for agent in part.agents)


def united(
    checked: Sequence[Checked], about_all_runs: Set[str] = ABOUT_ALL_RUNS
) -> list[Diagnostic]:
    """The findings of charts or files that hold for all of them.

    Args:
        checked: What each of them says.
        about_all_runs: The codes of rules that hold for an agent or a run only if they hold in each
            chart and in each file that has it.
    """
    return [
        finding
        for _, diagnostics in checked
        for finding in diagnostics
        if finding.rule.code not in about_all_runs or _holds_for_all(finding, checked)
    ]


def key(finding: Diagnostic) -> tuple[str, Origin, str]:
    """What two findings share that say the same: their notes may name different starts."""
    return finding.rule.code, finding.origin, finding.message


def _holds_for_all(finding: Diagnostic, checked: Sequence[Checked]) -> bool:
    return all(
        any(key(finding) == key(one) for one in diagnostics)
        for places, diagnostics in checked
        if finding.origin in places
    )


def compile_chart(chart: Chart, *, deep: bool = True) -> Compilation:
    """Check a chart and, if it has no errors, emit its machine."""
    diagnostics = check(chart, deep=deep)
    return Compilation(None if errors(diagnostics) else emit(chart), diagnostics)
