"""The kinds of calls that are carried out on this side: how each is made, what a rule of approval
is asked about it, and how a refusal of it is sent.

Calls of one tool that is no function are made one after the other, in the order of the reply (the
machine's table says so): a screen, a shell or a folder is one thing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agentgraph.drivers.work import custom, function, patch, shell
from agentgraph.drivers.work.act import missing
from agentgraph.drivers.work.call import LocalCall, local_call
from agentgraph.drivers.work.computer import operate_computer
from agentgraph.drivers.work.hosted import answer_approval_request
from agentgraph.drivers.work.wording import ToolType
from agentgraph.drivers.workbench import Workbench
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call that a person may be asked about.

    Args:
        tool_type: Its name for the caller's formatter of messages.
        asked: What a rule of approval is asked about a call; ``None`` where that cannot be read.
        refusal: A refusal as the provider is sent it, and as the caller sees it.
    """

    tool_type: ToolType
    asked: Callable[[LocalCall], object]
    refusal: Callable[[LocalCall, str], tuple[Any, Any]]


KINDS: Mapping[str, Kind] = {
    "function_call": Kind("function", function.asked, function.refusal),
    "custom_tool_call": Kind("custom", custom.asked, custom.refusal),
    "shell_call": Kind("shell", shell.asked, shell.refusal),
    "apply_patch_call": Kind("apply_patch", patch.asked, patch.refusal),
}
"""The calls that a person may be asked about, by the type of their output item."""

_ACTIONS: Mapping[str, Callable[[LocalCall], Awaitable[Outcome]]] = {
    "computer_call": operate_computer,
    "custom_tool_call": custom.call_custom_tool,
    "local_shell_call": shell.run_local_shell,
    "shell_call": shell.run_shell,
    "apply_patch_call": patch.apply_patch,
    "mcp_approval_request": answer_approval_request,
}


async def perform_action(bench: Workbench, command: Perform) -> Outcome:
    """Perform an action on this side.

    Raises:
        AgentsException: The user's code failed and the tool has no way of telling the model.
    """
    call = await local_call(bench, command)
    if call.tool is None:
        return await missing(bench, command)
    return await _ACTIONS[call.raw.type](call)
