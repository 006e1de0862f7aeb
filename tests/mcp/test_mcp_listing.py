"""Which tools an agent is offered in a turn: lists that are kept, filters, names, pages."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from agentgraph import Agent, AgentsException, RunContextWrapper, UserError, function_tool
from agentgraph.mcp import (
    MCPServer,
    MCPUtil,
    ToolFilterContext,
    create_static_tool_filter,
)
from agentgraph.mcp.tool_names import prefixed_names
from tests.mcp.mcp_servers import (
    HandmadeServer,
    caller,
    faulty_server,
    outputs,
    run,
    stdio_server,
    tool,
)

Loopback = Callable[..., Any]
CONTEXT: RunContextWrapper[Any] = RunContextWrapper(None)


def an_agent() -> Agent[Any]:
    return Agent(name="A")


async def listings(server: MCPServer) -> int:
    """How often the server was asked for its tools, as it counted."""
    result: Any = await server.call_tool("listings", {})
    return int(result.structured_content["result"])


async def test_tools_are_listed_in_each_turn(how: str) -> None:
    async with stdio_server() as server:
        agent, _ = caller(server, calls=[("greet", {}), ("greet", {})])
        await run(how, agent)
        assert await listings(server) == 3


async def test_a_list_that_is_kept_is_asked_for_once(how: str) -> None:
    async with stdio_server(cache_tools_list=True) as server:
        agents = [caller(server, calls=[("greet", {}), ("greet", {})])[0] for _ in range(3)]
        await asyncio.gather(*(run(how, agent) for agent in agents))
        assert await listings(server) == 1
        server.invalidate_tools_cache()
        assert server.cached_tools is None
        await run(how, agents[0].clone(model=caller(calls=[])[1]))
        assert await listings(server) == 2


async def test_a_server_that_stops_keeping_its_list_reads_it_at_each_use() -> None:
    async with stdio_server(cache_tools_list=True) as server:
        await server.list_tools()
        server.cache_tools_list = False
        for listed in (2, 3):
            await server.list_tools()
            assert await listings(server) == listed


async def test_the_kept_list_is_the_whole_list(on_loopback: Loopback) -> None:
    async with on_loopback(
        cache_tools_list=True, tool_filter=create_static_tool_filter(["add"])
    ) as server:
        assert [offered_tool.name for offered_tool in await server.list_tools()] == ["add"]
        assert server.cached_tools is not None
        assert len(server.cached_tools) > 10
        server.tool_filter = None
        assert len(await server.list_tools()) == len(server.cached_tools)


async def test_what_a_caller_edits_does_not_stay_in_the_kept_list(on_loopback: Loopback) -> None:
    async with on_loopback(cache_tools_list=True) as server:

        def edit(listed: Any) -> None:
            for offered_tool in listed:
                offered_tool.description = "edited"
                offered_tool.input_schema["properties"] = {}

        def seen_by_a_filter(context: Any, offered_tool: Any) -> bool:
            edit([offered_tool])
            return True

        before = [offered_tool.model_dump() for offered_tool in await server.list_tools()]
        edit(await server.list_tools())
        edit(server.cached_tools)
        server.tool_filter = seen_by_a_filter
        await server.list_tools(CONTEXT, an_agent())
        server.tool_filter = None
        assert [offered_tool.model_dump() for offered_tool in await server.list_tools()] == before


async def test_a_server_whose_tools_changed_is_listed_again(how: str) -> None:
    async with stdio_server(cache_tools_list=True) as server:
        agent, model = caller(server, calls=[("grow", {}), ("grown", {})])
        result = await run(how, agent)
    assert outputs(result)[-1]["text"] == "grown"
    offered = [{offered_tool.name for offered_tool in call.tools} for call in model.calls]
    assert ["grown" in names for names in offered] == [False, True, True]


async def test_a_listing_that_was_overtaken_is_not_kept(on_loopback: Loopback) -> None:
    async with on_loopback(cache_tools_list=True) as server:
        listing = asyncio.create_task(server.list_tools())
        await asyncio.sleep(0)
        server.invalidate_tools_cache()
        assert await listing
        assert server.cached_tools is None


async def test_tools_that_stayed_the_same_are_not_converted_again(on_loopback: Loopback) -> None:
    agent = Agent[Any](name="A")
    for keeps in (True, False):
        async with on_loopback(cache_tools_list=keeps) as server:
            first = await server.function_tools(CONTEXT, agent, {})
            again = await server.function_tools(CONTEXT, agent, {})
            assert list(map(id, first)) == list(map(id, again))
            strict = await server.function_tools(
                CONTEXT, agent, {"convert_schemas_to_strict": True}
            )
            assert set(map(id, first)).isdisjoint(map(id, strict))


async def test_a_tool_that_changed_is_converted_again() -> None:
    server = HandmadeServer(tools=[tool("a"), tool("b", description="old")])
    a, b = await server.function_tools(CONTEXT, an_agent(), {})
    server.tools[1] = tool("b", description="new")
    a_again, changed = await server.function_tools(CONTEXT, an_agent(), {})
    assert a_again is a
    assert (b.description, changed.description) == ("old", "new")


async def test_what_was_converted_does_not_pile_up() -> None:
    server = HandmadeServer(tools=[tool("a")])
    for _ in range(2_000):
        await server.function_tools(
            CONTEXT, an_agent(), {"failure_error_function": lambda context, error: "x"}
        )
    assert len(server._conversions._cache) < 600  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("tool_filter", "left"),
    [
        (None, "abc"),
        (create_static_tool_filter(), "abc"),
        (create_static_tool_filter(["a", "b"]), "ab"),
        (create_static_tool_filter([]), ""),
        (create_static_tool_filter(blocked_tool_names=["a"]), "bc"),
        (create_static_tool_filter(["a", "b"], ["a", "c"]), "b"),
        (lambda context, offered_tool: offered_tool.name != "b", "ac"),
        (lambda context, offered_tool: asyncio.sleep(0, result=offered_tool.name == "b"), "b"),
        (lambda context, offered_tool: context.run_context.context[offered_tool.name], "ab"),
    ],
)
async def test_a_filter_takes_tools_away(tool_filter: Any, left: str) -> None:
    """The last one decides by the run's context and fails for what it does not know."""
    server = filtered(tool_filter)
    context = RunContextWrapper({"a": True, "b": True})
    found = await server.function_tools(context, an_agent(), {})
    assert "".join(offered.name for offered in found) == left


def filtered(tool_filter: Any) -> MCPServer:
    """A server with tools a, b and c behind a filter, as sessions apply it."""
    server = stdio_server(cache_tools_list=True, tool_filter=tool_filter)
    server._cache.tools = tuple(tool(name) for name in "abc")
    return server


async def test_a_filter_is_told_for_whom_it_decides() -> None:
    contexts: list[ToolFilterContext] = []

    def decide(context: ToolFilterContext, offered_tool: Any) -> bool:
        contexts.append(context)
        return True

    agent = an_agent()
    await filtered(decide).function_tools(CONTEXT, agent, {})
    assert [(c.run_context, c.agent, c.server_name) for c in contexts] == [
        (CONTEXT, agent, "stdio")
    ] * 3


async def test_a_filter_that_decides_needs_a_run() -> None:
    with pytest.raises(UserError, match="'stdio' is a function and decides for a run"):
        await filtered(lambda context, offered_tool: True).list_tools()


async def test_all_pages_are_read() -> None:
    async with faulty_server("pages") as server:
        assert [offered_tool.name for offered_tool in await server.list_tools()] == [
            "first",
            "second",
        ]


@pytest.mark.parametrize(
    ("fault", "limit", "words"),
    [("endless", 7, "page 7 is the limit"), ("circle", None, "followed by an earlier page")],
)
async def test_a_server_that_does_not_stop_listing_is_stopped(
    fault: str, limit: int | None, words: str
) -> None:
    async with faulty_server(fault, max_list_pages=limit) as server:
        with pytest.raises(AgentsException, match=f"{fault!r} does not stop.*{words}"):
            await server.list_tools()


async def test_two_servers_with_a_tool_of_the_same_name_are_named(how: str) -> None:
    one, two = HandmadeServer("one", [tool("x")]), HandmadeServer("two", [tool("x")])
    agent, model = caller(one, two, calls=[])
    with pytest.raises(UserError, match=r"'x'.*'one' and 'two'"):
        await run(how, agent)
    assert model.calls == ()
    with pytest.raises(UserError, match=r"'x'.*'one' and 'two'"):
        await agent.get_mcp_tools(CONTEXT)
    with pytest.raises(UserError, match=r"'one' and 'two'.*'x'"):
        await MCPUtil.get_all_function_tools([one, two], False, CONTEXT, agent)


async def test_names_with_the_server_tell_equal_tools_apart(how: str) -> None:
    servers = [HandmadeServer(name, [tool("x")]) for name in ("one", "two", "two")]
    agent, _ = caller(
        *servers, calls=[("mcp_one__x", {})], mcp_config={"include_server_in_tool_names": True}
    )
    offered = [offered_tool.name for offered_tool in await agent.get_mcp_tools(CONTEXT)]
    assert offered[0] == "mcp_one__x"
    assert len(set(offered)) == 3
    await run(how, agent)
    assert [server.calls for server in servers] == [[("x", {}, None)], [], []]


async def test_names_with_the_server_step_aside_for_the_agents_own() -> None:
    @function_tool
    def mcp_one__x() -> str:
        return "own"

    server = HandmadeServer("one", [tool("x")])
    agent = Agent[Any](name="A", tools=[mcp_one__x], mcp_servers=[server])
    (offered,) = await server.function_tools(CONTEXT, agent, {"include_server_in_tool_names": True})
    assert re.fullmatch("mcp_one__x_[0-9a-f]{8}", offered.name)


@pytest.mark.parametrize(
    ("servers", "tools", "expected"),
    [
        (["git-hub"], ["add", "a.b"], ["mcp_git-hub__add", "mcp_git-hub__a_b"]),
        (["  My Server "], ["x"], ["mcp_My_Server__x"]),
        (["ß", "b"], ["ü"], ["mcp_server__tool"]),
        (["s"], ["a b", "a.b"], [r"mcp_s__a_b_\w{8}", r"mcp_s__a_b_\w{8}"]),
        (["a b", "a.b"], ["x"], [r"mcp_a_b__x_\w{8}"]),
        (["s"], ["x" * 80], [r"mcp_s__x{48}_\w{8}"]),
    ],
)
def test_names_with_the_server_fit_the_api(
    servers: list[str], tools: list[str], expected: list[str]
) -> None:
    names = prefixed_names(tools, servers, 0)
    assert all(re.fullmatch(e, name) for e, name in zip(expected, names, strict=True)), names
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 64
    assert prefixed_names(tools, servers, 0) == names
