"""Findings of several rules together: one cause has one finding, and what is allowed is quiet.

What each rule finds by itself is in `test_rules.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Never

import pytest

from agentgraph import Agent as Authored
from agentgraph import allow
from agentgraph.agent_tool import AgentTool
from agentgraph.program import CompileError, compile, program_for
from agentgraph_compiler import pipeline
from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Enabled,
    Guardrail,
    Handoff,
)
from tests.compiler.rule_cases import choices, turns
from tests.compiler.rule_cases.case import Case, findings_about
from tests.compiler.rule_cases.instructions import follows
from tests.compiler.rule_cases.names import MERGED_NAMES
from tests.compiler.rule_cases.routing import ORDERS, REFUNDS, router, tool
from tests.compiler.rule_cases.types import Backwards, Prices
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    asks,
    at,
    chart,
    function,
    guarded,
    guardrail,
    support_desk,
    to,
    used,
)

NEVER, SOMETIMES = Enabled.NEVER, Enabled.SOMETIMES


def messages(case: Case, code: str) -> list[str]:
    return [finding.message for finding in findings_about(case, code)]


def codes(workflow: Chart) -> list[str]:
    return [diagnostic.rule.code for diagnostic in pipeline.check(workflow)]


def test_a_realistic_workflow_gets_no_warning() -> None:
    desk = support_desk()
    agents = [
        dataclasses.replace(agent, output_guardrails=(guardrail(agent.id, "polite"),))
        for agent in desk.agents
    ]
    guarded_desk = build(desk.name, desk.start, agents, declared=True, charts=desk.charts)
    assert codes(guarded_desk) == ["AG401", "AG506"]
    assert codes(desk) == ["AG503", "AG401", "AG506"]


def test_agents_behind_one_that_no_run_reaches_stand_in_its_finding() -> None:
    agents = (
        Agent("a", "A"),
        Agent("c", "C"),
        Agent("b", "B", handoffs=(to("b", "c"), to("b", "d", enabled=NEVER))),
        Agent("d", "D"),
    )
    (finding,) = findings_about(chart(*agents, declared=True), "AG201")
    assert [note.message for note in finding.notes] == [
        "runs of the workflow start with 'A'",
        "so no run can reach 'C' either",
        "so no run can reach 'D' either",
    ]


AT_FAULT = {
    "AG101": Agent("b", "B", tools=(function("b", "x"), function("b", "x_2"))),
    "AG103": Agent("b", "B", handoffs=(to("b", "", "Elsewhere"),)),
    "AG501": guarded("b"),
    "AG502": guarded("b", "b", kind="output", choice=ALWAYS_CALLS),
}


@pytest.mark.parametrize("code", AT_FAULT)
def test_an_agent_that_no_run_reaches_has_one_cause_and_one_finding(code: str) -> None:
    def codes_if(*handoffs: Handoff) -> list[str]:
        start = Agent("a", "A", handoffs=handoffs)
        return codes(with_one_name(chart(start, AT_FAULT[code], declared=True)))

    assert code in codes_if(to("a", "b"))
    assert codes_if() == ["AG201"]
    assert codes_if(to("a", "b", enabled=NEVER)) == ["AG204"]


def with_one_name(workflow: Chart) -> Chart:
    """The same workflow with one name for the tools of an agent, which no builder accepts."""
    start, agent = workflow.agents
    tools = tuple(dataclasses.replace(tool, name="x") for tool in agent.tools)
    return dataclasses.replace(workflow, agents=(start, dataclasses.replace(agent, tools=tools)))


def test_a_rule_allowed_on_one_guardrail_still_speaks_of_the_others() -> None:
    loud = guardrail("b", "loud")
    quiet = Guardrail("b/quiet", "quiet", allowed=("input-guardrail-never-runs",))
    second = Agent("b", "B", input_guardrails=(loud, quiet))
    (message,) = messages(chart(Agent("a", "A", handoffs=(to("a", "b"),)), second), "AG501")
    assert "'loud'" in message


def test_what_is_wrong_with_an_agent_in_two_charts_is_said_once() -> None:
    twice = Agent(
        "b",
        "B",
        tools=(function("b", "x"), dataclasses.replace(function("b", "x"), symbol="b/2")),
        origin=at(7),
    )
    first = dataclasses.replace(asks("a", "s"), handoffs=(to("a", "b"),))
    assert len(messages(chart(first, twice, charts=used(twice)), "AG101")) == 1


def test_only_errors_are_looked_for_before_a_run() -> None:
    workflow = chart(
        Agent("a", "A", handoffs=(to("a", "", "X"),), unseen=("x",)),
        Agent("b", "B"),
        declared=True,
    )
    assert {diagnostic.rule.code for diagnostic in pipeline.check(workflow)} == {
        "AG103",
        "AG201",
        "AG401",
    }
    assert {diagnostic.rule.code for diagnostic in pipeline.check(workflow, deep=False)} == {
        "AG103"
    }
    assert pipeline.compile_chart(workflow).machine is None


def test_warnings_and_notes_do_not_stop_compilation() -> None:
    workflow = chart(Agent("a", "A", unseen=("x",)), Agent("b", "B"), declared=True)
    compiled = pipeline.compile_chart(workflow)
    assert compiled.machine is not None
    assert len(compiled.diagnostics) == 2


def test_merged_names_stop_a_run_and_the_error_says_why() -> None:
    with pytest.raises(CompileError, match="AG105"):
        program_for(MERGED_NAMES)


def test_a_target_of_two_routers_is_reported_once_for_each_line() -> None:
    inner = Authored(name="Second", handoffs=[ORDERS, REFUNDS], handoff_description="More")
    assert len(messages(router(inner, REFUNDS), "AG212")) == 1


def test_words_are_no_part_of_a_fingerprint() -> None:
    agent = Authored(
        name="A", instructions="Help.", tools=[tool("x", "Search.")], handoffs=[ORDERS]
    )
    program = program_for(agent)
    agents = tuple(dataclasses.replace(one, instructions=None) for one in program.chart.agents)
    wordless = dataclasses.replace(program.chart, agents=agents)
    assert emit(wordless).fingerprint == program.machine.fingerprint


def test_the_finding_names_the_way_and_the_turns_that_it_takes() -> None:
    [finding] = findings_about(turns.asking(turns.meeting(), 1), "AG602")
    assert finding.message == (
        "tool 'ask' of agent 'Desk' has 1 turn, and the shortest way of 'First' to a final output"
        " takes 3"
    )
    assert finding.notes[0].message == "the way: First → Second → First"
    assert finding.help == "give it max_turns=3 or more"


def test_a_tool_that_two_agents_share_is_reported_once_and_can_be_allowed() -> None:
    tool = turns.agent("B", "required", tools=[turns.look]).as_tool("ask", "Ask.", max_turns=1)
    assert isinstance(tool, AgentTool)
    start = Authored(name="A", tools=[tool], handoffs=[Authored(name="C", tools=[tool])])
    assert len(messages(start, "AG602")) == 1
    allow(tool, "turns-below-shortest-way")
    assert messages(start, "AG602") == []


def test_a_misspelt_stop_is_told_the_name_that_is_meant() -> None:
    workflow = choices.stopping("send_bill", tools=(function("a", "send_bills"),))
    (finding,) = findings_about(workflow, "AG217")
    assert finding.help == "write 'send_bills' in place of 'send_bill'"


def test_a_misspelt_name_gets_the_name_that_was_meant() -> None:
    (finding,) = findings_about(
        follows("Call lookup_order first.", tools=[tool("look_up_order", "Find an order.")]),
        "AG211",
    )
    assert finding.help == "write 'look_up_order'"


def test_types_stop_no_compilation() -> None:
    for output_type in (Never, Prices, Backwards):
        assert compile(Authored(name="A", output_type=output_type)).diagnostics


BOTH = Agent("a", "A", handoffs=(to("a", "b"),), input_guardrails=(guardrail("x", "careful"),))
POLITE = (guardrail("x", "polite"),)
HELPS: dict[str, tuple[str, Chart, str]] = {
    "the start lacks it": (
        "AG501",
        chart(Agent("a", "A", handoffs=(to("a", "b"),)), guarded("b")),
        "move 'careful' to the input_guardrails of 'A'",
    ),
    "the start has it": ("AG501", chart(BOTH, guarded("b")), "remove it here: 'A' runs it"),
    "one of two starts lacks it": (
        "AG501",
        build("W", "a", (BOTH, guarded("b"), Agent("c", "C")), starts=("c",)),
        "move 'careful' to the input_guardrails of 'C'",
    ),
    "the agent that answers lacks it": (
        "AG502",
        chart(guarded("a", "b", kind="output", choice=ALWAYS_CALLS), Agent("b", "B")),
        "move 'careful' to agents that give the final output: 'B' does",
    ),
    "the agent that answers has it": (
        "AG502",
        chart(
            guarded("a", "b", kind="output", choice=ALWAYS_CALLS),
            guarded("b", kind="output"),
        ),
        "remove it here: every agent that gives the final output has 'careful'",
    ),
    "one of two agents that answer has it": (
        "AG502",
        chart(
            guarded("a", "b", "c", kind="output", choice=ALWAYS_CALLS),
            guarded("b", kind="output"),
            Agent("c", "C"),
        ),
        "move 'careful' to agents that give the final output: 'C' does",
    ),
    "an answer bypasses it": (
        "AG503",
        chart(
            Agent("a", "A", handoffs=(to("a", "b"),), output_guardrails=POLITE),
            Agent("b", "B", handoffs=(to("b", "a"),)),
        ),
        "add 'polite' to the output_guardrails of 'B'",
    ),
}


@pytest.mark.parametrize("case", HELPS)
def test_no_help_gives_a_guardrail_to_an_agent_that_has_it(case: str) -> None:
    code, workflow, help = HELPS[case]
    (finding,) = findings_about(workflow, code)
    assert finding.help == help
