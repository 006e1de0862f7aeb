"""Handing over with a return: telling the hooks, and what the target is shown.

The target works in a nested run. It is shown the conversation without the calls of the open reply:
other calls of that reply are at work at the same time, so which of them are answered depends on
timing. What a filter makes of the conversation is recorded, so a resumed run does not ask it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentgraph.drivers.work.call import call_at_hand
from agentgraph.drivers.work.transfer import filtered, tell_handoff
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.handoffs import HandoffInputData
from agentgraph.items import ItemHelpers, MessageOutputItem
from agentgraph.memory.transcripts.writing import legal_input
from agentgraph.record.items import logged
from agentgraph.record.payloads import Filtered
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem


async def entrust(bench: Workbench, command: Perform) -> Outcome:
    """Take a handoff that returns, before the target works.

    Raises:
        UserError: The handoff led to another agent than it declares, or its filter failed to return
            usable data.
        ModelBehaviorError: The model's input for the handoff is missing or invalid.
    """
    call = call_at_hand(bench, command)
    tool, handoff = call.tool, getattr(call.tool, "handoff", None)
    if handoff is None:  # the program changed while the run was at rest
        return call.outcome(Event.DONE)
    target = await handoff.on_invoke_handoff(bench.context, call.raw.arguments)
    if target is not tool.agent:
        raise UserError(
            f"The handoff '{handoff.tool_name}' of agent '{call.agent.name}' returned agent"
            f" '{getattr(target, 'name', target)}', but it declares '{tool.agent.name}'."
        )
    if call.hooked:
        await tell_handoff(bench, call.agent, target)
    return call.outcome(Event.DONE, await filtered(bench, handoff, _conversation(bench), []))


def entrusted_input(bench: Workbench, command: Perform) -> list[TResponseInputItem]:
    """What the target of a handoff that returns is shown.

    Args:
        bench: The run that hands over.
        command: The call; the handoff stands before it in its lane.
    """
    id, data = command.id, _conversation(bench)
    for attempt in reversed(range(id.attempt)):
        payload = bench.view.payload(id._replace(attempt=attempt))
        if isinstance(payload, Filtered):
            data = logged(payload, list(bench.view.items), bench.names)
            break
    latest = data.new_items if data.input_items is None else data.input_items
    before: list[Any] = ItemHelpers.input_to_new_input_list(_listed(data))
    items = (*data.pre_handoff_items, *latest)
    return [*before, *legal_input([item.to_input_item() for item in items], before)]


def _listed(data: HandoffInputData) -> str | list[TResponseInputItem]:
    history = data.input_history
    return history if isinstance(history, str) else list(history)


def _conversation(bench: Workbench) -> HandoffInputData:
    """The conversation without the calls of the open reply."""
    data = bench.view.handoff_data((), bench.context)
    said = tuple(item for item in data.new_items if isinstance(item, MessageOutputItem))
    return data.clone(new_items=said)
