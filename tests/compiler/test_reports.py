"""Diagnostics as text: what a person reads, reviewed as a golden."""

from __future__ import annotations

from agentgraph_compiler import pipeline
from agentgraph_compiler.diagnostics import Diagnostic, Note, Origin, Rule, Severity
from agentgraph_compiler.ir.builder import build
from agentgraph_compiler.ir.chart import Agent, Chart, Enabled, Stop, StopKind, Tool
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.render.report import Quotation, report, summary
from tests.compiler.goldens import assert_golden
from tests.compiler.workflows import (
    ALWAYS_CALLS,
    FILE,
    agent_tool,
    at,
    function,
    guardrail,
    subchart,
    to,
)

SOURCE = [f"line {number} of the program" for number in range(1, 100)]
RULE = Rule("AG999", "wrong-thing", Severity.ERROR, "A wrong thing.")


def quote(origin: Origin, taken: int) -> Quotation | None:
    if origin.file != FILE or origin.line > len(SOURCE):
        return None
    return Quotation(SOURCE[origin.line - 1], indent=5, marks=len(str(origin.line)))


def everything_wrong() -> Chart:
    """One workflow that breaks every rule about workflows."""
    triage = Agent(
        "triage",
        "Triage",
        tools=(
            function("triage", "lookup", line=3),
            Tool("triage/tool/lookup_2", "lookup", WorkKind.FUNCTION, origin=at(7)),
        ),
        handoffs=(
            to("triage", "planner", "Planner", line=20),
            to("triage", "billing", "Billing", line=21, enabled=Enabled.NEVER),
            to("triage", "", "Legal", line=22),
            to("triage", "critic_2", "Critic", line=23),
        ),
        unseen=("the run lists the tools of MCP server 'files'",),
        origin=at(20),
    )
    planner = Agent(
        "planner",
        "Planner",
        handoffs=(to("planner", "critic", "Critic", line=31),),
        output_guardrails=(guardrail("planner", "polite", line=10),),
        choice=ALWAYS_CALLS,
        origin=at(30),
    )
    critic = Agent(
        "critic",
        "Critic",
        tools=(agent_tool("critic", "research", "researcher", line=41),),
        handoffs=(to("critic", "planner", "Planner", line=42),),
        input_guardrails=(guardrail("critic", "on_topic", line=12),),
        stop=Stop(StopKind.NEVER),
        choice=ALWAYS_CALLS,
        origin=at(40),
    )
    billing = Agent("billing", "Billing", origin=at(50))
    namesake = Agent("critic_2", "Critic", origin=at(60))
    archive = Agent("archive", "Archive", handoffs=(to("archive", "billing"),), origin=at(65))
    researcher = Agent(
        "researcher",
        "Researcher",
        tools=(agent_tool("researcher", "dig", "researcher", line=71),),
        origin=at(70),
    )
    return build(
        "Desk",
        "triage",
        [triage, planner, critic, billing, namesake, archive],
        declared=True,
        charts=(subchart("researcher", researcher),),
        origin=at(80),
    )


def test_the_report_of_a_workflow_that_breaks_every_rule() -> None:
    diagnostics = pipeline.check(everything_wrong())
    assert_golden(report(diagnostics, quote), "diagnostics.txt")


def test_a_report_without_sources_and_origins_says_the_rest() -> None:
    diagnostic = Diagnostic(
        RULE, "it is wrong", notes=(Note("because", Origin("a.py", 3)),), help="fix it"
    )
    assert report([diagnostic]) == (
        "error[AG999] wrong-thing: it is wrong\n"
        "  = note: because\n"
        " --> a.py:3\n"
        "  = help: fix it\n\n1 error\n"
    )


def test_a_place_is_quoted_once_and_line_breaks_keep_the_margin() -> None:
    diagnostic = Diagnostic(
        RULE, "first\nsecond", at(9), (Note("here", at(12)), Note("again", at(9)))
    )
    assert report([diagnostic], quote) == (
        "error[AG999] wrong-thing: first\n"
        "             second\n"
        f"  --> {FILE}:9\n"
        "   |\n"
        " 9 | line 9 of the program\n"
        "   |      ^\n"
        "   = note: here\n"
        f"  --> {FILE}:12\n"
        "   |\n"
        "12 | line 12 of the program\n"
        "   |      ^^\n"
        "   = note: again\n"
        f"  --> {FILE}:9\n"
        "\n1 error\n"
    )


def test_a_line_past_the_end_of_the_source_is_not_quoted() -> None:
    diagnostic = Diagnostic(RULE, "it is wrong", Origin(FILE, 5000))
    assert "|" not in report([diagnostic], quote)


def test_nothing_found_is_an_empty_report() -> None:
    assert report([]) == ""
    assert summary([]) == "nothing to report"


def test_the_summary_counts_by_severity() -> None:
    warning = Rule("AG998", "odd-thing", Severity.WARNING, "An odd thing.")
    diagnostics = [Diagnostic(RULE, "a"), Diagnostic(RULE, "b"), Diagnostic(warning, "c")]
    assert summary(diagnostics) == "2 errors, 1 warning"


def many(count: int, *, help: str = "add '{}' somewhere") -> list[Diagnostic]:
    return [
        Diagnostic(RULE, f"agent '{n}' is wrong", Origin(f"f{n % 2}.py", n), help=help.format(n))
        for n in range(1, count + 1)
    ]


def test_a_large_group_shows_its_first_findings_and_counts_the_others() -> None:
    text = report(many(2_000))
    assert [f"agent '{n}' is wrong" in text for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert text.endswith(
        "error[AG999] wrong-thing: 1,997 more like these\n"
        " --> f0.py:4, 6, 8, 10, 12\n"
        " --> f1.py:5, 7, 9, 11, 13\n"
        "  = note: and 1,987 more places\n"
        "\n2000 errors\n"
    )


def test_a_small_group_and_findings_of_other_help_or_rule_are_shown_in_full() -> None:
    other = Rule("AG998", "other-thing", Severity.NOTE, "Another thing.")
    findings = [
        *many(5),
        *many(5, help="remove '{}'"),
        *(Diagnostic(other, "it is odd", help=one.help) for one in many(5)),
    ]
    assert "more like these" not in report(findings)
    assert report([*findings, *many(1)]).count("3 more like these") == 1


def test_a_group_without_places_is_counted_alone() -> None:
    findings = [Diagnostic(RULE, f"it is wrong {n}") for n in range(7)]
    assert report(findings).endswith("error[AG999] wrong-thing: 4 more like these\n\n7 errors\n")
