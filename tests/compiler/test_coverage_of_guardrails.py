"""The table of what guardrails cover: a row for each guardrail, and for each gap."""

from __future__ import annotations

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.coverage import coverage
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    agent_tool,
    chart,
    function,
    guardrail,
    subchart,
    to,
)


def table(workflow: Chart) -> list[str]:
    rows = coverage(Analysis(workflow)).rows
    return [
        " | ".join([row.agent, row.checks, row.guardrail or "-", row.when, " → ".join(row.way)])
        for row in rows
    ]


def desk() -> tuple[Agent, ...]:
    return (
        Agent(
            "a",
            "A",
            handoffs=(to("a", "b"), to("a", "c")),
            input_guardrails=(guardrail("a", "careful"),),
        ),
        Agent("b", "B", output_guardrails=(guardrail("b", "polite"),)),
        Agent(
            "c",
            "C",
            handoffs=(to("c", "a"),),
            choice=ALWAYS_CALLS,
            input_guardrails=(guardrail("c", "late"),),
            output_guardrails=(guardrail("c", "polite"),),
        ),
    )


def test_each_guardrail_and_each_gap_has_a_row() -> None:
    assert table(chart(*desk())) == [
        "A | input | careful | when a run starts with it | ",
        "A | output | - | when it gives the final output | A",
        "B | output | polite | when it gives the final output | A → B",
        "C | input | late | never | ",
        "C | output | polite | never | ",
    ]


def test_in_a_chat_an_agent_that_can_be_last_is_entered_too() -> None:
    rows = table(build("W", "a", desk(), multi_turn=True))
    assert "B | input | - | when a chat goes on with it | " in rows
    assert "C | input | late | never | " in rows


def test_a_further_start_has_a_way_of_its_own() -> None:
    rows = table(build("W", "a", desk(), starts=("c",)))
    assert "C | input | late | when a run starts with it | " in rows


def test_a_long_way_is_named_in_short() -> None:
    chain = [Agent(f"a{n}", f"A{n}", handoffs=(to(f"a{n}", f"a{n + 1}"),)) for n in range(9)]
    last = table(chart(*chain, Agent("a9", "A9")))[-1]
    assert last.endswith("| A0 → … → A6 → A7 → A8 → A9")


def test_an_agent_used_as_a_tool_begins_with_the_call() -> None:
    outer = Agent("s", "S", tools=(agent_tool("s", "ask", "a"),))
    inner = Agent("a", "A", tools=(function("a", "x"),))
    assert table(chart(outer, charts=(subchart("a", inner),))) == [
        "S | input | - | when a run starts with it | ",
        "S | output | - | when it gives the final output | S",
        "A | input | - | when it runs as a tool | ",
        "A | output | - | when it gives the final output | A",
    ]
