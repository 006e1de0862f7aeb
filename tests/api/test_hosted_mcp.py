"""Hosted MCP servers: lists of tools, calls, and requests for approval."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import (
    HostedMCPTool,
    MCPToolApprovalRequest,
    ModelBehaviorError,
    UserError,
)
from agentgraph.testing import ScriptedModel, assistant_message
from tests.api.calls import agent_with, script
from tests.api.conftest import Play
from tests.api.hosted import INPUT_ITEM, approval_request


def server(label: str = "wiki", answer: Any = None) -> HostedMCPTool:
    return HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": label,
            "server_url": "https://mcp.invalid",
            "require_approval": "always",
        },
        on_approval_request=answer,
    )


_LIST: dict[str, Any] = {"type": "mcp_list_tools", "id": "t1", "server_label": "wiki", "tools": []}
_CALL: dict[str, Any] = {
    "type": "mcp_call",
    "id": "m1",
    "server_label": "wiki",
    "name": "search",
    "arguments": "{}",
    "output": "found",
}


async def test_what_the_provider_did_stands_among_the_items(play: Play) -> None:
    model = ScriptedModel([[_LIST, _CALL, assistant_message("found")]])
    played = await play(agent_with(model, server()))
    assert played.kinds == ["mcp_list_tools_item", "tool_call_item", "message_output_item"]
    assert played.final == "found"
    if play.streamed:
        named = [event.name for event in played.events if event.type == "run_item_stream_event"]
        assert named == ["mcp_list_tools_created", "tool_called", "message_output_created"]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        ({"approve": True}, {"approve": True}),
        ({"approve": False, "reason": "private"}, {"approve": False, "reason": "private"}),
        ({"approve": False}, {"approve": False}),
    ],
)
async def test_a_request_is_answered_by_the_tools_function(
    play: Play, answer: Any, sent: dict[str, Any], asynchronous: bool
) -> None:
    asked: list[Any] = []

    def decide(request: MCPToolApprovalRequest) -> Any:
        asked.append((request.data.name, request.ctx_wrapper.context))
        return answer

    async def decide_later(request: MCPToolApprovalRequest) -> Any:
        return decide(request)

    model = script([approval_request()])
    tool = server(answer=decide_later if asynchronous else decide)
    played = await play(agent_with(model, tool), context="here")
    assert asked == [("search", "here")]
    assert played.kinds == [
        "mcp_approval_request_item",
        "mcp_approval_response_item",
        "message_output_item",
    ]
    raw = played.items[1].raw_item
    assert raw == {"type": "mcp_approval_response", "approval_request_id": "m1", **sent}
    INPUT_ITEM.validate_python(raw)
    assert raw in model.calls[1].input
    if play.streamed:
        named = [event.name for event in played.events if event.type == "run_item_stream_event"]
        assert named[:2] == ["mcp_approval_request_created", "mcp_approval_response_created"]


@pytest.mark.parametrize("approve", [True, False])
async def test_without_a_function_the_request_waits_for_the_caller(
    play: Play, approve: bool
) -> None:
    model = script([approval_request()])
    agent = agent_with(model, server())
    waiting = await play(agent)
    (pending,) = waiting.result.interruptions
    assert (pending.name, pending.call_id) == ("search", "m1")
    assert waiting.final is None
    assert waiting.kinds == ["mcp_approval_request_item", "tool_approval_item"]
    state = waiting.result.to_state()
    if approve:
        state.approve(pending)
    else:
        state.reject(pending, rejection_message="private")
    played = await play(agent, state)
    response = next(item for item in played.items if item.type == "mcp_approval_response_item")
    assert response.raw_item["approve"] is approve
    assert response.raw_item.get("reason") == (None if approve else "private")
    assert played.final == "done"


@pytest.mark.parametrize("arguments", ['{"path": "/", "path": "/tmp"}', '{"limit": NaN}'])
async def test_arguments_that_two_readers_may_read_differently_wait_for_a_person(
    play: Play, arguments: str
) -> None:
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return {"approve": True}

    request = approval_request().model_copy(update={"arguments": arguments})
    agent = agent_with(script([request]), server(answer=answer))
    played = await play(agent)
    assert (len(played.result.interruptions), asked) == (1, [])


async def test_a_lasting_decision_belongs_to_a_tool_of_one_server(play: Play) -> None:
    first = [approval_request("m1", "wiki"), approval_request("m2", "files")]
    model = ScriptedModel(
        [
            first,
            [approval_request("m3", "wiki"), approval_request("m4", "files")],
            [assistant_message("done")],
        ]
    )
    agent = agent_with(model, server("wiki"), server("files"))
    waiting = await play(agent)
    assert [item.call_id for item in waiting.result.interruptions] == ["m1", "m2"]
    state = waiting.result.to_state()
    state.approve(waiting.result.interruptions[0], always_approve=True)
    state.approve(waiting.result.interruptions[1])
    again = await play(agent, state)
    assert [item.call_id for item in again.result.interruptions] == ["m4"]


async def test_each_server_answers_for_itself(play: Play) -> None:
    model = script([approval_request("m1", "files"), approval_request("m2", "wiki")])
    tools = [
        server("wiki", lambda request: {"approve": True}),
        server("files", lambda request: {"approve": False}),
    ]
    played = await play(agent_with(model, *tools))
    answers = [
        (item.raw_item["approval_request_id"], item.raw_item["approve"])
        for item in played.items
        if item.type == "mcp_approval_response_item"
    ]
    assert answers == [("m1", False), ("m2", True)]


async def test_a_message_beside_a_request_is_not_final(play: Play) -> None:
    model = script([approval_request(), assistant_message("asking")])
    played = await play(agent_with(model, server(answer=lambda request: {"approve": True})))
    assert played.final == "done"


async def test_a_server_that_the_agent_does_not_have_is_the_models_fault(play: Play) -> None:
    agent = agent_with(ScriptedModel([[approval_request(label="other")]]), server())
    with pytest.raises(ModelBehaviorError, match=r"'Clerk' wants .* hosted MCP server 'other'"):
        await play(agent)


async def test_a_function_that_raises_ends_the_run_and_is_named(play: Play) -> None:
    def broken(request: MCPToolApprovalRequest) -> Any:
        raise ZeroDivisionError("by zero")

    agent = agent_with(ScriptedModel([[approval_request()]]), server(answer=broken))
    with pytest.raises(UserError, match="tool hosted_mcp of agent Clerk: by zero"):
        await play(agent)


async def test_a_function_that_does_not_answer_is_named(play: Play) -> None:
    agent = agent_with(ScriptedModel([[approval_request()]]), server(answer=lambda request: True))
    with pytest.raises(
        UserError, match="on_approval_request of tool 'hosted_mcp' of agent 'Clerk'"
    ):
        await play(agent)
