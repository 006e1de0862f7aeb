"""Calls that name no function: computer, shell and patch actions, custom tools, and approvals of
hosted MCP tools.

Calls of one tool are made one after the other, in the order of the reply: a screen, a shell or a
folder is one thing, and what the second call finds there is what the first one left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agentgraph.drivers.payloads import ModelReply
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.action import Action
from agentgraph.drivers.work.approval import read_answer
from agentgraph.drivers.work.computer import operate_computer
from agentgraph.drivers.work.custom import call_custom_tool
from agentgraph.drivers.work.patch import apply_patch
from agentgraph.drivers.work.shell import run_local_shell, run_shell
from agentgraph.hosted_tools import MCPToolApprovalRequest
from agentgraph.items import MCPApprovalResponseItem
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome


async def perform_action(run: Run, command: Perform) -> Outcome:
    """Perform an action on this side.

    Raises:
        AgentsException: The user's code failed and the tool has no way of telling the model.
    """
    reply: ModelReply = run.payload(command.source)
    raw: Any = reply.response.output[command.position]
    agent = run.binding(command.agent).agent
    tool = reply.tools[command.position]
    async with run.gate(id(tool), 1):
        return await _ACTIONS[raw.type](Action(run, command, agent, tool, raw))


async def _answer_approval_request(action: Action) -> Outcome:
    """Answer a hosted MCP server, or have the request wait for the caller's decision."""
    run, raw, ask = action.run, action.raw, action.tool.on_approval_request
    pending = action.pending(raw.name, raw.server_label)
    decision = run.context._approvals.find(pending.qualified_name or raw.name, raw.id)
    if decision is None:
        if ask is None:
            return action.waits(pending)
        request = MCPToolApprovalRequest(ctx_wrapper=run.context, data=raw)
        given = await action.unhandled(ask, request)
        asked = f"on_approval_request of tool '{action.tool.name}' of agent '{action.agent.name}'"
        decision = read_answer(given, asked)
    payload: Any = {
        "type": "mcp_approval_response",
        "approval_request_id": raw.id,
        "approve": decision.approved,
    }
    if not decision.approved and decision.message:
        payload["reason"] = decision.message
    item = MCPApprovalResponseItem(agent=action.agent, raw_item=payload)
    return action.returned((item,), payload)


_ACTIONS: Mapping[str, Callable[[Action], Awaitable[Outcome]]] = {
    "computer_call": operate_computer,
    "custom_tool_call": call_custom_tool,
    "local_shell_call": run_local_shell,
    "shell_call": run_shell,
    "apply_patch_call": apply_patch,
    "mcp_approval_request": _answer_approval_request,
}
