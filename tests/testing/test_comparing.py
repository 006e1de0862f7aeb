"""`same_behaviour` finds the run in which two versions of a workflow differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentgraph import Agent, function_tool
from agentgraph.exceptions import UserError
from agentgraph.guardrail import GuardrailFunctionOutput, output_guardrail
from agentgraph.program import CompileError
from agentgraph.testing import same_behaviour


@function_tool
def look(order: str) -> str:
    """Look."""
    raise AssertionError("no tool runs")


@function_tool(needs_approval=True)
def refund(euros: int) -> str:
    """Pay back."""
    raise AssertionError("no tool runs")


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError


def desk(name: str = "Refunds") -> tuple[Agent[Any], Agent[Any]]:
    refunds = Agent(name=name, tools=[look, refund], output_guardrails=[polite])
    return Agent(name="Triage", handoffs=[refunds]), refunds


def test_equal_versions_do_the_same() -> None:
    assert same_behaviour(desk()[0], desk()[0], runs=50, hostile=True) is None


def test_a_dropped_handoff_is_named_with_the_run() -> None:
    old, new = desk()[0], desk()[0]
    new.handoffs = []
    difference = same_behaviour(old, new, runs=10)
    assert difference is not None
    assert "'transfer_to_refunds' is not on offer to Triage" in difference.fault
    assert difference.new is None
    assert "hands off to Refunds" in str(difference)


def test_a_removed_guardrail_is_a_difference() -> None:
    old, (new, refunds) = desk()[0], desk()
    refunds.output_guardrails = []
    difference = same_behaviour(old, new, runs=10)
    assert difference is not None


def test_a_lost_approval_is_shown_side_by_side() -> None:
    free = replace(refund, needs_approval=False)
    old, (new, refunds) = desk()[0], desk()
    refunds.tools = [look, free]
    difference = same_behaviour(old, new, runs=50)
    assert difference is not None
    assert "person approves refund" in str(difference)


def test_what_only_the_new_version_does_is_a_difference() -> None:
    old, new = desk()[0], desk()[0]
    new.tools = [look]
    difference = same_behaviour(old, new, runs=50)
    assert difference is not None
    assert difference.fault.startswith("Only the new version takes this run: ")
    assert "'look' is not on offer to Triage" in difference.fault


def test_renamed_agents_are_the_same_agents() -> None:
    old, new = desk("Refunds")[0], desk("Refunds")[0]
    old.name, new.name = "Front", "Triage"
    assert same_behaviour(old, new, runs=5) is not None
    assert same_behaviour(old, new, runs=30, renamed={"Front": "Triage"}) is None


def test_a_version_with_errors_is_refused() -> None:
    broken = Agent(name="Triage", tools=[look, look])
    with pytest.raises(CompileError, match="two tools named 'look'"):
        same_behaviour(desk()[0], broken)


def test_a_new_name_for_an_agent_that_a_version_does_not_have_is_an_error() -> None:
    one = Agent(name="Front")
    with pytest.raises(UserError, match=r"'Frnt', but the old version has no agent .* has Front"):
        same_behaviour(one, one, renamed={"Frnt": "Front"})
    with pytest.raises(UserError, match="'Back', but the new version has no agent of that name"):
        same_behaviour(one, one, renamed={"Front": "Back"})


def test_code_that_is_named_as_real_runs_in_both_versions() -> None:
    def made(limit: int) -> Agent[Any]:
        @output_guardrail
        def short(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(None, tripwire_triggered=len(str(output)) > limit)

        return Agent(name="A", output_guardrails=[short])

    assert same_behaviour(made(10), made(2), runs=50) is None
    assert same_behaviour(made(10), made(10), runs=50, real=["short"]) is None
    difference = same_behaviour(made(10), made(2), runs=50, real=["short"])
    assert difference is not None
    assert "guardrail short of A" in difference.fault
