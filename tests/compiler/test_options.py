"""Options of rules: what a project may set, and that the rules read it."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, check
from agentgraph.exceptions import UserError
from agentgraph.testing import assert_clean
from agentgraph.tool import FunctionTool
from agentgraph_compiler.checks import OPTIONS

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {},
    "required": [],
    "additionalProperties": False,
}


async def nothing(context: object, arguments: str) -> str:
    return ""


def tool(name: str) -> FunctionTool:
    return FunctionTool(name, "A tool.", SCHEMA, nothing)


def router(number: int) -> Agent[Any]:
    return Agent(name="Desk", handoffs=[Agent(name=f"A{n}") for n in range(number)])


def instructed(instructions: str) -> Agent[Any]:
    return Agent(name="Desk", instructions=instructions)


CASES: list[tuple[Agent[Any], str, dict[str, object], bool, bool]] = [
    (router(2), "AG212", {"fewest-handoffs": 3}, True, False),
    (router(3), "AG212", {"fewest-handoffs": 3}, True, True),
    (router(1), "AG212", {"fewest-handoffs": 1}, False, False),
    (instructed("Call look_up_order."), "AG211", {"ignore-names": ["look_up_order"]}, True, False),
    (
        instructed("Call look_up_order."),
        "AG211",
        {"ignore-names": ["LOOK_UP_ORDER_TOOL"]},
        True,
        False,
    ),
    (instructed("Call look_up_order."), "AG211", {"ignore-names": ["look_up"]}, True, True),
    (
        instructed("Transfer to the front desk."),
        "AG210",
        {"ignore-targets": ["Front desk"]},
        True,
        False,
    ),
    (instructed("Transfer to a human."), "AG210", {"ignore-targets": ["Front desk"]}, True, True),
    (instructed("Loop over to the Sales agent."), "AG210", {"verbs": ["loop"]}, False, True),
    (
        instructed("Do not loop over to the Sales agent."),
        "AG210",
        {"verbs": ["loop"]},
        False,
        False,
    ),
    (instructed("Loops go to the Sales agent."), "AG210", {"verbs": ["loop"]}, False, False),
    (Agent(name="A", tools=[tool("x" * 60)]), "AG104", {"longest": 40}, False, True),
    (Agent(name="A", tools=[tool("x" * 40)]), "AG104", {"longest": 40}, False, False),
]


@pytest.mark.parametrize(("agent", "code", "values", "before", "after"), CASES)
def test_a_rule_reads_its_options(
    agent: Agent[Any], code: str, values: dict[str, object], before: bool, after: bool
) -> None:
    assert (code in {one.rule.code for one in check(agent)}) is before
    assert (code in {one.rule.code for one in check(agent, options={code: values})}) is after


def test_every_option_has_a_case() -> None:
    names = {(code, name) for _, code, values, _, _ in CASES for name in values}
    assert names == {(option.rule.code, option.name) for option in OPTIONS}


def test_an_assertion_takes_options_and_refuses_unknown_ones() -> None:
    agent = instructed("Call look_up_order.")
    assert_clean(agent, options={"AG211": {"ignore-names": ["look_up_order"]}})
    with pytest.raises(UserError, match="AG211 has no option 'names': options are ignore-names"):
        assert_clean(agent, options={"AG211": {"names": []}})
