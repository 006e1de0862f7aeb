"""The analysis of a workflow: what the checks ask, computed once for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from agentgraph_compiler.ir.chart import Chart


@dataclass(frozen=True)
class Analysis:
    """What follows from a chart. Each part is computed when the first check asks for it.

    Args:
        chart: The root chart, which ``verify`` found well-formed.
    """

    chart: Chart
