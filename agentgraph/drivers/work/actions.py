"""The kinds of local calls: how to make each, what its approval rule gets, and how to refuse it.

Calls of one tool that is not a function are made one after the other, in the order of the reply, as
the machine's table says: they share one screen, shell or folder.
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
        tool_type: Its name for the caller's message formatter.
        subject: The argument of an approval rule for a call; ``None`` if it cannot be read.
        refusal: A refusal in the provider's form, and as the caller sees it.
    """

    tool_type: ToolType
    subject: Callable[[LocalCall], object]
    refusal: Callable[[LocalCall, str], tuple[Any, Any]]


KINDS: Mapping[str, Kind] = {
    "function_call": Kind("function", function.subject, function.refusal),
    "custom_tool_call": Kind("custom", custom.subject, custom.refusal),
    "shell_call": Kind("shell", shell.subject, shell.refusal),
    "apply_patch_call": Kind("apply_patch", patch.subject, patch.refusal),
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
    """Carry out an action locally.

    Raises:
        AgentsException: User code failed, and the tool cannot report that to the model.
    """
    call = await local_call(bench, command)
    if call.tool is None:
        return await missing(bench, command)
    return await _ACTIONS[call.raw.type](call)
