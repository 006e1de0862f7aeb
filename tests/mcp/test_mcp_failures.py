"""Servers that die, hang, refuse or talk nonsense: who is told what, and what is left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import Agent, AgentsException, MCPToolCancellationError, Runner, UserError
from agentgraph.agent import MCPConfig
from agentgraph.mcp import MCPServer, MCPServerSse, MCPServerStdio, MCPServerStreamableHttp
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from agentgraph.tools.errors import FAILED
from tests.mcp.mcp_servers import (
    REFUSING,
    HandmadeServer,
    Transport,
    caller,
    connector,
    faulty_server,
    http_server,
    outputs,
    run,
    stdio_server,
    tool,
)

Loopback = Callable[..., Any]
# What goes wrong in a call, and a part of what is said about it.
FAULTY_CALLS = [
    ("garbage", "timed out"),
    ("wrong-shape", "validation error"),
    ("internal-error", "out of order"),
]
QUOTING: MCPConfig = {"failure_error_function": lambda context, error: str(error)}
"""Tells the model what the exception says, which by default stays here."""


async def dying(transport: Transport, how: str, handler: Any) -> Any:
    """A run in which the server's process ends in the middle of a call."""
    if transport == "stdio":
        return await _dying(connector("stdio"), how, handler)
    with http_server(transport) as port:
        return await _dying(connector(transport, port), how, handler)


async def _dying(server: MCPServer, how: str, handler: Any) -> Any:
    async with server:
        agent, _ = caller(
            server, calls=[("die", {})], mcp_config={"failure_error_function": handler}
        )
        return await run(how, agent)


async def test_a_server_that_dies_in_a_call_ends_the_run_without_a_failure_function(
    transport: Transport, how: str
) -> None:
    with pytest.raises(AgentsException) as caught:
        await dying(transport, how, None)
    assert str(caught.value).startswith(
        f"MCP server {transport!r} failed to run tool 'die' for agent 'A': "
    )


async def test_a_server_that_dies_between_calls_cannot_list_its_tools(how: str) -> None:
    """The model is told of the call; the next turn asks for the tools of a server that is gone."""
    async with stdio_server() as server:
        agent, _ = caller(server, calls=[("die", {})])
        with pytest.raises(AgentsException, match="could not list its tools for agent 'A': Conn"):
            await run(how, agent)


async def test_the_model_is_told_that_a_server_died(transport: Transport, how: str) -> None:
    lines: list[str] = []

    def handler(context: Any, error: Exception) -> str:
        lines.append(f"{context.tool_name}: {error}")
        return "It is gone."

    with_cache = {"cache_tools_list": True}
    if transport == "stdio":
        result = await _told(connector(transport, **with_cache), how, handler)
    else:
        with http_server(transport) as port:
            result = await _told(connector(transport, port, **with_cache), how, handler)
    assert outputs(result) == ["It is gone."]
    assert lines[0].startswith(f"die: MCP server {transport!r} failed to run tool 'die' for agent")


async def _told(server: MCPServer, how: str, handler: Any) -> Any:
    async with server:
        agent, _ = caller(
            server, calls=[("die", {})], mcp_config={"failure_error_function": handler}
        )
        return await run(how, agent)


@pytest.mark.parametrize(("fault", "words"), FAULTY_CALLS)
async def test_the_model_is_told_of_a_call_that_failed(fault: str, words: str, how: str) -> None:
    limit = 0.3 if fault == "garbage" else 120
    async with faulty_server(fault, client_session_timeout_seconds=120) as server:
        server.session._session_read_timeout_seconds = limit  # type: ignore[union-attr]
        agent, _ = caller(server, calls=[("first", {})], mcp_config=QUOTING)
        (text,) = outputs(await run(how, agent))
    assert f"MCP server {fault!r} failed to run tool 'first' for agent 'A': " in text
    assert words in text


async def test_a_server_that_writes_bytes_that_are_no_text_is_still_heard(how: str) -> None:
    async with faulty_server("no-text", client_session_timeout_seconds=None) as server:
        agent, _ = caller(server, calls=[("first", {}), ("first", {})])
        given = outputs(await asyncio.wait_for(run(how, agent), timeout=120))
    assert given == [{"type": "text", "text": "fine"}] * 2


async def test_arguments_that_cannot_be_sent_are_mended_before_the_call(
    transport: Transport, http_ports: dict[str, int], how: str
) -> None:
    async with connector(transport, http_ports[transport]) as server:
        # Half of a surrogate pair: the gate replaces it.
        calls = [("greet", {"name": "\ud800"}), ("greet", {"name": "Ann"})]
        agent, _ = caller(server, calls=calls)
        told, greeted = outputs(await run(how, agent))
    assert told == {"type": "text", "text": "Hello \ufffd!"}
    assert greeted == {"type": "text", "text": "Hello Ann!"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [("no-list", "nothing to see"), ("wrong-list", ""), ("no-name", "one of them has no name")],
)
async def test_a_server_that_cannot_list_its_tools_ends_the_run(
    fault: str, words: str, how: str
) -> None:
    async with faulty_server(fault) as server:
        agent, model = caller(server, calls=[])
        with pytest.raises(AgentsException) as caught:
            await run(how, agent)
    assert f"MCP server {fault!r} could not list its tools for agent 'A': " in str(caught.value)
    assert words in str(caught.value)
    assert model.calls == ()


async def test_a_call_that_is_not_answered_in_time_fails(on_loopback: Loopback, how: str) -> None:
    async with on_loopback(cache_tools_list=True) as server:
        await server.list_tools()
        server.session._session_read_timeout_seconds = 0.3
        agent, _ = caller(server, calls=[("hang", {})], mcp_config=QUOTING)
        (text,) = outputs(await run(how, agent))
        server.session._session_read_timeout_seconds = 120
        greeted = await server.call_tool("greet", {})
    assert "MCP server 'streamable-http' failed to run tool 'hang' for agent 'A'" in text
    assert "timed out" in text
    assert greeted.content[0].text == "Hello you!"


async def test_a_run_that_is_cancelled_leaves_the_server_usable(on_loopback: Loopback) -> None:
    async with on_loopback() as server:
        calls = [function_call("hang", {}, call_id="1")]
        agent = Agent(name="A", model=ScriptedModel([calls]), mcp_servers=[server])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await Runner.run(agent, "go")
        result: Any = await server.call_tool("greet", {})
    assert result.content[0].text == "Hello you!"


@pytest.mark.parametrize("handled", [True, False])
async def test_a_call_that_was_cancelled_below_us_is_an_error(handled: bool, how: str) -> None:
    server = HandmadeServer(tools=[tool("first")], result=asyncio.CancelledError())
    agent, _ = caller(server, calls=[("first", {})])
    if handled:
        assert outputs(await run(how, agent)) == [FAILED]
    else:
        agent.mcp_config = {"failure_error_function": None}
        with pytest.raises(MCPToolCancellationError, match=r"'handmade'.*'first'.*'A'"):
            await run(how, agent)


async def test_the_servers_own_failure_function_comes_first(how: str) -> None:
    async def own(context: Any, error: Exception) -> str:
        return f"own: {type(error).__name__}"

    broken = RuntimeError("boom")
    lenient = HandmadeServer("l", [tool("x")], broken, failure_error_function=own)
    strict = HandmadeServer("s", [tool("y")], broken, failure_error_function=None)
    agent, _ = caller(lenient, calls=[("x", {})], mcp_config={"failure_error_function": None})
    assert outputs(await run(how, agent)) == ["own: AgentsException"]
    agent, _ = caller(strict, calls=[("y", {})])
    with pytest.raises(AgentsException, match="boom") as caught:
        await run(how, agent)
    assert caught.value.__cause__ is broken


async def test_arguments_that_are_no_json_are_the_models_fault(how: str) -> None:
    server = HandmadeServer(tools=[tool("x")])
    model = ScriptedModel(
        [
            [function_call("x", "{oops", call_id="1")],
            [function_call("x", "[1]", call_id="2")],
            [function_call("x", "", call_id="3")],
            [assistant_message("done")],
        ]
    )
    result = await run(how, Agent(name="A", model=model, mcp_servers=[server]))
    not_json, not_an_object, fine = outputs(result)
    assert "valid JSON" in not_json
    assert "expected a JSON object" in not_an_object
    assert fine == {"type": "text", "text": "fine"}
    assert server.calls == [("x", {}, None)]


UNREACHABLE: list[tuple[MCPServer, str]] = [
    (MCPServerStdio({"command": "/no/such/program"}), "No such file"),
    (MCPServerSse({"url": f"{REFUSING}/sse"}), "connection attempts failed"),
    (MCPServerStreamableHttp({"url": f"{REFUSING}/mcp"}), "connection attempts failed"),
    (
        faulty_server("speaks-nonsense", client_session_timeout_seconds=0.5),
        "timed out|no connection",
    ),
    (faulty_server("never-speaks", client_session_timeout_seconds=0.5), "timed out|no connection"),
]


@pytest.mark.parametrize(("server", "reason"), UNREACHABLE, ids=lambda value: str(value)[:9])
async def test_a_server_that_cannot_be_connected_is_named(server: MCPServer, reason: str) -> None:
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            await server.connect()
        assert str(caught.value).startswith(f"Failed to connect to MCP server {server.name!r}: ")
        assert re.search(reason, str(caught.value))
        await server.cleanup()
        await server.cleanup()


async def test_a_listener_that_never_answers_is_given_up(transport: Transport) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(ignore, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        server = connector(transport, port, client_session_timeout_seconds=0.3)
        if transport == "stdio":
            server = faulty_server("never-speaks", client_session_timeout_seconds=0.3)
        with pytest.raises(UserError, match="Failed to connect"):
            await server.connect()


async def test_a_server_that_is_not_connected_says_so(how: str) -> None:
    server = stdio_server()
    with pytest.raises(UserError, match="'stdio' is not connected"):
        await server.call_tool("add", {})
    agent, _ = caller(server, calls=[])
    with pytest.raises(UserError, match=r"agent 'A'.*not connected"):
        await run(how, agent)
