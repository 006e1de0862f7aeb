"""`ToolOrigin`: the items of a run say where their tools come from, as in the published SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentgraph import Agent, Runner, RunState, ToolOrigin, ToolOriginType, function_tool
from agentgraph.testing import ScriptedModel, function_call
from agentgraph.tool import get_function_tool_origin
from tests.published_sdk import needs_the_published_sdk, published

SAME = """
import asyncio, json
from PACKAGE import Agent, HostedMCPTool, Runner, ToolOrigin, ToolOriginType, function_tool
from PACKAGE.mcp import MCPServer
from PACKAGE.testing import ScriptedModel, assistant_message, function_call
from PACKAGE.tool import get_function_tool_origin
from mcp.types import CallToolResult, TextContent, Tool
from openai.types.responses import response_output_item as wire

@function_tool
def look(place: str) -> str:
    return place

@function_tool(needs_approval=True)
def book(place: str) -> str:
    return place

class Server(MCPServer):
    name = "desk"

    async def list_tools(self, run_context=None, agent=None):
        return [Tool(name="find", description="Find", title="Finder", inputSchema=EMPTY),
                Tool(name="plain", inputSchema=EMPTY)]

    async def call_tool(self, tool_name, arguments, meta=None):
        return CallToolResult(content=[TextContent(type="text", text="found")])

    async def connect(self): ...
    async def cleanup(self): ...
    async def list_prompts(self): ...
    async def get_prompt(self, name, arguments=None): ...

EMPTY = {"type": "object", "properties": {}}
place = '{"place": "a"}'
listed = wire.McpListTools(
    id="l", type="mcp_list_tools", server_label="web",
    tools=[{"name": "surf", "description": "Surf", "input_schema": {},
            "annotations": {"title": "Surfer"}}],
)
hosted = wire.McpCall(
    id="h", type="mcp_call", server_label="web", name="surf", arguments="{}", output="waves"
)
other = hosted.model_copy(update={"id": "o", "name": "dive"})
inner = Agent(name="Inner desk", model=ScriptedModel([[assistant_message("inside")]]))
named = inner.as_tool("ask", "Ask")
model = ScriptedModel([
    [listed, hosted, other],
    [hosted.model_copy(update={"id": "h2"}),
     function_call("look", place, call_id="1"), function_call("ask", '{"input": "a"}', call_id="2"),
     function_call("find", "{}", call_id="3"), function_call("plain", "{}", call_id="4"),
     function_call("book", place, call_id="5")],
    [function_call("book", place, call_id="6")],
    [assistant_message("Done.")],
])
agent = Agent(
    name="Guide", model=model, mcp_servers=[Server()],
    tools=[look, book, named, HostedMCPTool(tool_config={"type": "mcp", "server_label": "web"})],
)

def shown(items):
    return [
        [item.type, getattr(item, "description", None), getattr(item, "title", None),
         item.tool_origin and item.tool_origin.to_json_dict()]
        for item in items if hasattr(item, "tool_origin")
    ]

async def main():
    results = []
    first = await Runner.run(agent, "Go")
    state = first.to_state()
    results.append(shown(first.interruptions))
    state.approve(first.interruptions[0])
    second = await Runner.run(agent, await type(state).from_json(agent, state.to_json()))
    results.append(shown(second.interruptions))
    state = second.to_state()
    state.reject(second.interruptions[0])
    last = await Runner.run(agent, state)
    results.append(shown(item for item in last.new_items if item.type != "tool_approval_item"))
    results += [get_function_tool_origin(tool).to_json_dict() for tool in (look, named)]
    return results

read = ToolOrigin.from_json_dict
odd = [None, {}, {"type": 1}, {"type": "other"}, {"type": "mcp", "mcp_server_name": 3, "more": 1}]
forms = [repr(read(one)) for one in (*odd, read({"type": "mcp", "agent_name": "a"}).to_json_dict())]
kinds = [[one.name, one.value] for one in ToolOriginType]
print(json.dumps([asyncio.run(main()), forms, kinds]))
"""


@needs_the_published_sdk
def test_the_items_of_a_run_have_the_origins_of_the_published_sdk(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(SAME.replace("PACKAGE", "agentgraph"), {"__name__": "same"})
    ours = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert ours == published(SAME)
    assert len(ours[0][2]) == 15


@function_tool(needs_approval=True)
def book(place: str) -> str:
    """Book a place."""
    return place


async def test_the_stored_state_of_a_run_keeps_the_origins() -> None:
    inner: Agent[Any] = Agent(
        name="Inner",
        model=ScriptedModel([[function_call("book", '{"place": "a"}', call_id="2")]]),
        tools=[book],
    )
    model = ScriptedModel([[function_call("inner", '{"input": "a"}', call_id="1")]])
    agent = Agent(name="Guide", model=model, tools=[inner.as_tool(None, None)])
    result = await Runner.run(agent, "Go")
    text = result.to_state().to_string()
    state: RunState[Any] = await RunState.from_string(agent, text)
    [waiting] = state.get_interruptions()
    assert waiting.tool_origin == ToolOrigin(ToolOriginType.FUNCTION)
    inner_origin = get_function_tool_origin(agent.tools[0])  # type: ignore[arg-type]
    assert f"{json.dumps(inner_origin.to_json_dict())}" in text  # type: ignore[union-attr]
