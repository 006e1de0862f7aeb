"""Taking a handoff: calling it, answering the model's requests, and filtering what the next agent
sees."""

from __future__ import annotations

from typing import Any

from agentgraph.callbacks import resolve
from agentgraph.drivers.payloads import ModelReply, Transfer
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.together import together
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import HandoffBinding
from agentgraph.handoffs import HandoffInputData, nest_handoff_history
from agentgraph.item_helpers import ItemHelpers
from agentgraph.items import HandoffCallItem, HandoffOutputItem, RunItem, ToolCallOutputItem
from agentgraph.logger import logger
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event

IGNORED = "Multiple handoffs detected, ignoring this one."


async def transfer(run: Run, command: Perform) -> Outcome:
    """Perform a handoff.

    Raises:
        UserError: The handoff led to another agent than the machine declares, or a filter is
            unusable.
        ModelBehaviorError: The model's input for the handoff is missing or invalid.
    """
    binding = run.binding(command.agent)
    source = binding.agent
    bound = next(row for row in binding.handoffs if row.symbol == command.invoke.symbol)
    reply: ModelReply = run.payload(command.source)
    raw: Any = reply.response.output[command.position]
    target = await bound.handoff.on_invoke_handoff(run.context, raw.arguments)
    declared = run.binding(bound.target).agent
    if target is not declared:
        raise UserError(
            f"The handoff '{bound.handoff.tool_name}' of agent '{source.name}' returned agent"
            f" '{getattr(target, 'name', target)}', but it declares agent '{declared.name}'."
            " A handoff leads to the agent it was made for; make one handoff for each target."
        )
    ignored = [
        ToolCallOutputItem(
            agent=source,
            raw_item=ItemHelpers.tool_call_output_item(item.raw_item, IGNORED),
            output=IGNORED,
        )
        for item in reply.items
        if isinstance(item, HandoffCallItem) and item.raw_item is not raw
    ]
    message = bound.handoff.get_transfer_message(target)
    arrival = HandoffOutputItem(
        agent=target,
        raw_item=ItemHelpers.tool_call_output_item(raw, message),
        source_agent=source,
        target_agent=target,
    )
    await _tell(run, source, target)
    items: tuple[RunItem, ...] = (*ignored, arrival)
    filtered = await _filtered(run, source, bound, items)
    return Outcome(command.id, Event.DONE, Transfer(items, target, filtered))


async def _tell(run: Run, source: Any, target: Any) -> None:
    """Tell the run's hooks and those of the agent that is left, side by side."""
    calls = []
    if run.hooks is not None:
        calls.append(run.hooks.on_handoff(context=run.context, from_agent=source, to_agent=target))
    if source.hooks is not None:
        calls.append(source.hooks.on_handoff(run.context, agent=target, source=source))
    if calls:
        await together(*calls)


async def _filtered(
    run: Run, source: Any, bound: HandoffBinding, items: tuple[Any, ...]
) -> HandoffInputData | None:
    """What a filter makes of the conversation; ``None`` without one."""
    own = bound.handoff.input_filter
    filter_input = run.config.handoff_input_filter if own is None else own
    nest = bound.handoff.nest_handoff_history
    nest = run.config.nest_handoff_history if nest is None else nest
    if filter_input is None and not nest:
        return None
    if run.conversation.kept_by_server:
        if filter_input is not None:
            raise UserError(
                f"The handoff '{bound.handoff.tool_name}' of agent '{source.name}' has an input"
                " filter, but the server keeps this conversation; run without conversation_id"
                " and previous_response_id."
            )
        logger.warning("nest_handoff_history is off: the server keeps this conversation")
        return None
    data = run.transcript.handoff_data(items, run.context)
    if filter_input is None:
        return nest_handoff_history(data, history_mapper=run.config.handoff_history_mapper)
    if not callable(filter_input):
        raise UserError(
            f"The input filter of the handoff '{bound.handoff.tool_name}' is not callable:"
            f" {type(filter_input).__name__}"
        )
    changed = await resolve(filter_input(data))
    if not isinstance(changed, HandoffInputData):
        raise UserError(
            f"The input filter of the handoff '{bound.handoff.tool_name}' must return"
            f" HandoffInputData, got {type(changed).__name__}"
        )
    return changed
