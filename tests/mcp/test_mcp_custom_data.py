"""What a program attaches to the outputs of a server's tools for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mcp.types import CallToolResult

from agentgraph import UserError
from agentgraph.mcp import MCPToolCustomDataContext
from agentgraph.tools.errors import FAILED
from tests.mcp.mcp_servers import HandmadeServer, caller, run, text, tool

Loopback = Callable[..., Any]
RESULT = CallToolResult(
    content=[text("fine")], structured_content={"a": 1}, is_error=True, _meta={"trace": "t1"}
)


def outputs(result: Any) -> list[Any]:
    return [item for item in result.new_items if item.type == "tool_call_output_item"]


async def test_the_extractor_sees_the_call_and_its_whole_result(how: str) -> None:
    seen: list[MCPToolCustomDataContext] = []

    async def extract(context: MCPToolCustomDataContext) -> dict[str, Any]:
        seen.append(context)
        context.tool_output["text"] = "changed"  # type: ignore[index,call-overload]
        return dict(context.result_meta or {})

    server = HandmadeServer(tools=[tool("add")], result=RESULT, custom_data_extractor=extract)
    agent, model = caller(server, calls=[("add", {"a": 2})])
    (item,) = outputs(await run(how, agent))
    assert item.custom_data == {"trace": "t1"}
    assert item.output == {"type": "text", "text": "fine"}
    assert "t1" not in str(model.calls[1].input)
    (context,) = seen
    assert (context.server_name, context.tool_name, context.tool_display_name) == (
        "handmade",
        "add",
        "add",
    )
    assert (dict(context.arguments), context.is_error) == ({"a": 2}, True)
    assert context.structured_content == {"a": 1}
    with pytest.raises(TypeError):
        context.arguments["a"] = 3  # type: ignore[index]


async def test_it_stands_on_outputs_of_a_server_on_loopback(
    on_loopback: Loopback, how: str
) -> None:
    def extract(context: MCPToolCustomDataContext) -> Any:
        return context.structured_content

    async with on_loopback(custom_data_extractor=extract) as server:
        agent, _ = caller(server, calls=[("add", {"a": 2, "b": 3}), ("refuse", {})])
        items = outputs(await run(how, agent))
    assert [item.custom_data for item in items] == [{"result": 5}, None]


async def test_an_extractor_that_fails_is_a_call_that_fails(how: str) -> None:
    def fail(context: MCPToolCustomDataContext) -> Any:
        raise ValueError("no data")

    server = HandmadeServer(tools=[tool("add")], custom_data_extractor=fail)
    agent, _ = caller(server, calls=[("add", {})])
    (item,) = outputs(await run(how, agent))
    assert item.output == FAILED
    assert item.custom_data is None

    server = HandmadeServer(
        tools=[tool("add")], custom_data_extractor=lambda context: 1, failure_error_function=None
    )
    agent, _ = caller(server, calls=[("add", {})])
    with pytest.raises(
        UserError, match="tool 'add' of MCP server 'handmade' must return a mapping"
    ):
        await run(how, agent)
