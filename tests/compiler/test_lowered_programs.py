"""From a program to the printed chart, reviewed as a golden; `allow` and `draw` on programs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agentgraph import Agent, UserError, Workflow, allow, check, compile, function_tool, handoff
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.ir.text import parse_chart, print_chart
from agentgraph_compiler.machine import BACK, Rest
from tests.compiler.goldens import assert_golden
from tests.compiler.homework import triage


def test_the_chart_of_the_homework_workflow_is_as_reviewed() -> None:
    chart, _ = lower(triage)
    printed = print_chart(chart, origins=False)
    # Digests change with every library that writes a schema; that they are there is enough.
    assert_golden(re.sub(r"(digest|~) [0-9a-f]{8,}", r"\1 0", printed), "homework.ir")


def test_what_a_program_lowers_to_survives_printing() -> None:
    chart, _ = lower(triage)
    assert parse_chart(print_chart(chart)) == chart


def test_origins_are_the_lines_of_the_program() -> None:
    chart, _ = lower(triage)
    source = Path(chart.agents[0].origin.file).read_text(encoding="utf-8").split("\n")
    written = [source[agent.origin.line - 1] for agent in chart.agents]
    assert written == [
        "triage = Agent[Any](",
        "history_tutor = Agent[Any](",
        'math_tutor = Agent[Any](name="Math Tutor", tools=[calculate])',
    ]


@pytest.mark.parametrize("rule", ["unreachable-agent", "AG201"])
def test_allow_keeps_a_rule_quiet_about_one_agent(rule: str) -> None:
    quiet, loud = allow(Agent(name="Quiet"), rule), Agent(name="Loud")
    first = Agent(name="First")
    workflow = Workflow("W", start=first, agents=[first, quiet, loud])
    (diagnostic,) = check(workflow)
    assert "'Loud'" in diagnostic.message


def test_allow_keeps_a_rule_quiet_about_one_tool_and_one_handoff() -> None:
    @function_tool(name_override="search")
    def again(query: str) -> str:
        """Search again."""
        return query

    @function_tool
    def search(query: str) -> str:
        """Search."""
        return query

    other = Agent(name="Other")
    never = handoff(other, is_enabled=False)
    agent = Agent(name="A", tools=[search, again], handoffs=[never])
    assert {diagnostic.rule.code for diagnostic in check(agent)} == {"AG101", "AG204"}
    allow(again, "duplicate-tool-name")
    allow(never, "handoff-never-enabled")
    assert check(agent) == ()


def test_a_program_draws_itself(tmp_path: Path) -> None:
    program = compile(triage)
    assert "Triage Agent" in program.draw()
    program.draw(tmp_path / "states.mmd", level="states")
    assert (tmp_path / "states.mmd").read_text(encoding="utf-8").startswith("flowchart TB")
    with pytest.raises(UserError, match="no level 'tools'"):
        program.draw(level="tools")


def test_a_program_is_a_graph_of_its_states() -> None:
    program = compile(triage)
    graph = program.to_networkx()
    assert set(graph.nodes) == {state.id for state in program.machine.states}
    machine = program.machine
    own = [row for state in machine.states for row in state.transitions if row.target != BACK]
    at_work = [state for state in machine.states if state.rest is Rest.NO]
    assert graph.number_of_edges() == len(own) + len(at_work) * len(machine.rows)
    assert graph.nodes["initial"]["kind"] == "initial"
