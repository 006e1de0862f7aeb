"""The rule `context-type-mismatch`, and what the front end reads as a declared context."""

from __future__ import annotations

import dataclasses
import numbers
import os
from abc import ABC, abstractmethod
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
    OutputGuardrail,
    RunContextWrapper,
    allow,
    check,
    function_tool,
    handoff,
    input_guardrail,
)
from agentgraph.tool_context import ToolContext
from agentgraph_compiler import pipeline
from agentgraph_compiler.ir import chart as ir
from agentgraph_compiler.types import ANY, Type
from tests.compiler.workflows import agent_tool, chart, subchart, to

PERSON = Type("app.Person")
CUSTOMER = Type("app.Customer", ("app.Person",))
CLERK = Type("app.Clerk", ("app.Person",))
STOCK = Type("app.Stock")


def faults_of(workflow: ir.Chart) -> list[str]:
    return [one.message for one in pipeline.check(workflow) if one.rule.code == "AG301"]


def with_tools(context: Type, *contexts: Type, allowed: tuple[str, ...] = ()) -> ir.Chart:
    readers = tuple(
        ir.Reader(f"tool 'tool_{number}'", expected, allowed=allowed)
        for number, expected in enumerate(contexts)
        if expected != ANY
    )
    return chart(ir.Agent("a", "A", context, readers=readers))


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
        (CUSTOMER, (STOCK, CUSTOMER, STOCK), ["tool_0"]),
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
        "tool 'tool_0' of agent 'A' reads the context 'app.Stock', but the workflow runs with"
        " 'app.Customer'"
    ]


def test_an_agent_gets_one_finding_for_all_its_callables() -> None:
    assert faults_of(with_tools(CUSTOMER, STOCK, STOCK)) == [
        "tool 'tool_0' and 1 more callables of agent 'A' read the context 'app.Stock', but the"
        " workflow runs with 'app.Customer'"
    ]


READING = (ir.Reader("guardrail 'careful'", STOCK),)


def test_an_agent_that_reads_nothing_fits_every_run() -> None:
    first = ir.Agent("a", "A", CUSTOMER, handoffs=(to("a", "b"),))
    assert faults_of(chart(first, ir.Agent("b", "B", STOCK))) == []
    (message,) = faults_of(chart(first, ir.Agent("b", "B", STOCK, readers=READING)))
    assert message.startswith("guardrail 'careful' of agent 'B' reads the context 'app.Stock'")


def test_an_agent_used_as_a_tool_shares_the_context() -> None:
    expert = subchart("expert", ir.Agent("e", "Expert", readers=READING))
    asking = ir.Agent("a", "A", CUSTOMER, tools=(agent_tool("a", "ask", "expert"),))
    (message,) = faults_of(chart(asking, charts=(expert,)))
    assert message.startswith("guardrail 'careful' of agent 'Expert' reads")


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
        return str(context.context)

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
        return GuardrailFunctionOutput(context.context.shelves, tripwire_triggered=False)

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


def of_stock(context: RunContextWrapper[Stock], *arguments: Any) -> Any:
    return context.context.shelves


def idle(context: RunContextWrapper[Stock], *arguments: Any) -> Any:
    return arguments


class OfStock(AgentHooks[Stock]):
    async def on_start(self, context: Any, agent: Any) -> None:
        print(context.context.shelves)


class Idle(AgentHooks[Stock]):
    async def on_start(self, context: Any, agent: Any) -> None:
        print(agent.name)


class Counting:
    def __call__(self, context: RunContextWrapper[Stock], *arguments: Any) -> Any:
        return context.context.shelves


def with_callable(place: str, function: Any) -> Any:
    """An agent for customers with a callable in one place."""

    def work(text: str) -> str:
        return text

    other = Agent[Any](name="Other", handoff_description="Else")
    match place:
        case "instructions" | "tool_use_behavior":
            return Agent[Customer](name="A", **{place: function})
        case "is_enabled of a handoff":
            return Agent[Customer](name="A", handoffs=[handoff(other, is_enabled=function)])
        case "on_handoff":
            return Agent[Customer](name="A", handoffs=[handoff(other, on_handoff=function)])
        case "output guardrail":
            return Agent[Customer](name="A", output_guardrails=[OutputGuardrail(function)])
        case "failure_error_function" | "is_enabled" | "needs_approval":
            tool = function_tool(work, **{place: function}, description_override="Work.")
            return Agent[Customer](name="A", tools=[tool])
        case "is_enabled of an agent tool":
            return Agent[Customer](name="A", tools=[other.as_tool("a", "b", is_enabled=function)])
        case _:
            return Agent[Customer](name="A", hooks=function)


PLACES = (
    "instructions",
    "tool_use_behavior",
    "is_enabled of a handoff",
    "on_handoff",
    "output guardrail",
    "failure_error_function",
    "is_enabled",
    "needs_approval",
    "is_enabled of an agent tool",
)


@pytest.mark.parametrize("place", PLACES)
def test_every_callable_that_takes_a_context_is_read(place: str) -> None:
    assert _codes(with_callable(place, of_stock)) == ["AG301"]
    assert _codes(with_callable(place, Counting())) == ["AG301"]
    assert _codes(with_callable(place, idle)) == []
    assert _codes(with_callable(place, lambda *arguments: "")) == []


def test_hooks_are_read_by_the_methods_that_they_override() -> None:
    assert _codes(with_callable("hooks", OfStock())) == ["AG301"]
    assert _codes(with_callable("hooks", Idle())) == []
    assert _codes(with_callable("hooks", AgentHooks[Stock]())) == []


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


def test_a_callable_for_another_class_that_reads_only_what_the_context_has_fits() -> None:
    def of_name(context: RunContextWrapper[Named2], *arguments: Any) -> Any:
        return context.context.name

    assert _codes(with_callable("is_enabled", of_name)) == []


class Named2:
    name = ""


def test_the_first_argument_of_a_tool_is_no_context_unless_it_says_so() -> None:
    def look(order: Any) -> str:
        """Look."""
        return str(order.context.shelves)

    assert _codes(Agent[Customer](name="A", tools=[function_tool(look)])) == []


class Shelved(ABC):
    """Fits customers, because they are registered with it."""

    @abstractmethod
    def count(self) -> int: ...


class Unrelated(ABC):
    """Fits no customer."""

    @abstractmethod
    def count(self) -> int: ...


Shelved.register(Customer)


@pytest.mark.parametrize(("expected", "count"), [(Shelved, 0), (Unrelated, 1)])
def test_a_class_that_is_registered_with_another_fits(expected: Any, count: int) -> None:
    tool = _tool(RunContextWrapper[expected])
    assert len(_codes(Agent[Customer](name="Clerk", tools=[tool]))) == count
    inner = Agent[Any](name="Inner", tools=[tool]).as_tool("inner", "It.")
    assert len(_codes(Agent[Customer](name="Clerk", tools=[inner]))) == count


def test_a_subagent_with_several_callables_is_reported_once() -> None:
    tools = [_tool(RunContextWrapper[Stock]), function_tool(of_stock_tool)]
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
    tool = allow(_tool(RunContextWrapper[Stock]), "context-type-mismatch")
    assert _codes(Agent[Customer](name="Clerk", tools=[tool])) == []
