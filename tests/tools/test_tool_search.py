"""Tools that are found by search, namespaces, and what goes out about programs at the provider."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentDefinitionError,
    ApplyPatchTool,
    CustomTool,
    FunctionTool,
    ProgrammaticToolCallingTool,
    Runner,
    ShellTool,
    ToolSearchTool,
    UserError,
    WebSearchTool,
    function_tool,
    tool_namespace,
)
from agentgraph.models.openai_responses import Converter
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.published_sdk import needs_the_published_sdk, published


def look(place: str) -> str:
    """Look."""
    return f"seen {place}"


def payloads(*tools: Any) -> list[dict[str, Any]]:
    return Converter.convert_tools(list(tools), []).tools


def test_the_tools_of_a_namespace_stand_together_where_the_first_one_stands() -> None:
    first, second, other = (function_tool(look, name_override=name) for name in ("a", "b", "c"))
    near, far = tool_namespace(name=" near ", description="What is near", tools=[first, second])
    assert (near.qualified_name, first.qualified_name) == ("near.a", "a")
    sent = payloads(near, other, WebSearchTool(), far)
    assert [payload.get("name", payload["type"]) for payload in sent] == ["near", "c", "web_search"]
    assert sent[0]["type"] == "namespace"
    assert sent[0]["description"] == "What is near"
    assert [payload["name"] for payload in sent[0]["tools"]] == ["a", "b"]


def test_a_namespace_has_one_description() -> None:
    tools = [
        *tool_namespace(name="n", description="one", tools=[function_tool(look)]),
        *tool_namespace(
            name="n", description="two", tools=[function_tool(look, name_override="b")]
        ),
    ]
    with pytest.raises(UserError, match="namespace 'n' has several descriptions"):
        payloads(*tools)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": " ", "description": "d", "tools": []}, "a name that is not empty"),
        ({"name": "n", "description": None, "tools": []}, "a description that is not empty"),
        ({"name": "n", "description": "d", "tools": [look]}, "function tools only, not function"),
    ],
)
def test_a_namespace_that_says_nothing_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        tool_namespace(**arguments)


async def test_a_tool_in_a_namespace_is_called_like_any_other() -> None:
    tools = tool_namespace(name="near", description="d", tools=[function_tool(look)])
    call = function_call("look", {"place": "Rome"}, call_id="c1", namespace="near")
    model = ScriptedModel([[call], [assistant_message("done")]])
    agent = Agent(name="A", model=model, tools=[*tools, ToolSearchTool()])
    result = await Runner.run(agent, "go")
    assert result.new_items[1].raw_item["output"] == "seen Rome"  # type: ignore[index, call-overload]


def test_a_deferred_tool_needs_a_search_and_there_is_one_search() -> None:
    deferred = function_tool(look, defer_loading=True)
    with pytest.raises(UserError, match="cannot find 'look': add a ToolSearchTool"):
        payloads(deferred)
    with pytest.raises(UserError, match="only one ToolSearchTool"):
        payloads(deferred, ToolSearchTool(), ToolSearchTool())
    assert payloads(deferred, ToolSearchTool())[0]["defer_loading"] is True


class Answer(BaseModel):
    number: int


SAME = """
import json
from PACKAGE import *
from PACKAGE.models.openai_responses import Converter

@function_tool(defer_loading=True)
def later(place: str) -> str:
    "Look later."

@function_tool(allowed_callers=["programmatic"], output_json_schema={"type": "object"})
def inside(place: str) -> str:
    "Look inside."

@function_tool(name_override="spaced")
def spaced(place: str) -> str:
    "Look around."

class Editor:
    create_file = update_file = delete_file = None

tools = [
    later,
    inside,
    *tool_namespace(name="near", description="What is near", tools=[spaced]),
    ToolSearchTool(description="Find tools", execution="server", parameters={"type": "object"}),
    ProgrammaticToolCallingTool(),
    ShellTool(executor=lambda request: "", allowed_callers=["direct", "programmatic"]),
    ApplyPatchTool(editor=Editor(), allowed_callers=["direct"]),
    CustomTool(name="c", description="d", on_invoke_tool=lambda c, t: "",
               allowed_callers=["programmatic"]),
    ShellTool(environment={"type": "container_reference", "container_id": "c1"}),
]
print(json.dumps(Converter.convert_tools(tools, []).tools))
"""


@needs_the_published_sdk
def test_the_payloads_are_those_of_the_published_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {})
    ours = json.loads(capsys.readouterr().out)
    assert ours == published(SAME)
    assert len(ours) == 9


def test_the_schema_of_the_output_may_be_given_as_a_type() -> None:
    made = function_tool(look, output_type=Answer)
    assert made.output_json_schema is not None
    assert made.output_json_schema["required"] == ["number"]
    with pytest.raises(UserError, match="output_type or output_json_schema, not both"):
        function_tool(look, output_type=Answer, output_json_schema={})


MAKERS: list[Callable[..., Any]] = [
    partial(function_tool, look),
    partial(ShellTool, executor=lambda request: ""),
    partial(ApplyPatchTool, object()),  # type: ignore[arg-type]
    partial(CustomTool, "c", "", lambda context, text: ""),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    "callers", [[], ["anyone"], ["direct", "x"], ["direct"] * 2, "direct", ("direct",), 3, [["x"]]]
)
def test_only_a_list_of_the_two_callers_is_allowed(make: Callable[..., Any], callers: Any) -> None:
    with pytest.raises(AgentDefinitionError, match="allowed_callers must be 'direct'"):
        make(allowed_callers=callers)


def test_a_tool_has_the_function_that_it_wraps() -> None:
    assert function_tool(look).__wrapped__ is look
    made = FunctionTool("t", "", {}, lambda context, arguments: None)  # type: ignore[arg-type, return-value]
    assert not hasattr(made, "__wrapped__")
    with pytest.raises(AttributeError):
        made.__wrapped__ = look  # type: ignore[misc]


@pytest.mark.parametrize(
    "tool",
    [
        ShellTool(executor=lambda request: ""),
        ApplyPatchTool(object()),  # type: ignore[arg-type]
        CustomTool("c", "", lambda context, text: ""),
        ProgrammaticToolCallingTool(),
    ],
)
def test_nothing_goes_out_about_programs_that_was_not_said(tool: Any) -> None:
    [payload] = payloads(tool)
    assert "allowed_callers" not in payload
