"""What a finding about contexts says, and what the front end reads as a declared context.

The cases of the rule stand in `rule_cases/contexts.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agentgraph import (
    Agent,
    AgentHooks,
    RunContextWrapper,
    allow,
    check,
    function_tool,
    handoff,
)
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir import chart as ir
from tests.compiler.rule_cases.contexts import (
    CUSTOMER,
    STOCK,
    Customer,
    Stock,
    tool_for,
    with_callable,
    with_tools,
)


def faults_of(workflow: ir.Chart) -> list[str]:
    return [one.message for one in pipeline.check(workflow) if one.rule.code == "AG301"]


def test_the_message_names_both_types() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK)) == [
        "tool 'tool_0' of agent 'A' reads the context 'app.Stock', but the workflow runs with"
        " 'app.Customer'"
    ]


def test_an_agent_gets_one_finding_for_all_its_callables() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK, STOCK)) == [
        "tool 'tool_0' and 1 more callables of agent 'A' read the context 'app.Stock', but the"
        " workflow runs with 'app.Customer'"
    ]


def test_it_is_allowed_on_agent_or_part() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK, allowed=("context-type-mismatch",))) == []
    workflow = with_tools(CUSTOMER, STOCK)
    (agent,) = workflow.agents
    allowing = dataclasses.replace(agent, allowed=("AG301",))
    assert faults_of(dataclasses.replace(workflow, agents=(allowing,))) == []


def test_a_mismatch_does_not_stop_compilation() -> None:
    assert pipeline.compile_chart(with_tools(CUSTOMER, STOCK)).machine is not None


def _codes(agent: Any) -> list[str]:
    return [one.rule.code for one in check(agent) if one.rule.code == "AG301"]


def test_an_agent_declares_its_context_by_instructions_or_hooks_as_well() -> None:
    def instructions(context: RunContextWrapper[Customer], agent: Agent[Customer]) -> str:
        return context.context.name

    class Hooks(AgentHooks[Customer]):
        pass

    hooks: Any = Hooks()
    tool = tool_for(RunContextWrapper[Stock])
    assert _codes(Agent(name="Clerk", tools=[tool])) == []
    assert _codes(Agent(name="Clerk", instructions=instructions, tools=[tool])) == ["AG301"]
    assert _codes(Agent(name="Clerk", hooks=hooks, tools=[tool])) == ["AG301"]
    assert _codes(Agent[Stock](name="Clerk", hooks=hooks, tools=[tool])) == []


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda context, *rest: context.context.shelves, 1),
        (lambda context, *rest: context.context.name and context.context.age, 1),
        (lambda context, *rest: context.context.name, 0),
        (lambda context, *rest: getattr(context.context, "shelves", 0), 0),
        (lambda context, *rest: context.usage, 0),
        (lambda context, *rest: str(context.context), 0),
        (lambda context, *rest: context.context.__class__, 0),
    ],
)
def test_an_attribute_that_the_class_lacks_is_reported_without_annotations(
    function: Any, count: int
) -> None:
    for place in ("is_enabled", "is_enabled of a handoff", "needs_approval", "tool_use_behavior"):
        assert len(_codes(with_callable(place, function))) == count


def test_an_attribute_that_another_callable_sets_is_there() -> None:
    def note(context: RunContextWrapper[Any]) -> None:
        context.context.reason = "asked"

    other = Agent[Any](name="Other")
    enabled = handoff(other, is_enabled=lambda context, agent: context.context.reason)
    assert _codes(Agent[Customer](name="A", handoffs=[enabled])) == ["AG301"]
    noted = Agent[Customer](name="A", handoffs=[enabled, handoff(other, "note", on_handoff=note)])
    assert _codes(noted) == []


def test_a_subagent_with_several_callables_is_reported_once() -> None:
    tools = [tool_for(RunContextWrapper[Stock]), function_tool(of_stock_tool)]
    inner = Agent[Stock](name="Inner", tools=tools).as_tool("inner", "It.")
    (finding,) = [
        one
        for one in check(Agent[Customer](name="Clerk", tools=[inner]))
        if one.rule.code == "AG301"
    ]
    assert [note.message for note in finding.notes[:2]] == [
        "tool 'look' reads it",
        "tool 'of_stock_tool' reads it",
    ]


def of_stock_tool(context: RunContextWrapper[Stock]) -> int:
    return context.context.shelves


def test_a_finding_can_be_allowed_where_it_is_written() -> None:
    tool = allow(tool_for(RunContextWrapper[Stock]), "context-type-mismatch")
    assert _codes(Agent[Customer](name="Clerk", tools=[tool])) == []
