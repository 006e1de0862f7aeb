"""What a case of a rule is: a workflow, and what each finding of the rule about it says."""

from __future__ import annotations

from typing import Any, TypeAlias

from agentgraph import Agent, Workflow
from agentgraph.frontend.followed import Root, charts_together
from agentgraph_compiler import pipeline
from agentgraph_compiler.diagnostics import Diagnostic
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.ir.text import parse_chart

Case: TypeAlias = Chart | Agent[Any] | Workflow | Root | str
"""A chart, its printed form, what a user writes, or that with the starts of its runs."""

Rows: TypeAlias = dict[str, tuple[Case, list[str]]]
"""Cases of one rule, by what is special about each: a part of the text of each finding, in their
order. The text is the message with the notes. A case without a finding is close to one with."""


def charts_of(case: Case) -> list[Chart]:
    """The charts that the compiler checks together."""
    match case:
        case Chart():
            return [case]
        case str():
            return [parse_chart(case)]
        case Root():
            return charts_together(case)
        case _:
            return charts_together(Root(case))


def findings_about(case: Case, code: str) -> list[Diagnostic]:
    """What one rule finds in a case."""
    return [one for one in pipeline.check_together(charts_of(case)) if one.rule.code == code]
