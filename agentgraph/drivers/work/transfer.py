"""Taking a handoff: calling it, answering the model's requests, and filtering the input of the next
agent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.work.copies import copies_of, copy_of, originals
from agentgraph.drivers.work.log_references import references
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.handoffs import (
    Handoff,
    HandoffInputData,
    HandoffInputFilter,
    nest_handoff_history,
)
from agentgraph.items import HandoffCallItem, RunItem
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.logger import warn_once
from agentgraph.record.items import transfer_items
from agentgraph.record.payloads import Filtered, ModelReply, Transfer
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.user_code.callbacks import gather_or_cancel, resolve
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.agent import Agent

IGNORED = "Multiple handoffs detected, ignoring this one."


async def transfer(bench: Workbench, command: Perform) -> Outcome:
    """Perform a handoff.

    Raises:
        UserError: The handoff led to another agent than the machine declares, or its filter
            failed to return usable data.
        ModelBehaviorError: The model's input for the handoff is missing or invalid.
    """
    agents = bench.caches.bindings.agents
    binding = agents[command.agent]
    source = binding.agent
    bound = binding.handoff[command.invoke.symbol]
    raw = bench.call(command)
    target = await bound.handoff.on_invoke_handoff(bench.context, raw.arguments)
    target = getattr(target, "start", target)  # a handoff to a workflow leads to its start
    declared = agents[bound.target].agent
    if target is not declared:
        raise UserError(
            f"The handoff '{bound.handoff.tool_name}' of agent '{source.name}' returned agent"
            f" '{getattr(target, 'name', target)}', but it declares agent '{declared.name}'."
            " A handoff leads to the agent it was made for; make one handoff for each target."
        )
    message = bound.handoff.get_transfer_message(target)
    answer, ignored = ItemHelpers.tool_call_output_item(raw, message), _ignored(bench, command)
    payload = Transfer(command.agent, bound.target, answer, tuple(ignored))
    if bench.hooked(source):
        await tell_handoff(bench, source, target)
    filtered = await _filter(bench, source, bound.handoff, payload)
    if filtered is not None:
        payload = payload._replace(filtered=filtered)
    return Outcome(command.id, Event.DONE, payload)


def _ignored(bench: Workbench, command: Perform) -> list[Any]:
    """The answers to the handoffs of a reply that the run does not take."""
    reply: ModelReply = bench.view.reply
    output: Any = reply.response.output
    return [
        ItemHelpers.tool_call_output_item(output[note.position], IGNORED)
        for note in reply.notes
        if note.kind == HandoffCallItem.type and note.position != command.position
    ]


async def tell_handoff(bench: Workbench, source: Agent[Any], target: Agent[Any]) -> None:
    """Call the hooks of the run and of the source agent, concurrently."""
    hooks, context = bench.facts.hooks, bench.context
    calls = []
    if hooks is not None:
        of_run = partial(hooks.on_handoff, context=context, from_agent=source, to_agent=target)
        calls.append(of_run)
    if source.hooks is not None:
        calls.append(partial(source.hooks.on_handoff, context, agent=target, source=source))
    if calls:
        await gather_or_cancel(*calls)


async def _filter(
    bench: Workbench, source: Agent[Any], handoff: Handoff[Any, Any], payload: Transfer
) -> Filtered | None:
    """The conversation as a filter returns it; ``None`` without a filter."""
    filter_input, nest = _chosen(bench, handoff)
    if filter_input is None and not nest:
        return None
    if bench.view.conversation.kept_by_server:
        if filter_input is not None:
            raise UserError(
                f"The handoff '{handoff.tool_name}' of agent '{source.name}' has an input"
                " filter, but the server keeps this conversation; run without conversation_id"
                " and previous_response_id."
            )
        warn_once(
            "nest_handoff_history is off for the handoff %r of agent %r: the server keeps the"
            " conversation",
            handoff.tool_name,
            source.name,
        )
        return None
    items = transfer_items(payload, bench.names)
    return await filtered(bench, handoff, bench.view.handoff_data(items, bench.context), items)


def _chosen(bench: Workbench, handoff: Handoff[Any, Any]) -> tuple[HandoffInputFilter | None, bool]:
    """The filter of a handoff or else of the run, and whether a summary stands for the history."""
    config = bench.facts.config
    own, nest = handoff.input_filter, handoff.nest_handoff_history
    return (
        config.handoff_input_filter if own is None else own,
        config.nest_handoff_history if nest is None else nest,
    )


async def filtered(
    bench: Workbench, handoff: Handoff[Any, Any], data: HandoffInputData, items: list[RunItem]
) -> Filtered | None:
    """The conversation as a filter returns it; ``None`` without a filter.

    Args:
        bench: The run.
        handoff: The handoff.
        data: The conversation.
        items: The items in it that the log does not have yet.
    """
    config = bench.facts.config
    filter_input, nest = _chosen(bench, handoff)
    if filter_input is None and not nest:
        return None
    original = data
    copied = filter_input is not None or config.handoff_history_mapper is not None
    if copied:
        data = _copied(data)
    if filter_input is None:
        changed: object = nest_handoff_history(data, history_mapper=config.handoff_history_mapper)
    else:
        if not callable(filter_input):
            raise UserError(
                f"The input filter of the handoff '{handoff.tool_name}' is not callable:"
                f" {type(filter_input).__name__}"
            )
        changed = await resolve(filter_input(data))
    if not isinstance(changed, HandoffInputData):
        raise UserError(
            f"The input filter of the handoff '{handoff.tool_name}' must return"
            f" HandoffInputData, got {type(changed).__name__}"
        )
    return _recorded(bench, changed, items, (original, data) if copied else None)


def _copied(data: HandoffInputData) -> HandoffInputData:
    return data.clone(
        input_history=copy_of(data.input_history),
        pre_handoff_items=copies_of(data.pre_handoff_items),
        new_items=copies_of(data.new_items),
    )


def _recorded(
    bench: Workbench,
    changed: HandoffInputData,
    items: list[RunItem],
    copies: tuple[HandoffInputData, HandoffInputData] | None,
) -> Filtered:
    """The result of a filter, with references into the log in place of the run's own items.

    Args:
        bench: The run.
        changed: The result.
        items: The items of the handoff.
        copies: The conversation and the copy that the filter got, if it got one.
    """
    history = changed.input_history
    before: Sequence[RunItem] = changed.pre_handoff_items
    latest: Sequence[RunItem] = (
        changed.new_items if changed.input_items is None else changed.input_items
    )
    log, id_of = [*bench.view.items, *items], bench.agent_id
    if copies is not None:
        recorded, copy = copies
        pairs = (
            (*copy.pre_handoff_items, *copy.new_items),
            (*recorded.pre_handoff_items, *recorded.new_items),
        )
        history = copy_of(history)
        before, latest = originals(before, *pairs), originals(latest, *pairs)
    return Filtered(
        history if isinstance(history, str) else tuple(history),
        references(before, log, id_of),
        references(latest, log, id_of),
    )
