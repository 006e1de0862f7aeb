"""A server's tool as a function tool: schema, description, approval, guardrails, results."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from mcp.types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextResourceContents,
)

from agentgraph import (
    Agent,
    FunctionTool,
    RunContextWrapper,
    ToolContext,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
)
from agentgraph.mcp import MCPToolMetaContext, MCPUtil
from agentgraph.tool_server import ToolServer
from tests.mcp.mcp_servers import HandmadeServer, caller, outputs, run, text, tool

CONTEXT: RunContextWrapper[Any] = RunContextWrapper(None)
PLAIN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**PLAIN, "required": ["a"], "additionalProperties": False}
EMPTY: dict[str, Any] = {"type": "object", "properties": {}}
NESTED = {"type": "object", "properties": {"a": {"items": {"type": ["null", "object"]}}}}
PATTERNS = {**PLAIN, "patternProperties": {"^x": {"type": "string"}}}
FREE_FORM = {"type": "object", "properties": {}, "additionalProperties": True}


def convert(
    schema: dict[str, Any] | None = None, *, strict: bool = False, **fields: Any
) -> FunctionTool:
    return MCPUtil.to_function_tool(tool("x", schema, **fields), HandmadeServer(), strict)


def call_context(agent: Agent[Any] | None = None) -> ToolContext[Any]:
    return ToolContext(None, tool_name="x", tool_call_id="1", tool_arguments="{}", agent=agent)


def test_a_server_is_a_source_of_tools_as_agents_know_it() -> None:
    assert isinstance(HandmadeServer(), ToolServer)


@pytest.mark.parametrize(
    ("given", "shown", "is_strict"),
    [
        (
            PLAIN,
            {**PLAIN, "required": ["a"], "additionalProperties": False},
            True,
        ),
        (
            {},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            True,
        ),
        (FREE_FORM, FREE_FORM, False),
        # Closed, these could hold nothing.
        ({"type": "object"}, {"type": "object", "properties": {}}, False),
        ({"type": "object", "properties": {}}, {"type": "object", "properties": {}}, False),
        (NESTED, NESTED, False),
        (PATTERNS, PATTERNS, False),
        (
            {"type": "object", "properties": {}, "additionalProperties": False},
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
            True,
        ),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": PLAIN}},
            {**CLOSED, "$defs": {"A": CLOSED}},
            True,
        ),
        (
            {"allOf": [PLAIN, PLAIN]},
            {"type": "object", "properties": {}, "allOf": [PLAIN] * 2},
            False,
        ),
        ({"anyOf": [PLAIN]}, {"type": "object", "properties": {}, "anyOf": [PLAIN]}, False),
    ],
)
def test_a_schema_is_made_strict_where_it_can_be(
    given: dict[str, Any], shown: dict[str, Any], is_strict: bool
) -> None:
    before = deepcopy(given)
    converted = convert(given, strict=True)
    assert converted.params_json_schema == shown
    assert converted.strict_json_schema is is_strict
    assert given == before


@pytest.mark.parametrize("strict", [False, True])
def test_editing_a_converted_schema_leaves_the_servers_alone(strict: bool) -> None:
    schema = deepcopy(NESTED)
    convert(schema, strict=strict).params_json_schema["properties"]["a"]["title"] = "edited"
    assert schema == NESTED


def test_a_schema_is_shown_as_it_is_but_for_what_the_api_asks_for() -> None:
    assert convert(PLAIN).params_json_schema == PLAIN
    assert convert({}).params_json_schema == {"type": "object", "properties": {}}
    assert convert(PLAIN).strict_json_schema is False


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"description": "What it does", "title": "Title"}, "What it does"),
        ({"title": "Title"}, "Title"),
        ({}, ""),
    ],
)
def test_a_tool_is_described_as_the_server_does(fields: dict[str, Any], shown: str) -> None:
    assert convert(**fields).description == shown


SOUND = AudioContent(type="audio", data="aGk=", mime_type="audio/wav")
LINK = ResourceLink(type="resource_link", name="n", uri="x://y")
EMBEDDED = EmbeddedResource(
    type="resource", resource=TextResourceContents(uri="x://y", text="inside")
)
HI = {"type": "text", "text": "hi"}


@pytest.mark.parametrize(
    ("contents", "shown"),
    [
        ([text("hi")], HI),
        ([text("hi"), text("ho")], [HI, {"type": "text", "text": "ho"}]),
        ([], []),
        (
            [ImageContent(type="image", data="aGk=", mime_type="image/png")],
            {"type": "image", "image_url": "data:image/png;base64,aGk="},
        ),
        (
            [SOUND],
            {"type": "text", "text": '{"type":"audio","data":"aGk=","mimeType":"audio/wav"}'},
        ),
        (
            [LINK],
            {"type": "text", "text": '{"name":"n","uri":"x://y","type":"resource_link"}'},
        ),
        (
            [EMBEDDED],
            {
                "type": "text",
                "text": '{"type":"resource","resource":{"uri":"x://y","text":"inside"}}',
            },
        ),
    ],
)
async def test_a_result_is_shown_as_structured_outputs(contents: list[Any], shown: Any) -> None:
    server = HandmadeServer(result=CallToolResult(content=contents))
    given = await MCPUtil.invoke_mcp_tool(server, tool("x"), call_context(), "{}")
    assert given == shown


@pytest.mark.parametrize(
    ("wanted", "structured", "failed", "shown"),
    [
        (False, {"a": 1}, False, HI),
        (True, {"a": 1}, False, '{"a": 1}'),
        (True, {"a": 1}, True, HI),
        (True, {}, False, HI),
        (True, None, False, HI),
    ],
)
async def test_a_structured_result_is_shown_only_if_wanted_and_there(
    wanted: bool, structured: Any, failed: bool, shown: Any
) -> None:
    result = CallToolResult(content=[text("hi")], structured_content=structured, is_error=failed)
    server = HandmadeServer(result=result, use_structured_content=wanted)
    assert await MCPUtil.invoke_mcp_tool(server, tool("x"), call_context(), "{}") == shown


@pytest.mark.parametrize(
    ("setting", "needed"),
    [
        (None, ""),
        (False, ""),
        (True, "abc"),
        ("never", ""),
        ("always", "abc"),
        ({"a": "always", "b": "never"}, "a"),
        ({"always": {"tool_names": ["a"]}}, "a"),
        ({"always": {"tool_names": ["a"]}, "never": {"tool_names": ["a", "b"]}}, "a"),
        ({"never": {"tool_names": ["a"]}}, ""),
        ({"always": "never"}, ""),
    ],
)
def test_approval_is_asked_for_as_the_server_says(setting: Any, needed: str) -> None:
    server = HandmadeServer(require_approval=setting)
    converted = [MCPUtil.to_function_tool(tool(name), server, False) for name in "abc"]
    assert (
        "".join(offered_tool.name for offered_tool in converted if offered_tool.needs_approval)
        == needed
    )


@pytest.mark.parametrize("decides_later", [False, True])
async def test_a_function_decides_on_approval(decides_later: bool, how: str) -> None:
    asked: list[tuple[Any, str, str]] = []

    def decide(context: Any, agent: Any, offered_tool: Any) -> Any:
        asked.append((context.context, agent.name, offered_tool.name))
        verdict = bool(offered_tool.name == "b")

        async def later() -> bool:
            return verdict

        return later() if decides_later else verdict

    server = HandmadeServer(tools=[tool("a"), tool("b")], require_approval=decide)
    agent, _ = caller(server, calls=[("a", {}), ("b", {})])
    waiting = await run(how, agent)
    assert [item.tool_name for item in waiting.interruptions] == ["b"]
    assert asked == [(None, "A", "a"), (None, "A", "b")]


async def test_without_an_agent_to_ask_about_a_person_decides() -> None:
    server = HandmadeServer(require_approval=lambda context, agent, offered_tool: False)
    rule: Any = MCPUtil.to_function_tool(tool("x"), server, False).needs_approval
    assert await rule(CONTEXT, {}, "1") is True
    assert await rule(call_context(Agent(name="A")), {}, "1") is False
    with_agent = MCPUtil.to_function_tool(tool("x"), server, False, agent=Agent(name="A"))
    rule = with_agent.needs_approval
    assert await rule(CONTEXT, {}, "1") is False


async def test_guardrails_of_the_server_guard_each_of_its_tools(how: str) -> None:
    reject = ToolGuardrailFunctionOutput.reject_content
    server = HandmadeServer(
        tools=[tool("x")],
        tool_input_guardrails=[
            ToolInputGuardrail(
                lambda data: (
                    reject("not that")
                    if "bad" in data.context.tool_arguments
                    else ToolGuardrailFunctionOutput.allow()
                )
            )
        ],
        tool_output_guardrails=[ToolOutputGuardrail(lambda data: reject("not this"))],
    )
    agent, _ = caller(server, calls=[("x", {"word": "bad"}), ("x", {})])
    assert outputs(await run(how, agent)) == ["not that", "not this"]
    assert server.calls == [("x", {}, None)]


@pytest.mark.parametrize(
    ("resolved", "given", "sent"),
    [
        (None, None, None),
        ({"a": 1}, None, {"a": 1}),
        (None, {"b": 2}, {"b": 2}),
        ({"a": 1, "b": 1}, {"b": 2}, {"a": 1, "b": 2}),
    ],
)
async def test_metadata_of_the_call_comes_before_the_resolvers(
    resolved: Any, given: Any, sent: Any
) -> None:
    asked: list[MCPToolMetaContext] = []

    def resolve(context: MCPToolMetaContext) -> Any:
        asked.append(context)
        # What a resolver does to the arguments stays with it.
        context.arguments.clear()  # type: ignore[union-attr]
        return resolved

    server = HandmadeServer(tool_meta_resolver=resolve)
    await MCPUtil.invoke_mcp_tool(server, tool("x"), call_context(), '{"k": 1}', meta=given)
    assert server.calls == [("x", {"k": 1}, sent)]
    assert (asked[0].server_name, asked[0].tool_name) == ("handmade", "x")


async def test_one_servers_tools_are_renamed_by_a_function() -> None:
    server = HandmadeServer("s", tools=[tool("x"), tool("y")])
    agent = Agent[Any](name="A")

    async def names(**settings: Any) -> list[str]:
        found = await MCPUtil.get_function_tools(server, False, CONTEXT, agent, **settings)
        return [offered.name for offered in found]

    assert await names() == ["x", "y"]
    assert await names(include_server_in_tool_names=True) == ["mcp_s__x", "mcp_s__y"]
    assert await names(tool_name_override=lambda offered_tool: offered_tool.name * 2) == [
        "xx",
        "yy",
    ]


async def test_a_server_that_a_program_wrote_needs_no_constructor_of_ours(how: str) -> None:
    class Bare(HandmadeServer):
        def __init__(self) -> None:
            self._name, self.tools, self.result, self.calls = "bare", [tool("x")], None, []
            self.listings = 0

    agent, _ = caller(Bare(), calls=[("x", {})])
    assert outputs(await run(how, agent)) == [{"type": "text", "text": "fine"}]
    with pytest.raises(NotImplementedError, match="'bare'"):
        await Bare().list_resources()
