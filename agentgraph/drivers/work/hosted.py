"""Answering the provider's question whether it may call a tool of a hosted MCP server."""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.work.answers import read_answer
from agentgraph.drivers.work.call import LocalCall
from agentgraph.items import MCPApprovalResponseItem
from agentgraph.record.payloads import ToolReturn
from agentgraph.runtime.outcomes import Outcome
from agentgraph.schemas.arguments import not_strict
from agentgraph.tools.hosted import MCPToolApprovalRequest
from agentgraph_compiler.machine import Event


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, which the caller sees too."""
    payload = _payload(call, approve=False, reason=message)
    return payload, payload


def _payload(call: LocalCall, *, approve: bool, reason: str | None) -> dict[str, Any]:
    payload = {
        "type": "mcp_approval_response",
        "approval_request_id": call.raw.id,
        "approve": approve,
    }
    return {**payload, "reason": reason} if reason and not approve else payload


async def answer_approval_request(call: LocalCall) -> Outcome:
    """Answer the approval request, or let it wait for the caller's decision."""
    bench, raw, tool = call.bench, call.raw, call.tool
    question = call.question(raw.name, raw.server_label)
    decision = bench.view.ruling_on(question.key, question.tool, question.content)
    if decision is None:
        ask = tool.on_approval_request
        # Of two values of one key the function may read another one than the server.
        if ask is None or not_strict(raw.arguments or "") is not None:
            return call.await_decision(question)
        request = MCPToolApprovalRequest(ctx_wrapper=bench.context, data=raw)
        answer = await call.unhandled(ask, request)
        callback = f"on_approval_request of tool '{tool.name}' of agent '{call.agent.name}'"
        decision = read_answer(answer, callback)
    payload = _payload(call, approve=decision.approved, reason=decision.message)
    return call.outcome(
        Event.RETURNED, ToolReturn(payload, payload, kind=MCPApprovalResponseItem.type)
    )
