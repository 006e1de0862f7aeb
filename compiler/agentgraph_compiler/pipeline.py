"""The pipeline: verify, check, emit. All diagnostics are collected; the machine is made only when
none is an error.

``deep=False`` is what a run does: verification and the error-level rules, which are linear and need
no graph library.
"""

from __future__ import annotations

from dataclasses import dataclass

from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.diagnostics import Diagnostic, Severity, errors, in_source_order
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import Machine
from agentgraph_compiler.verify import verify


@dataclass(frozen=True, slots=True)
class Compilation:
    """What compiling a chart gives: every diagnostic, and the machine if none of them is an
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
    found: list[Diagnostic] = []
    for part in CHECKS:
        if deep or part.RULE.severity is Severity.ERROR:
            found.extend(part.check(chart))
    # An agent may stand in several sub-charts; what is wrong with it is said once.
    return in_source_order(dict.fromkeys(found))


def compile_chart(chart: Chart, *, deep: bool = True) -> Compilation:
    """Check a chart and, if no error is found, emit its machine."""
    diagnostics = check(chart, deep=deep)
    return Compilation(None if errors(diagnostics) else emit(chart), diagnostics)
