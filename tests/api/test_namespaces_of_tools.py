"""Tools of one name in several namespaces: the namespace of a call says which one it means."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    Agent,
    CompileError,
    FunctionTool,
    Runner,
    StopAtTools,
    ToolSearchTool,
    check,
    function_tool,
    tool_namespace,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call


def look(answer: str) -> FunctionTool:
    @function_tool(name_override="look", description_override="Look.")
    def tool() -> str:
        return answer

    return tool


def call(namespace: str | None, call_id: str) -> Any:
    made: Any = function_call("look", {}, call_id=call_id)
    made.namespace = namespace
    return made


def desk(*replies: Any, **fields: Any) -> Agent[Any]:
    tools = [
        *tool_namespace(name="crm", description="Customers", tools=[look("a customer")]),
        *tool_namespace(name="erp", description="Goods", tools=[look("an article")]),
        ToolSearchTool(),
    ]
    model = ScriptedModel([*replies, [assistant_message("done")]])
    return Agent(name="Desk", tools=tools, model=model, **fields)


async def outputs(agent: Agent[Any]) -> list[Any]:
    result = await Runner.run(agent, "go")
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


async def test_the_namespace_of_a_call_says_which_tool_it_means() -> None:
    agent = desk([call("erp", "1"), call("crm", "2")])
    assert check(agent) == ()
    assert await outputs(agent) == ["an article", "a customer"]


async def test_a_namespace_that_the_agent_does_not_have_leaves_the_name() -> None:
    assert await outputs(desk([call("elsewhere", "1")])) == ["a customer"]


@pytest.mark.parametrize(
    ("name", "namespace", "final"),
    [
        ("look", "erp", "an article"),
        ("look", "crm", "a customer"),
        ("erp.look", "erp", "an article"),
        ("erp.look", "crm", "done"),
    ],
)
async def test_a_tool_that_ends_the_run_is_named_with_or_without_its_namespace(
    name: str, namespace: str, final: str
) -> None:
    behavior = StopAtTools(stop_at_tool_names=[name])
    agent = desk([call(namespace, "1")], tool_use_behavior=behavior)
    assert (await Runner.run(agent, "go")).final_output == final


async def test_one_name_twice_in_a_namespace_is_an_error() -> None:
    twins = [look("one"), look("two")]
    tools = [*tool_namespace(name="crm", description="Customers", tools=twins), ToolSearchTool()]
    with pytest.raises(CompileError, match=r"offers two tools named 'crm\.look'"):
        await Runner.run(Agent(name="Desk", tools=tools, model=ScriptedModel([])), "go")
