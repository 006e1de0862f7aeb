"""What the compiler says of workflows with edges beside its rules: types, bounds, coverage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentgraph import (
    Agent,
    End,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    Workflow,
    check,
    compile,
)
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.coverage import coverage
from agentgraph_compiler.emit import machine_from_json
from tests.cli.command import agentgraph
from tests.workflow.flows import Review, Ticket


async def passes(*_: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, tripwire_triggered=False)


def count(text: str) -> int:
    return len(text)


def support(end: object = End("x")) -> Workflow:
    triage = Agent(name="Triage", output_type=Ticket, output_guardrails=[OutputGuardrail(passes)])
    writer = Agent(name="Writer", input_guardrails=[InputGuardrail(passes)])
    flow = Workflow("Support", start=triage)
    cases: dict[Any, Any] = {"refund": writer, "order": end, "other": end}
    flow.route(triage, on="kind", cases=cases)
    flow.then(writer, count)
    return flow


@pytest.mark.parametrize(
    ("end", "expected"),
    [(End("x"), str | int), (End(), Ticket | int), (Agent(name="Bye", output_type=Review), None)],
)
def test_the_output_type_is_the_union_of_the_ends(end: Any, expected: Any) -> None:
    expected = Review | int if expected is None else expected
    assert set(compile(support(end)).output_type.__args__) == set(expected.__args__)


def test_an_edge_is_no_handoff_and_guardrails_run_beside_it() -> None:
    flow = support()
    program = compile(flow)
    rows = str(program.bounds()).splitlines()
    assert rows[1].split() == ["model", "calls", "1", "2"]
    assert rows[4].split() == ["handoffs", "0", "0"]
    table = str(coverage(Analysis(program.chart)))
    assert "screen" not in table
    assert "when an edge enters it" in table
    assert "when its step is over: Triage" in table
    assert not [one for one in check(flow) if one.rule.code in ("AG501", "AG502", "AG503")]


def test_a_declared_agent_to_which_nothing_leads_is_reported() -> None:
    one, two, three = (Agent(name=name) for name in ("One", "Two", "Three"))
    four = Agent(name="Four")
    two.handoffs = [three]
    flow = Workflow("Flow", start=one, agents=[one, two, three, four])
    flow.then(one, two)
    assert [(one.rule.code, "'Four'" in one.message) for one in check(flow)] == [("AG201", True)]


def test_a_machine_with_edges_goes_through_json() -> None:
    machine = compile(support()).machine
    read = machine_from_json(machine.to_json())
    assert read == machine
    assert read.fingerprint == machine.fingerprint


def test_the_fingerprint_tells_cases_apart() -> None:
    one, other = compile(support()).machine, compile(support(End("y"))).machine
    assert one.fingerprint == compile(support()).machine.fingerprint
    assert one.fingerprint != other.fingerprint


def test_the_command_line_takes_the_agents_of_steps_for_parts_of_the_workflow(
    tmp_path: Path,
) -> None:
    file = tmp_path / "flow.py"
    file.write_text(
        "from agentgraph import Agent, Workflow\n"
        'one, two = Agent(name="One"), Agent(name="Two")\n'
        'flow = Workflow("Flow", start=one)\n'
        "flow.then(one, two)\n"
    )
    done = agentgraph("check", "--bounds", file)
    assert done.status == 0
    assert "runs from One" in done.out
    assert "runs from Two" not in done.out
