"""The kinds of local calls: how to make each, and what its approval rule gets.

Calls of one tool that is not a function are made one after the other, in the order of the reply, as
the machine's table says: they share one screen, shell or folder.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from agentgraph.drivers.work import custom, function, patch, shell
from agentgraph.drivers.work.call import LocalCall, local_call
from agentgraph.drivers.work.computer import operate_computer
from agentgraph.drivers.work.hosted import answer_approval_request
from agentgraph.drivers.work.interrupted import begin_effect
from agentgraph.drivers.work.missing import missing
from agentgraph.drivers.workbench import Workbench
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome

SUBJECTS: Mapping[str, Callable[[LocalCall], object]] = {
    "function_call": function.subject,
    "custom_tool_call": custom.subject,
    "shell_call": shell.subject,
    "apply_patch_call": patch.subject,
}
"""The argument of an approval rule for a call, by the type of its output item; ``None`` if it
cannot be read."""

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
    return await call.stood_in() or await begin_effect(call) or await _ACTIONS[call.raw.type](call)
