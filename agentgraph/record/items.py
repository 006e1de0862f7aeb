"""The run items of payloads, made when a move of the machine shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from agentgraph.approvals import Decision, Ruling
from agentgraph.handoffs.input_data import HandoffInputData
from agentgraph.items import (
    HandoffOutputItem,
    MCPApprovalResponseItem,
    MessageOutputItem,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
)
from agentgraph.items.item_classes import ITEM_CLASSES
from agentgraph.items.listed_texts import listed_texts
from agentgraph.items.question_item import QUESTION, Interruption, QuestionItem
from agentgraph.items.run_items import raw_field
from agentgraph.items.tool_origin import ToolOrigin
from agentgraph.record.payloads import (
    Filtered,
    LogItem,
    ModelReply,
    Question,
    Screened,
    ToolReturn,
    Transfer,
)
from agentgraph.record.step_payloads import BranchOutput, FinalOutput

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import RunItem
    from agentgraph.record.record import Names

WITHHELD: Final = "The output is withheld: a guardrail failed before it could judge it."
"""The output of a call whose guardrail failed: the call ran, and its result stays hidden."""

_CALL, _OUTPUT = ToolCallItem.type, ToolCallOutputItem.type


def reply_items(payload: ModelReply, agent: Agent[Any], log: Sequence[RunItem]) -> list[RunItem]:
    """The run items of a reply, in the model's order; not every output item becomes one."""
    output: Sequence[Any] = payload.response.output
    items: list[RunItem] = []
    for kind, position, description, origin, title in payload.notes:
        raw = output[position]
        if kind == _CALL:
            if raw_field(raw, "type") == "mcp_call":
                description, title = listed_texts(raw, [*log, *items])
            items.append(
                ToolCallItem(agent, raw, description=description, title=title, tool_origin=origin)
            )
        elif kind == _OUTPUT:
            # Commands that ran at the provider come with their output.
            output_of = raw_field(raw, "output")
            items.append(ToolCallOutputItem(agent=agent, raw_item=raw, output=output_of))
        else:
            items.append(ITEM_CLASSES[kind](agent=agent, raw_item=raw))
    return items


def final_items(payload: FinalOutput, agent: Agent[Any], names: Names) -> Sequence[RunItem]:
    """The item of an output that a callable or a branch gave; none if it adds no message."""
    if payload.message is None:
        return ()
    if isinstance(payload, BranchOutput) and payload.agent:
        agent = names.agent(payload.agent, payload.machine)
    return (MessageOutputItem(agent=agent, raw_item=payload.message),)


def item_of(
    payload: ToolReturn | Screened,
    agent: Agent[Any],
    attached: Mapping[str, Any] | None = None,
    origin: ToolOrigin | None = None,
) -> RunItem:
    """The item that answers a call.

    Args:
        payload: The result of the call, or the rejection in its place.
        agent: The agent whose model made the call.
        attached: The custom data that the program attached after the output was judged.
        origin: Where the tool comes from.
    """
    if isinstance(payload, ToolReturn) and payload.kind == MCPApprovalResponseItem.type:
        return MCPApprovalResponseItem(agent=agent, raw_item=payload.raw)
    data = attached if attached is not None else payload.custom_data
    return ToolCallOutputItem(
        agent=agent,
        raw_item=payload.raw,
        output=payload.output,
        custom_data=None if data is None else dict(data),
        tool_origin=origin,
    )


def withheld(payload: ToolReturn, agent: Agent[Any], origin: ToolOrigin | None = None) -> RunItem:
    """The item that answers a call whose result no guardrail could judge."""
    raw = {**payload.raw, "output": WITHHELD}
    return ToolCallOutputItem(agent=agent, raw_item=raw, output=WITHHELD, tool_origin=origin)


def transfer_items(payload: Transfer, names: Names) -> list[RunItem]:
    """The answers to the handoffs of a reply; the answer to the one that was taken stands last."""
    source, target = names.agent(payload.source), names.agent(payload.target)
    items: list[RunItem] = [
        ToolCallOutputItem(agent=source, raw_item=raw, output=raw["output"])
        for raw in payload.ignored
    ]
    items.append(
        HandoffOutputItem(
            agent=target, raw_item=payload.raw, source_agent=source, target_agent=target
        )
    )
    return items


def interruption(question: Question, names: Names) -> Interruption:
    """The item with which a person is asked about a call, or asked the question of a workflow."""
    agent = names.agent(question.agent, question.machine)
    item: Interruption
    if raw_field(question.raw, "type") == QUESTION:
        item = QuestionItem(agent, cast(dict[str, Any], question.raw))
    else:
        item = ToolApprovalItem(
            agent=agent,
            raw_item=question.raw,
            tool_name=question.name,
            tool_namespace=question.namespace,
            tool_origin=question.origin,
            interrupted=question.interrupted,
        )
    item._subject = Ruling(
        key=question.key,
        tool=question.tool,
        content=question.content,
        name=item.qualified_name or "",
        call_id=item.call_id or "",
        decision=Decision(False),
    )
    return item


def logged(filtered: Filtered, log: Sequence[RunItem], names: Names) -> HandoffInputData:
    """The result of a handoff filter, with references replaced by items of the log."""
    history = filtered.history
    return HandoffInputData(
        input_history=history,
        pre_handoff_items=tuple(_of_log(entry, log, names) for entry in filtered.before),
        new_items=tuple(_of_log(entry, log, names) for entry in filtered.latest),
    )


def _of_log(entry: LogItem, log: Sequence[RunItem], names: Names) -> RunItem:
    if entry.place >= 0:
        return log[entry.place]
    agent: Any = names.agent(entry.agent) if entry.agent else None
    more = dict(entry.more or {})
    if "tool_origin" in more:
        more["tool_origin"] = ToolOrigin.from_json_dict(more["tool_origin"])
    if entry.kind == HandoffOutputItem.type:
        ends = {name: names.agent(more[name]) for name in ("source_agent", "target_agent")}
        return HandoffOutputItem(agent=agent, raw_item=entry.raw, **ends)
    item: RunItem = ITEM_CLASSES[entry.kind](agent=agent, raw_item=entry.raw, **more)
    return item
