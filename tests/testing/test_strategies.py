"""Strategies for what one part of a workflow decides, in scripts of `play`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty
from pydantic import BaseModel

from agentgraph import Agent, ModelSettings, function_tool
from agentgraph.exceptions import UserError
from agentgraph.guardrail import GuardrailFunctionOutput, output_guardrail
from agentgraph.testing import Decision, assert_never, play
from agentgraph.testing.routes import KINDS
from agentgraph.testing.script import Reply, model
from agentgraph.testing.strategies import (
    arguments,
    replies,
    rulings,
    tool_results,
    verdicts,
)
from agentgraph.tool_guardrails import ToolGuardrailFunctionOutput, tool_input_guardrail


class Verdict(BaseModel):
    euros: int


@output_guardrail
def polite(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    raise AssertionError("guardrails are simulated")


@tool_input_guardrail
def small(of: Any) -> ToolGuardrailFunctionOutput:
    raise AssertionError("guardrails are simulated")


@function_tool(needs_approval=True, tool_input_guardrails=[small])
def refund(euros: int) -> str:
    """Pay back."""
    raise AssertionError("no tool runs")


@function_tool(timeout=5)
async def look(order: str) -> str:
    """Look up an order."""
    raise AssertionError("no tool runs")


@function_tool(is_enabled=False)
def gone() -> str:
    """It is never on offer."""
    raise AssertionError("no tool runs")


judge = Agent(name="Judge", output_type=Verdict)
refunds = Agent(name="Refunds", tools=[refund, look, gone], output_guardrails=[polite])
triage = Agent(
    name="Triage", handoffs=[refunds], tools=[judge.as_tool("ask_judge", "Ask the judge.")]
)
MANY = settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow])


def drawn(strategy: st.SearchStrategy[Any], count: int = 500) -> list[Any]:
    """What a strategy draws."""
    values: list[Any] = []

    @given(strategy)
    @settings(MANY, max_examples=count, database=None)
    def draw(value: Any) -> None:
        values.append(value)

    draw()
    return values


def kinds(strategy: st.SearchStrategy[Any]) -> set[str]:
    """The kinds of decisions that a strategy draws."""
    return {
        one.kind
        for value in drawn(strategy)
        for one in (value.decisions if isinstance(value, Reply) else [value])
    }


def test_replies_are_what_the_agent_can_do() -> None:
    said = [one for reply in drawn(replies(triage, "Refunds")) for one in reply.decisions]
    assert {(one.kind, one.name) for one in said} == {
        ("answer", ""),
        ("call", "refund"),
        ("call", "look"),
    }
    assert all(isinstance(one.arguments["euros"], int) for one in said if one.name == "refund")
    assert kinds(replies(triage, "Triage")) == {"answer", "call", "handoff"}


def test_the_model_of_an_agent_tool_answers_with_its_type() -> None:
    for reply in drawn(replies(triage, "Judge"), 30):
        [answer] = reply.decisions
        Verdict.model_validate(answer.value)


def test_hostile_replies_come_if_asked_for() -> None:
    assert kinds(replies(triage, "Refunds", hostile=True)) == set(KINDS["model"]) - {"handoff"}
    assert kinds(replies(triage, "Refunds", weights={"model.refuse": 1})) == {
        "answer",
        "call",
        "refuse",
    }


def test_a_tool_choice_counts_if_later_calls_keep_it() -> None:
    chosen = ModelSettings(tool_choice="required")
    agent = Agent(name="A", tools=[look], model_settings=chosen)
    assert kinds(replies(agent, "A")) == {"answer", "call"}
    agent.reset_tool_choice = False
    assert kinds(replies(agent, "A")) == {"call"}


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (tool_results(triage, "look"), {"return", "raise", "time_out"}),
        (tool_results(triage, "refund"), {"return", "raise"}),
        (tool_results(triage, "look", weights={"tool.raise": 0}), {"return", "time_out"}),
        (verdicts(triage, "polite"), {"pass", "trip"}),
        (verdicts(triage, "small"), {"pass", "reject", "trip"}),
        (verdicts(triage, "small", hostile=True), {"pass", "reject", "trip", "raise"}),
        (verdicts(triage, "polite", weights={"guardrail.pass": 0}), {"trip"}),
        (rulings(triage, "refund"), {"approve", "reject", "leave"}),
        (rulings(triage, "refund", weights={"person.leave": 0}), {"approve", "reject"}),
    ],
)
def test_the_kinds_of_decisions(strategy: st.SearchStrategy[Decision], expected: set[str]) -> None:
    assert kinds(strategy) == expected


def test_tools_return_the_results_that_are_listed() -> None:
    values = drawn(tool_results(triage, "look", results={"look": ["here", "gone"]}))
    assert {one.value for one in values if one.kind == "return"} == {"here", "gone"}


@pytest.mark.parametrize(
    "strategy",
    [replies(triage, "Triage"), tool_results(triage, "look"), rulings(triage, "refund")],
)
def test_the_simplest_decision_is_the_smallest_example(strategy: st.SearchStrategy[Any]) -> None:
    least = find(strategy, lambda _: True)
    expected = {"model": "answer", "tool": "return", "person": "approve"}
    one = least.decisions[0] if isinstance(least, Reply) else least
    assert one.kind == expected[one.by]


@given(
    amount=arguments(triage, "refund"),
    ruling=rulings(triage, "refund"),
    screened=verdicts(triage, "small"),
    result=tool_results(triage, "refund", results={"refund": ["paid"]}),
    last=replies(triage, "Refunds", weights={"model.call": 0}),
)
@settings(max_examples=100)
def test_a_script_fixes_the_route_and_strategies_vary_the_rest(
    amount: dict[str, Any], ruling: Decision, screened: Decision, result: Decision, last: Reply
) -> None:
    script = [
        model("Triage").hands_off("transfer_to_refunds"),
        model("Refunds").calls("refund", **amount),
        ruling,
        screened,
        result,
        last,
    ]
    route = play(triage, script, strict=False)
    assert route.agents[:2] == ("Triage", "Refunds")
    if ruling.kind != "approve" or screened.kind != "pass":
        assert_never(route, "refund")
    else:
        assert route.tools == ("refund",)


def test_a_run_need_not_make_every_decision_of_a_script_that_is_not_strict() -> None:
    script = [
        model("Refunds").calls("refund", euros=1),
        Decision("person", "reject", name="refund"),
        Decision("tool", "return", name="refund", value="paid"),
    ]
    route = play(refunds, script, strict=False)
    assert [one.kind for one in route.decisions] == ["call", "reject", "answer", "pass"]


def test_a_failing_example_prints_decisions_in_short() -> None:
    assert pretty(Decision("person", "reject", name="refund")) == (
        "Decision(by='person', kind='reject', name='refund')"
    )


NO_PARTS: list[tuple[Callable[..., Any], str, str]] = [
    (replies, "Clerk", "no agent named 'Clerk'"),
    (tool_results, "lock", "no function tool named 'lock'. Did you mean 'look'?"),
    (tool_results, "ask_judge", "no function tool without an agent behind it named 'ask_judge'"),
    (verdicts, "smal", "no guardrail named 'smal'. Did you mean 'small'?"),
    (rulings, "look", "no tool that needs an approval named 'look'. It has refund."),
]


@pytest.mark.parametrize(("strategy", "name", "message"), NO_PARTS)
def test_parts_that_are_not_there_are_refused(
    strategy: Callable[..., Any], name: str, message: str
) -> None:
    with pytest.raises(UserError, match=message.replace(".", r"\.").replace("?", r"\?")):
        strategy(triage, name)


def test_weights_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UserError, match=r"no kind of decision 'person\.leaves'"):
        rulings(triage, "refund", weights={"person.leaves": 1})
