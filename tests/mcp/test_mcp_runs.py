"""Tools of real servers in runs, plain and streamed, over every transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import Agent, RunContextWrapper, RunHooks, WebSearchTool, function_tool
from agentgraph.mcp import MCPServer
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.mcp.mcp_servers import (
    HandmadeServer,
    Transport,
    caller,
    connector,
    outputs,
    run,
    stdio_server,
    tool,
)

Loopback = Callable[..., MCPServer]


async def test_an_agent_calls_the_tools_of_a_server(connected: MCPServer, how: str) -> None:
    agent, model = caller(connected, calls=[("add", {"a": 2, "b": 3}), ("greet", {"name": "Ada"})])
    result = await run(how, agent)
    assert outputs(result) == [
        {"type": "text", "text": "5"},
        {"type": "text", "text": "Hello Ada!"},
    ]
    assert result.final_output == "done"
    assert {"add", "greet"} <= {offered.name for offered in model.calls[0].tools}


async def test_the_model_is_sent_content_parts(on_loopback: Loopback, how: str) -> None:
    async with on_loopback() as server:
        agent, model = caller(server, calls=[("picture", {}), ("mixture", {}), ("nothing", {})])
        result = await run(how, agent)
    sent = [item["output"] for item in model.calls[-1].input if "output" in item]
    sound = json.loads(sent[1][1].pop("text"))
    assert sent == [
        [{"type": "input_image", "image_url": "data:image/png;base64,aGk="}],
        [{"type": "input_text", "text": "listen"}, {"type": "input_text"}],
        "[]",
    ]
    assert sound == {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"}
    assert result.final_output == "done"


async def test_the_structured_result_is_shown_where_it_is_wanted(
    on_loopback: Loopback, how: str
) -> None:
    async with on_loopback(use_structured_content=True) as server:
        agent, _ = caller(server, calls=[("add", {"a": 2, "b": 3}), ("refuse", {}), ("greet", {})])
        result = await run(how, agent)
    assert outputs(result) == [
        '{"result": 5}',
        {"type": "text", "text": "Error executing tool refuse"},
        {"type": "text", "text": "Hello you!"},
    ]


async def test_calls_of_one_reply_are_made_at_the_same_time(how: str) -> None:
    """The first call is answered only once the second one came; each run has its own process."""
    async with stdio_server() as server:
        calls = [
            function_call("meet", {"first": True}, call_id="1"),
            function_call("meet", {"first": False}, call_id="2"),
        ]
        model = ScriptedModel([calls, [assistant_message("done")]])
        result = await run(how, Agent(name="A", model=model, mcp_servers=[server]))
    assert [part["text"] for part in outputs(result)] == ["met", "came"]


async def test_two_runs_share_one_server(connected: MCPServer, how: str) -> None:
    agents = [caller(connected, calls=[("add", {"a": n, "b": n})])[0] for n in range(2)]
    results = await asyncio.gather(*(run(how, agent) for agent in agents))
    assert [outputs(result) for result in results] == [
        [{"type": "text", "text": "0"}],
        [{"type": "text", "text": "2"}],
    ]


async def test_tools_of_servers_stand_beside_the_agents_own(
    on_loopback: Loopback, how: str
) -> None:
    @function_tool
    def own() -> str:
        return "mine"

    async with on_loopback() as server:
        agent, model = caller(server, calls=[("own", {}), ("greet", {})], tools=[own])
        result = await run(how, agent)
    assert outputs(result) == ["mine", {"type": "text", "text": "Hello you!"}]
    names = [offered.name for offered in model.calls[0].tools]
    assert (names[0], names[-1]) == ("add", "own")


async def test_a_run_may_stop_with_the_output_of_a_servers_tool(
    on_loopback: Loopback, how: str
) -> None:
    async with on_loopback(use_structured_content=True) as server:
        agent, _ = caller(
            server, calls=[("add", {"a": 1, "b": 1})], tool_use_behavior="stop_on_first_tool"
        )
        result = await run(how, agent)
    assert result.final_output == '{"result": 2}'


@pytest.mark.parametrize("approved", [True, False])
async def test_a_call_waits_for_approval(on_loopback: Loopback, approved: bool, how: str) -> None:
    async with on_loopback(require_approval={"pid": "always"}) as server:
        agent, model = caller(server, calls=[("greet", {}), ("pid", {})])
        waiting = await run(how, agent)
        assert [item.tool_name for item in waiting.interruptions] == ["pid"]
        assert len(outputs(waiting)) == 1
        state = waiting.to_state()
        for item in waiting.interruptions:
            (state.approve if approved else state.reject)(item)
        result = await run(how, agent, state)
    assert result.final_output == "done"
    assert (outputs(result)[-1] == "Tool execution was not approved.") is not approved
    assert len(model.calls) == 3


async def test_metadata_is_sent_with_a_call(
    connected: MCPServer, transport: Transport, how: str
) -> None:
    asked: list[Any] = []

    async def resolver(context: Any) -> dict[str, Any]:
        asked.append((context.server_name, context.tool_name, context.arguments))
        return {"tenant": "t1"}

    connected.tool_meta_resolver = resolver
    agent, _ = caller(connected, calls=[("meta", {})])
    assert outputs(await run(how, agent)) == [{"type": "text", "text": "t1"}]
    assert asked == [(transport, "meta", {})]


async def test_prompts_and_resources_are_read(connected: MCPServer) -> None:
    assert [prompt.name for prompt in (await connected.list_prompts()).prompts] == ["review"]
    filled: Any = await connected.get_prompt("review", {"code": "x = 1"})
    assert [message.content.text for message in filled.messages] == ["Review this: x = 1"]
    assert [str(value.uri) for value in (await connected.list_resources()).resources] == [
        "notes://today"
    ]
    assert (await connected.list_resource_templates()).resource_templates == []
    contents: Any = (await connected.read_resource("notes://today")).contents
    assert [content.text for content in contents] == ["nothing"]


async def test_a_session_over_streamable_http_has_an_id(http_ports: dict[str, int]) -> None:
    server: Any = connector("streamable-http", http_ports["streamable-http"])
    ids = [server.session_id]
    async with server:
        ids.append(server.session_id)
        assert server.server_initialize_result.server_info.name == "test server"
    ids.append(server.session_id)
    assert [bool(value) for value in ids] == [False, True, False]


async def test_a_tool_of_the_agents_own_counts_before_one_of_a_server(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    def add() -> str:
        return "own"

    agent, model = caller(HandmadeServer(tools=[tool("add")]), calls=[("add", {})])
    agent.tools = [function_tool(add)]
    result = await run(how, agent)
    assert outputs(result) == ["own"]
    assert [offered.name for offered in model.calls[0].tools] == ["add"]
    assert "offers more than one tool or handoff called 'add'" in caplog.text


async def test_the_model_is_sent_what_get_all_tools_lists(how: str) -> None:
    @function_tool
    def plain() -> str:
        return "plain"

    @function_tool(is_enabled=False)
    def never() -> str:
        return "never"

    @function_tool(is_enabled=lambda context, agent: agent.name == "A")
    def asked() -> str:
        return "asked"

    async def is_late(context: RunContextWrapper[Any], agent: Any) -> bool:
        return bool(context.usage.requests)

    @function_tool(is_enabled=is_late)
    def late() -> str:
        return "late"

    expert = Agent[Any](name="Expert").as_tool("expert", "Knows.")
    servers = [HandmadeServer("s", [tool("x"), tool("y")]), HandmadeServer("t", [tool("z")])]
    own: list[Any] = [plain, never, WebSearchTool(), asked, expert, late]
    agent, model = caller(*servers, calls=[("x", {}), ("plain", {})], tools=own)
    listed: list[list[Any]] = []

    class Listing(RunHooks[Any]):
        async def on_llm_start(self, context: Any, agent: Any, *texts: Any) -> None:
            listed.append(await agent.get_all_tools(context))

    await run(how, agent, hooks=Listing())

    assert [list(map(as_sent, call.tools)) for call in model.calls] == [
        list(map(as_sent, tools)) for tools in listed
    ]
    names = [[tool.name for tool in tools] for tools in listed]
    first = ["x", "y", "z", "plain", "web_search", "asked", "expert"]
    assert names == [first, [*first, "late"], [*first, "late"]]


def as_sent(tool: Any) -> object:
    """A tool as the model sees it. A server's tools are new objects in each list."""
    return type(tool), tool.name, vars(tool).get("params_json_schema")
