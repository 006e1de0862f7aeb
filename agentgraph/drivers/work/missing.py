"""Answering a call whose tool the agent does not have, in the form that belongs to the call.

A call in one form and an output in another make a history that the API refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from agentgraph.drivers.work import computer, custom, function, hosted, patch, shell
from agentgraph.drivers.work.call import LocalCall
from agentgraph.drivers.work.wording import ToolType, wording
from agentgraph.drivers.workbench import Workbench
from agentgraph.items import MCPApprovalResponseItem, ToolCallOutputItem
from agentgraph.record.payloads import ToolReturn
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.actions import ACTION_ITEMS
from agentgraph_compiler.machine import Event


class Refusal(NamedTuple):
    """How to answer a kind of call that is not made.

    Args:
        tool_type: The kind of tool, for the caller's message formatter.
        form: The answer in the provider's form, and as the caller sees it.
    """

    tool_type: ToolType
    form: Callable[[LocalCall, str], tuple[Any, Any]]


REFUSALS: Mapping[str, Refusal] = {
    "function_call": Refusal("function", function.refusal),
    "custom_tool_call": Refusal("custom", custom.refusal),
    "computer_call": Refusal("computer", computer.refusal),
    "shell_call": Refusal("shell", shell.refusal),
    "local_shell_call": Refusal("shell", shell.local_refusal),
    "apply_patch_call": Refusal("apply_patch", patch.refusal),
    "mcp_approval_request": Refusal("function", hosted.refusal),
}
"""How to answer each kind of call, by the type of its output item."""


async def missing(bench: Workbench, command: Perform) -> Outcome:
    """Tell the model that it called a tool that the agent does not have
    (``RunConfig.tool_not_found_behavior``)."""
    raw, agent = bench.call(command), bench.agent(command)
    tool_type, form = REFUSALS[raw.type]
    name = getattr(raw, "name", None) or ACTION_ITEMS[raw.type]
    default = f"Tool '{name}' not found in agent '{agent.name}'."
    approval = raw.type == "mcp_approval_request"
    call_id = raw.id if approval else raw.call_id
    text = await wording(bench, "tool_not_found", tool_type, name, call_id, default)
    call = LocalCall(
        bench=bench, command=command, agent=agent, tool=None, raw=raw, hooked=bench.hooked(agent)
    )
    answer, output = form(call, text)
    kind = MCPApprovalResponseItem.type if approval else ToolCallOutputItem.type
    return Outcome(command.id, Event.RETURNED, ToolReturn(output, answer, kind))
