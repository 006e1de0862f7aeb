"""Assertions about a route say what is wrong with it, and `can_reach` finds a witness."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, function_tool
from agentgraph.exceptions import UserError
from agentgraph.guardrail import GuardrailFunctionOutput, output_guardrail
from agentgraph.testing import (
    Decision,
    Route,
    assert_always,
    assert_answers_within,
    assert_at_most,
    assert_never,
    assert_precedes,
    assert_reaches,
    can_reach,
    explore,
    play,
)
from agentgraph.testing.patterns import Pattern
from agentgraph.testing.script import ScriptPart, model


@function_tool
def verify() -> str:
    """Check who it is."""
    return ""


@function_tool
def refund(euros: int) -> str:
    """Pay back."""
    return ""


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError


refunds = Agent(name="Refunds", tools=[verify, refund], output_guardrails=[polite])
judge = Agent(name="Judge")
triage = Agent(name="Triage", handoffs=[refunds], tools=[judge.as_tool("ask", "Ask the judge.")])
nowhere = Agent(name="verify", tools=[verify])


def route(*script: ScriptPart) -> Route:
    return play(triage, [model("Triage").hands_off("transfer_to_refunds"), *script])


verified = route(
    model("Refunds").calls("verify"),
    model("Refunds").calls("refund", euros=5),
    model("Refunds").answers(),
)
unverified = route(
    model("Refunds").calls("refund", euros=500),
    model("Refunds").calls("refund", euros=5).calls("verify"),
    model("Refunds").answers(),
)


def large(decision: Decision) -> bool:
    return isinstance(decision.arguments, dict) and decision.arguments.get("euros", 0) > 100


def test_never() -> None:
    assert_never(verified, large)
    assert_never(verified, "verify", after="refund")
    with pytest.raises(AssertionError, match=r"'refund' comes, as move 3:\n\n1\. model of Triage"):
        assert_never(unverified, "refund")
    with pytest.raises(AssertionError, match="'verify' comes after 'refund', as move"):
        assert_never(unverified, "verify", after="refund")
    with pytest.raises(AssertionError, match="large comes, as move 2"):
        assert_never(unverified, large)


def test_always() -> None:
    assert_always(verified, lambda one: one.agent)
    assert_always(verified, lambda one: not large(one), when="refund")
    with pytest.raises(AssertionError, match="the condition does not hold of move 3"):
        assert_always(unverified, lambda one: not large(one), when="tool:refund")


def test_precedes() -> None:
    assert_precedes(verified, "verify", "refund")
    assert_precedes(verified, "verify", "refund", each=True)
    with pytest.raises(AssertionError, match="'refund' comes as move 3, without 'verify' before"):
        assert_precedes(unverified, "verify", "refund")
    twice = route(
        model("Refunds").calls("verify"),
        model("Refunds").calls("refund", euros=1),
        model("Refunds").calls("refund", euros=1),
        model("Refunds").answers(),
    )
    assert_precedes(twice, "verify", "refund")
    with pytest.raises(AssertionError, match="without 'verify' of its own before"):
        assert_precedes(twice, "verify", "refund", each=True)


def test_reaches() -> None:
    assert_reaches(verified, "Refunds")
    assert_reaches(verified, "answer:Refunds")
    assert_reaches(verified, "guardrail:polite", after="refund")
    assert_reaches(verified, "verify", after="ask")
    with pytest.raises(AssertionError, match="the run ends without 'ask'"):
        assert_reaches(verified, "ask")
    with pytest.raises(AssertionError, match="the run ends without 'verify' after 'refund'"):
        assert_reaches(verified, "verify", after="refund")


def test_a_run_that_did_not_end_by_itself_need_not_reach_anything() -> None:
    cut = next(one for one in explore(triage, 1) if one.end == "cut")
    assert_reaches(cut, "Judge")


def test_at_most_and_within() -> None:
    assert_at_most(verified, "refund", 1)
    with pytest.raises(AssertionError, match="'refund' comes 2 times, more than 1"):
        assert_at_most(unverified, "refund", 1)
    assert_answers_within(verified, 4)
    with pytest.raises(AssertionError, match="the run makes 4 model calls, more than 3"):
        assert_answers_within(verified, 3)
    cut = next(one for one in explore(triage, 1) if one.end == "cut")
    with pytest.raises(AssertionError, match="the run is cut, without an answer"):
        assert_answers_within(cut, 4)


def test_an_agent_tool_is_a_tool_and_its_agent_an_agent() -> None:
    asked = play(
        triage,
        [
            model("Triage").calls("ask", input="?"),
            model("Judge").answers("!"),
            model("Triage").answers(),
        ],
    )
    assert_reaches(asked, "tool:ask")
    assert_reaches(asked, "agent:Judge")
    assert_precedes(asked, "ask", "Judge")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("refnd", "no agent, tool, handoff or guardrail named 'refnd'. Did you mean 'refund'"),
        ("agent:refund", "no agent named 'refund'. Did you mean 'Refunds'"),
        ("answer:Clerk", "no agent named 'Clerk'. It has Judge, Refunds, Triage"),
    ],
)
def test_a_part_that_is_not_there_is_named(pattern: Pattern, message: str) -> None:
    with pytest.raises(UserError, match=message):
        assert_never(verified, pattern)


def test_a_name_of_several_parts_must_say_which() -> None:
    [ambiguous, *_] = explore(nowhere, 2)
    with pytest.raises(UserError, match="write 'agent:verify' or 'tool:verify'"):
        assert_never(ambiguous, "verify")
    assert_reaches(ambiguous, "agent:verify")


def test_a_witness_has_the_fewest_model_calls() -> None:
    witness = can_reach(triage, "refund")
    assert witness is not None
    assert witness.agents == ("Triage", "Refunds")
    assert can_reach(triage, "refund", 1) is None
    assert can_reach(judge, lambda one: one.kind == "handoff") is None
    with pytest.raises(UserError, match="no agent, tool, handoff or guardrail named 'refunded'"):
        can_reach(triage, "refunded")
