"""Cases of the rule about contexts (AG301)."""

from __future__ import annotations

import numbers
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import TypedDict

from agentgraph import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    OutputGuardrail,
    RunContextWrapper,
    function_tool,
    handoff,
    input_guardrail,
)
from agentgraph.tool_context import ToolContext
from agentgraph_compiler.ir import chart as ir
from agentgraph_compiler.types import ANY, Type
from tests.compiler.rule_cases.case import Rows
from tests.compiler.workflows import agent_tool, chart, subchart, to

PERSON = Type("app.Person")


CUSTOMER = Type("app.Customer", ("app.Person",))


CLERK = Type("app.Clerk", ("app.Person",))


STOCK = Type("app.Stock")


def with_tools(context: Type, *contexts: Type, allowed: tuple[str, ...] = ()) -> ir.Chart:
    readers = tuple(
        ir.Reader(f"tool 'tool_{number}'", expected, allowed=allowed)
        for number, expected in enumerate(contexts)
        if expected != ANY
    )
    return chart(ir.Agent("a", "A", context, readers=readers))


READING = (ir.Reader("guardrail 'careful'", STOCK),)


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


def tool_for(context: Any) -> Any:
    async def look(context: Any) -> str:
        return str(context.context)

    look.__annotations__["context"] = context
    return function_tool(look)


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


class Named2:
    name = ""


class Shelved(ABC):
    """Fits customers, because they are registered with it."""

    @abstractmethod
    def count(self) -> int: ...


class Unrelated(ABC):
    """Fits no customer."""

    @abstractmethod
    def count(self) -> int: ...


Shelved.register(Customer)


def clerk(*tools: Any, **fields: Any) -> Any:
    return Agent[Customer](name="Clerk", tools=list(tools), **fields)


def of_name(context: RunContextWrapper[Named2], *arguments: Any) -> Any:
    return context.context.name


def without_context(order: Any) -> str:
    """Look."""
    return str(order.context.shelves)


@input_guardrail
async def of_a_guardrail(
    context: RunContextWrapper[Stock], agent: Agent[Any], input: Any
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(context.context.shelves, tripwire_triggered=False)


FITTING: dict[str, tuple[Type, tuple[Type, ...], list[str]]] = {
    "the same": (CUSTOMER, (CUSTOMER,), []),
    "a base": (CUSTOMER, (PERSON,), []),
    "a special case of what the agent says": (PERSON, (CUSTOMER,), []),
    "any": (CUSTOMER, (ANY,), []),
    "an agent that says nothing": (ANY, (CUSTOMER,), []),
    "a class and its base": (ANY, (CUSTOMER, PERSON), []),
    "a base and its class": (ANY, (PERSON, CUSTOMER), []),
    "another class": (CUSTOMER, (STOCK,), ["tool_0"]),
    "two classes": (ANY, (CUSTOMER, STOCK), ["tool_1"]),
    "two tools of another class": (CUSTOMER, (STOCK, CUSTOMER, STOCK), ["tool_0"]),
    # Each is a person, but no person is both.
    "two cases of one base": (PERSON, (CUSTOMER, CLERK), ["tool_1"]),
}
DECLARED: dict[str, tuple[Any, int]] = {
    "a context of the class": (RunContextWrapper[Customer], 0),
    "a tool's context of the class": (ToolContext[Customer], 0),
    "a context of any class": (RunContextWrapper[Any], 0),
    "a context without a class": (RunContextWrapper, 0),
    "a protocol": (RunContextWrapper[Named], 0),
    "a mapping, which is a protocol": (RunContextWrapper[Mapping[str, str]], 0),
    "one of two classes": (RunContextWrapper[Customer | Stock], 0),
    "a class that is registered with it": (RunContextWrapper[Shelved], 0),
    "a context of another class": (RunContextWrapper[Stock], 1),
    "a tool's context of another class": (ToolContext[Stock], 1),
    "a dictionary": (RunContextWrapper[Row], 1),
    "a class that nothing is registered with": (RunContextWrapper[Unrelated], 1),
}
OPEN: dict[str, tuple[Any, Any]] = {
    "perhaps none": (Customer | None, Customer),
    "one of two": (Customer | Stock, Stock),
    "a path": (Path, os.PathLike),
    "a number": (int, numbers.Number),
}


def context_of(declared: Any, read: Any) -> Any:
    agents: Any = Agent
    wrappers: Any = RunContextWrapper
    return agents[declared](name="Clerk", tools=[tool_for(wrappers[read])])


FIRST = ir.Agent("a", "A", CUSTOMER, handoffs=(to("a", "b"),))
CONTEXT_TYPE_MISMATCH: Rows = {
    **{
        f"the declared class: {name}": (
            with_tools(agent, *tools),
            [f"tool '{one}'" for one in says] or [],
        )
        for name, (agent, tools, says) in FITTING.items()
    },
    **{
        f"a tool takes {name}": (
            clerk(tool_for(expected)),
            ["tool 'look' of agent 'Clerk'"] * count,
        )
        for name, (expected, count) in DECLARED.items()
    },
    **{
        f"inside an agent tool, a tool takes {name}": (
            clerk(Agent[Any](name="Inner", tools=[tool_for(expected)]).as_tool("inner", "It.")),
            ["tool 'look' of agent 'Inner'"] * count,
        )
        for name, (expected, count) in DECLARED.items()
    },
    **{
        f"{name}, {way}": (context_of(*pair), [])
        for name, (one, other) in OPEN.items()
        for way, pair in (("declared", (one, other)), ("read", (other, one)))
    },
    **{
        f"{place} {name}": (with_callable(place, function), ["of agent 'A' reads"] * count)
        for place in PLACES
        for name, function, count in (
            ("for another class", of_stock, 1),
            ("for another class, by an object", Counting(), 1),
            ("that makes no use of it", idle, 0),
            ("without annotations", lambda *arguments: "", 0),
        )
    },
    "hooks that read it": (with_callable("hooks", OfStock()), ["of agent 'A' reads"]),
    "hooks that make no use of it": (with_callable("hooks", Idle()), []),
    "hooks that override nothing": (with_callable("hooks", AgentHooks[Stock]()), []),
    "only attributes that the context has": (with_callable("is_enabled", of_name), []),
    "a dictionary for a dictionary": (
        Agent[dict[str, Any]](name="Clerk", tools=[tool_for(RunContextWrapper[Row])]),
        [],
    ),
    "the first argument is no context": (clerk(function_tool(without_context)), []),
    "a guardrail": (clerk(input_guardrails=[of_a_guardrail]), ["guardrail 'of_a_guardrail'"]),
    "a specialist that reads nothing": (chart(FIRST, ir.Agent("b", "B", STOCK)), []),
    "a specialist's guardrail": (
        chart(FIRST, ir.Agent("b", "B", STOCK, readers=READING)),
        ["guardrail 'careful' of agent 'B' reads the context 'app.Stock'"],
    ),
    "an agent used as a tool": (
        chart(
            ir.Agent("a", "A", CUSTOMER, tools=(agent_tool("a", "ask", "expert"),)),
            charts=(subchart("expert", ir.Agent("e", "Expert", readers=READING)),),
        ),
        ["guardrail 'careful' of agent 'Expert' reads"],
    ),
}

CASES: dict[str, Rows] = {"AG301": CONTEXT_TYPE_MISMATCH}
