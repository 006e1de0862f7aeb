"""A run whose agents or tools declare a context says before the first call that it is missing."""

from __future__ import annotations

from typing import Any, Protocol, TypedDict
from unittest.mock import Mock

import pytest

from agentgraph import (
    Agent,
    RunContextWrapper,
    Runner,
    ToolContext,
    UserError,
    allow,
    function_tool,
)
from agentgraph.testing import ScriptedModel, assistant_message


class Customer:
    name = "Ada"


class Guest(Customer):
    pass


class Named(Protocol):
    name: str


class Row(TypedDict):
    name: str


@function_tool
def greet(context: RunContextWrapper[Customer]) -> str:
    """Greet."""
    return context.context.name


@function_tool
def greet_in_the_call(context: ToolContext[Customer]) -> str:
    """Greet."""
    return context.context.name


def said() -> ScriptedModel:
    return ScriptedModel([[assistant_message("hello")]])


def agent(**fields: Any) -> Agent[Any]:
    return Agent(name="Desk", **{"model": said(), **fields})


WRONG = [(None, "gets none"), ("Ada", "gets one of type str"), ({}, "gets one of type dict")]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("context", "words"), WRONG)
@pytest.mark.parametrize("tool", [greet, greet_in_the_call])
async def test_a_tool_that_declares_a_context_is_named_before_the_model_is_called(
    streamed: bool, context: Any, words: str, tool: Any
) -> None:
    desk = agent(tools=[tool])

    async def run() -> None:
        if streamed:
            Runner.run_streamed(desk, "hi", context=context)
        else:
            await Runner.run(desk, "hi", context=context)

    message = f"{tool.name}.*'Desk' needs a context of type Customer.* {words}"
    with pytest.raises(UserError, match=message):
        await run()
    assert desk.model.calls == ()  # type: ignore[union-attr]


async def test_an_agent_of_a_context_needs_it_wherever_it_stands() -> None:
    inner = Agent[Customer](name="Inner", model=said())
    with pytest.raises(UserError, match="Agent 'Inner' needs a context of type Customer"):
        await Runner.run(agent(handoffs=[inner]), "hi")
    assert (await Runner.run(agent(handoffs=[inner]), "hi", context=Guest())).final_output


@pytest.mark.parametrize("context", [Customer(), Guest(), Mock(spec=Customer), Mock()])
async def test_the_class_and_what_derives_from_it_fit(context: Any) -> None:
    result = await Runner.run(agent(tools=[greet]), "hi", context=context)
    assert result.final_output == "hello"


@pytest.mark.parametrize(
    ("declared", "context"),
    [
        (Any, None),
        (None, None),
        (object, None),
        (Named, Customer()),
        (Named, None),
        (Customer | None, None),
        (Row, {"name": "Ada"}),
        (dict[str, Any], {}),
        (list, [1]),
    ],
)
async def test_what_may_fit_is_believed(declared: Any, context: Any) -> None:
    maker: Any = Agent[declared]
    await Runner.run(maker(name="A", model=said()), "hi", context=context)


@pytest.mark.parametrize(
    "declared",
    [
        RunContextWrapper[Customer] | RunContextWrapper[Guest] | None,
        RunContextWrapper[Customer] | ToolContext[Guest],
        RunContextWrapper[Customer] | ToolContext,
    ],
)
async def test_a_tool_that_takes_several_contexts_needs_none_of_them(declared: Any) -> None:
    def look(context: Any) -> str:
        return "seen"

    look.__annotations__["context"] = declared
    await Runner.run(agent(tools=[function_tool(look)]), "hi", context="another")


async def test_a_tool_that_is_on_offer_only_with_its_context_needs_none() -> None:
    def has_customer(context: RunContextWrapper[Any], agent: Any) -> bool:
        return isinstance(context.context, Customer)

    desk = agent(tools=[function_tool(_greet, is_enabled=has_customer)])
    await Runner.run(desk, "hi")
    assert desk.model.calls[0].tools == []  # type: ignore[union-attr]


async def test_a_part_that_is_off_or_allowed_needs_nothing() -> None:
    off = function_tool(lambda context: "", name_override="off", is_enabled=False)
    off._context = Customer
    await Runner.run(agent(tools=[off]), "hi")
    quiet = allow(function_tool(_greet), "context-type-mismatch")
    await Runner.run(agent(tools=[quiet]), "hi")
    await Runner.run(allow(Agent[Customer](name="A", model=said()), "AG301"), "hi")


def _greet(context: RunContextWrapper[Customer]) -> str:
    """Greet."""
    return context.context.name
