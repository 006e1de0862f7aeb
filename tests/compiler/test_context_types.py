"""The rule `context-type-mismatch`, and what the front end reads as a declared context."""

from __future__ import annotations

import dataclasses
import numbers
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from typing_extensions import TypedDict

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    RunContextWrapper,
    allow,
    check,
    function_tool,
    input_guardrail,
)
from agentgraph.tool_context import ToolContext
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir import chart as ir
from agentgraph_compiler.types import ANY, Type
from tests.compiler.workflows import agent_tool, chart, function, guardrail, subchart, to

PERSON = Type("app.Person")
CUSTOMER = Type("app.Customer", ("app.Person",))
CLERK = Type("app.Clerk", ("app.Person",))
STOCK = Type("app.Stock")


def faults_of(workflow: ir.Chart) -> list[str]:
    return [one.message for one in pipeline.check(workflow) if one.rule.code == "AG301"]


def with_tools(context: Type, *contexts: Type, allowed: tuple[str, ...] = ()) -> ir.Chart:
    tools = tuple(
        function("a", f"tool_{number}", context=expected, allowed=allowed)
        for number, expected in enumerate(contexts)
    )
    return chart(ir.Agent("a", "A", context, tools=tools))


@pytest.mark.parametrize(
    ("agent", "tools", "mismatched"),
    [
        (CUSTOMER, (CUSTOMER,), []),
        (CUSTOMER, (PERSON,), []),
        (PERSON, (CUSTOMER,), []),
        (CUSTOMER, (ANY,), []),
        (ANY, (CUSTOMER,), []),
        (ANY, (CUSTOMER, PERSON), []),
        (ANY, (PERSON, CUSTOMER), []),
        (CUSTOMER, (STOCK,), ["tool_0"]),
        (ANY, (CUSTOMER, STOCK), ["tool_1"]),
        (CUSTOMER, (STOCK, CUSTOMER, STOCK), ["tool_0", "tool_2"]),
        # Each is a person, but no person is both.
        (PERSON, (CUSTOMER, CLERK), ["tool_1"]),
    ],
)
def test_a_tool_fits_what_the_workflow_runs_with(
    agent: Type, tools: tuple[Type, ...], mismatched: list[str]
) -> None:
    messages = faults_of(with_tools(agent, *tools))
    assert [message.split("'")[1] for message in messages] == mismatched


def test_the_message_names_both_types() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK)) == [
        "tool 'tool_0' of agent 'A' expects the context 'app.Stock', but the workflow runs with"
        " 'app.Customer'"
    ]


def test_agents_and_guardrails_declare_contexts_too() -> None:
    first = ir.Agent("a", "A", CUSTOMER, handoffs=(to("a", "b"),))
    judge = guardrail("b", "careful", context=STOCK)
    second = ir.Agent("b", "B", STOCK, output_guardrails=(judge,))
    assert [message.split(" expects")[0] for message in faults_of(chart(first, second))] == [
        "agent 'B'",
        "guardrail 'careful' of agent 'B'",
    ]


def test_an_agent_used_as_a_tool_shares_the_context() -> None:
    expert = subchart("expert", ir.Agent("e", "Expert", STOCK))
    asking = ir.Agent("a", "A", CUSTOMER, tools=(agent_tool("a", "ask", "expert"),))
    assert faults_of(chart(asking, charts=(expert,))) == [
        "agent 'Expert' expects the context 'app.Stock', but the workflow runs with 'app.Customer'"
    ]


def test_it_is_allowed_on_agent_or_part() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK, allowed=("context-type-mismatch",))) == []
    workflow = with_tools(CUSTOMER, STOCK)
    (agent,) = workflow.agents
    allowing = dataclasses.replace(agent, allowed=("AG301",))
    assert faults_of(dataclasses.replace(workflow, agents=(allowing,))) == []


def test_a_mismatch_does_not_stop_compilation() -> None:
    assert pipeline.compile_chart(with_tools(CUSTOMER, STOCK)).machine is not None


@dataclass
class Customer:
    name: str = ""


@dataclass
class Stock:
    shelves: int = 0


class Named(Protocol):
    name: str


class Row(TypedDict):
    name: str


def _codes(agent: Any) -> list[str]:
    return [one.rule.code for one in check(agent) if one.rule.code == "AG301"]


def _tool(context: Any) -> Any:
    async def look(context: Any) -> str:
        return ""

    look.__annotations__["context"] = context
    return function_tool(look)


@pytest.mark.parametrize(
    ("expected", "count"),
    [
        (RunContextWrapper[Customer], 0),
        (ToolContext[Customer], 0),
        (RunContextWrapper[Any], 0),
        (RunContextWrapper, 0),
        (RunContextWrapper[Named], 0),
        (RunContextWrapper[Mapping[str, str]], 0),
        (RunContextWrapper[Customer | Stock], 0),
        (RunContextWrapper[Stock], 1),
        (ToolContext[Stock], 1),
        (RunContextWrapper[Row], 1),
    ],
)
def test_a_tool_declares_its_context_by_its_first_argument(expected: Any, count: int) -> None:
    agent = Agent[Customer](name="Clerk", tools=[_tool(expected)])
    assert len(_codes(agent)) == count


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Customer | None, Customer),
        (Customer | Stock, Stock),
        (Path, os.PathLike),
        (int, numbers.Number),
    ],
    ids=repr,
)
def test_what_names_no_single_class_fits_every_run(declared: Any, expected: Any) -> None:
    agents: Any = Agent
    wrappers: Any = RunContextWrapper
    for context, asked in ((declared, expected), (expected, declared)):
        tool = _tool(wrappers[asked])
        assert _codes(agents[context](name="Clerk", tools=[tool])) == []


def test_a_dictionary_is_a_dictionary_whatever_its_keys_are_called() -> None:
    agent = Agent[dict[str, Any]](name="Clerk", tools=[_tool(RunContextWrapper[Row])])
    assert _codes(agent) == []


def test_a_guardrail_declares_its_context_by_its_first_argument() -> None:
    @input_guardrail
    async def judge(
        context: RunContextWrapper[Stock], agent: Agent[Any], input: Any
    ) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    guardrails: list[Any] = [judge]
    assert _codes(Agent[Customer](name="Clerk", input_guardrails=guardrails)) == ["AG301"]


def test_an_agent_declares_its_context_by_instructions_or_hooks_as_well() -> None:
    def instructions(context: RunContextWrapper[Customer], agent: Agent[Customer]) -> str:
        return context.context.name

    class Hooks(AgentHooks[Customer]):
        pass

    hooks: Any = Hooks()
    tool = _tool(RunContextWrapper[Stock])
    assert _codes(Agent(name="Clerk", tools=[tool])) == []
    assert _codes(Agent(name="Clerk", instructions=instructions, tools=[tool])) == ["AG301"]
    assert _codes(Agent(name="Clerk", hooks=hooks, tools=[tool])) == ["AG301"]
    assert _codes(Agent[Stock](name="Clerk", hooks=hooks, tools=[tool])) == []


def test_a_finding_can_be_allowed_where_it_is_written() -> None:
    tool = allow(_tool(RunContextWrapper[Stock]), "context-type-mismatch")
    assert _codes(Agent[Customer](name="Clerk", tools=[tool])) == []
