"""Every rule of the compiler: what it finds, and what it leaves alone though it is close.

The cases stand in `rule_cases`, a file for each family.
"""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from agentgraph_compiler import pipeline
from agentgraph_compiler.checks import CHECKS, pages
from agentgraph_compiler.ir.chart import Chart
from tests.compiler.rule_cases import (
    branches,
    choices,
    contexts,
    edges,
    guardrails,
    instructions,
    machines,
    names,
    routing,
    shape,
    turns,
    types,
    unseen,
)
from tests.compiler.rule_cases.case import Case, Rows, charts_of, findings_about
from tests.rule_cases import assert_three_of_each

CASES: dict[str, Rows] = {
    code: rows
    for family in (
        names,
        shape,
        machines,
        routing,
        instructions,
        choices,
        contexts,
        types,
        unseen,
        guardrails,
        turns,
        edges,
        branches,
    )
    for code, rows in family.CASES.items()
}
RULES = {rule.code: rule for rule in pages()}
OF_THE_MACHINE = {"AG200", "AG205"}
"""Rules about what the interpreter relies on. No user can allow what they find."""
FAULTY = [
    pytest.param(code, case, id=f"{code}: {name}")
    for code, rows in CASES.items()
    for name, (case, says) in rows.items()
    if says and code not in OF_THE_MACHINE
]


@pytest.mark.parametrize(
    ("code", "case", "says"),
    [
        pytest.param(code, case, says, id=f"{code}: {name}")
        for code, rows in CASES.items()
        for name, (case, says) in rows.items()
    ],
)
def test_a_rule_reports_what_is_at_fault_and_nothing_else(
    code: str, case: Case, says: list[str]
) -> None:
    texts = [
        "\n".join([finding.message, *(note.message for note in finding.notes)])
        for finding in findings_about(case, code)
    ]
    assert len(texts) == len(says), texts
    for text, part in zip(texts, says, strict=True):
        assert part in text


def test_each_rule_has_workflows_at_fault_and_innocent_ones() -> None:
    assert_three_of_each(
        pages(), {code: [bool(says) for _, says in rows.values()] for code, rows in CASES.items()}
    )


@pytest.mark.parametrize(("code", "case"), FAULTY)
def test_a_rule_allowed_on_all_agents_is_quiet(code: str, case: Case) -> None:
    for word in (code, RULES[code].name):
        charts = [allowing(chart, word) for chart in charts_of(case)]
        assert code not in {one.rule.code for one in pipeline.check_together(charts)}


def allowing(workflow: Chart, rule: str) -> Chart:
    agents = tuple(dataclasses.replace(agent, allowed=(rule,)) for agent in workflow.agents)
    charts = tuple(allowing(part, rule) for part in workflow.charts)
    steps = tuple(dataclasses.replace(step, allowed=(rule,)) for step in workflow.steps)
    return dataclasses.replace(workflow, agents=agents, charts=charts, steps=steps)


def test_a_rule_about_steps_is_applied_to_every_chart_that_has_steps() -> None:
    reads_steps = {
        part.RULE.code for part in CHECKS if "analysis.chart.steps" in inspect.getsource(part.check)
    }
    marked = {part.RULE.code for part in CHECKS if hasattr(part, "OF_EACH_CHART")}
    # AG201 asks whether an agent is in a step, which another rule then reports.
    assert reads_steps - {"AG201"} <= marked
    assert marked
