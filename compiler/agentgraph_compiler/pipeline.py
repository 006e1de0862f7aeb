"""The pipeline: verify, check, emit. It collects all diagnostics and makes the machine only if none
of them is an error.

A run uses ``deep=False``: verification and the error-level rules, which take linear time and need
no graph library.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.diagnostics import Diagnostic, Severity, errors, in_source_order
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.verify import verify


@dataclass(frozen=True, slots=True)
class Compilation:
    """The result of compiling a chart: every diagnostic, and the machine if none of them is an
    error."""

    machine: Machine | None
    diagnostics: tuple[Diagnostic, ...]


def check(chart: Chart, *, deep: bool = True) -> tuple[Diagnostic, ...]:
    """Everything the compiler has to say about a chart, in source order.

    Args:
        chart: The root chart.
        deep: Whether to apply the rules of every severity, or only those that can stop a run.
    """
    malformed = verify(chart)
    if malformed:
        return in_source_order(malformed)
    analysis = Analysis(chart)
    diagnostics: list[Diagnostic] = []
    for part in CHECKS:
        if deep or part.RULE.severity is Severity.ERROR:
            diagnostics.extend(part.check(analysis))
    # An agent may be in several sub-charts; its faults are reported once.
    return in_source_order(dict.fromkeys(diagnostics))


def compile_chart(chart: Chart, *, deep: bool = True) -> Compilation:
    """Check a chart and, if it has no errors, emit its machine."""
    diagnostics = check(chart, deep=deep)
    return Compilation(None if errors(diagnostics) else emit(chart), diagnostics)
