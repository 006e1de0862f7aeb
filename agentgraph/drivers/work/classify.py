"""Reading a reply: which items it has, which work it asks for, and what it amounts to
(BEHAVIOUR.md, section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agentgraph.drivers.payloads import ModelReply
from agentgraph.drivers.work.offer import Offer
from agentgraph.exceptions import ModelBehaviorError, ModelRefusalError
from agentgraph.items import (
    CompactionItem,
    HandoffCallItem,
    MCPApprovalRequestItem,
    MCPListToolsItem,
    MessageOutputItem,
    ModelResponse,
    ReasoningItem,
    ToolCallItem,
    ToolCallOutputItem,
    ToolSearchCallItem,
    ToolSearchOutputItem,
)
from agentgraph.local_actions import ACTION_ITEMS, is_provider_shell, server_label
from agentgraph.runtime.outcomes import Call, Reply, Request
from agentgraph_compiler.machine import Verdict

_PLAIN_ITEMS: dict[str, Any] = {
    "message": MessageOutputItem,
    "reasoning": ReasoningItem,
    "mcp_list_tools": MCPListToolsItem,
    "mcp_approval_request": MCPApprovalRequestItem,
    "compaction": CompactionItem,
    "tool_search_call": ToolSearchCallItem,
    "tool_search_output": ToolSearchOutputItem,
}
_NO_ACTIVITY = frozenset({"message", "reasoning", "compaction"})
# Outputs stand in this order, calls of one kind in the order of the reply (BEHAVIOUR.md, section
# 2).
_RANK = {"function_call": 0, **{kind: rank for rank, kind in enumerate(ACTION_ITEMS, 1)}}
_MISSING_RANK = len(_RANK)
_APPROVAL_RANK = _MISSING_RANK + 1


@dataclass(slots=True)
class _Reading:
    """What was found in a reply so far."""

    items: list[Any] = field(default_factory=list)
    calls: list[tuple[int, Call]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    tools: dict[int, Any] = field(default_factory=dict)
    identities: list[tuple[str, str, str]] = field(default_factory=list)
    fault: Exception | None = None
    message: Any = None
    activity: bool = False


def classify(
    response: ModelResponse,
    agent: Any,
    offer: Offer,
    seen: dict[str, tuple[str, str]],
    missing: str | None,
) -> tuple[Reply, ModelReply]:
    """Read a reply.

    Args:
        response: The reply.
        agent: The agent whose model gave it.
        offer: What the model was offered.
        seen: Name and arguments of every call of the run so far, by call id.
        missing: Symbol of the offer that answers calls of tools nobody has; ``None`` makes them a
            fault.

    Returns:
        The control data, and the payload that goes with it.
    """
    reading = _Reading()
    for position, item in enumerate(response.output):
        _read_item(reading, position, item, agent, offer, seen, missing)
    calls = tuple(call for _, call in sorted(reading.calls, key=lambda entry: entry[0]))
    payload = ModelReply(
        response, reading.items, None, reading.fault, reading.tools, reading.identities
    )
    if reading.fault is not None:
        return Reply(verdict=Verdict.UNKNOWN), payload
    if calls or reading.requests:
        return Reply(calls, tuple(reading.requests), Verdict.AGAIN), payload
    return Reply(verdict=_verdict(reading, agent, offer, payload)), payload


def _read_item(
    reading: _Reading,
    position: int,
    item: Any,
    agent: Any,
    offer: Offer,
    seen: dict[str, tuple[str, str]],
    missing: str | None,
) -> None:
    kind = item["type"] if isinstance(item, dict) else item.type
    if kind == "message":
        reading.message = item
        reading.items.append(MessageOutputItem(agent=agent, raw_item=item))
    elif kind == "function_call":
        _read_function_call(reading, position, item, agent, offer, seen, missing)
    elif kind == "custom_tool_call":
        _read_custom_call(reading, position, item, agent, offer, seen)
    elif kind in ACTION_ITEMS:
        reading.items.append(ToolCallItem(agent=agent, raw_item=item))
        _read_action(reading, position, item, kind, agent, offer)
    elif kind == "shell_call_output":
        # Commands that ran at the provider's side come with what they wrote.
        output = ToolCallOutputItem(agent=agent, raw_item=item, output=item.output)
        reading.items.append(output)
        reading.activity = True
    else:
        reading.items.append(_PLAIN_ITEMS.get(kind, ToolCallItem)(agent=agent, raw_item=item))
        if kind == "mcp_approval_request":
            _read_approval_request(reading, position, item, agent, offer)
        reading.activity = reading.activity or kind not in _NO_ACTIVITY


def _read_function_call(
    reading: _Reading,
    position: int,
    item: Any,
    agent: Any,
    offer: Offer,
    seen: dict[str, tuple[str, str]],
    missing: str | None,
) -> None:
    name = item.name
    handoff = offer.requestable.get(name)
    if handoff is not None:
        reading.items.append(HandoffCallItem(agent=agent, raw_item=item))
        reading.requests.append(Request(handoff.symbol, position))
        return
    identity = (name, item.arguments)
    if _is_known(reading, item.call_id, identity, agent, seen):
        return
    symbol, tool = offer.callable.get(name, (missing, None))
    described = None if tool is None else tool.description
    reading.items.append(ToolCallItem(agent=agent, raw_item=item, description=described))
    if not symbol:
        reading.fault = ModelBehaviorError(f"Tool {name} not found in agent {agent.name}")
        return
    reading.identities.append((item.call_id, *identity))
    reading.tools[position] = tool
    rank = _RANK["function_call"] if tool is not None else _MISSING_RANK
    reading.calls.append((rank, Call(symbol, name, position)))


def _is_known(
    reading: _Reading,
    call_id: str,
    identity: tuple[str, str],
    agent: Any,
    seen: dict[str, tuple[str, str]],
) -> bool:
    """Whether a call was made already: it is no new call then, and left out of the history."""
    known = seen.get(call_id) or next(
        (entry[1:] for entry in reading.identities if entry[0] == call_id), None
    )
    if known is None:
        return False
    reading.activity = True
    if known != identity:
        reading.fault = ModelBehaviorError(
            f"Agent '{agent.name}': the model used the call id '{call_id}' for two"
            f" different calls ('{known[0]}' and '{identity[0]}')."
        )
    return True


def _read_custom_call(
    reading: _Reading,
    position: int,
    item: Any,
    agent: Any,
    offer: Offer,
    seen: dict[str, tuple[str, str]],
) -> None:
    identity = (item.name, item.input)
    if _is_known(reading, item.call_id, identity, agent, seen):
        return
    reading.items.append(ToolCallItem(agent=agent, raw_item=item))
    # Of two tools of one name the last counts, as it does among function tools.
    for symbol, tool in reversed(offer.actions.get("custom_tool_call", ())):
        if tool.name == item.name:
            reading.identities.append((item.call_id, *identity))
            reading.tools[position] = tool
            reading.calls.append((_RANK["custom_tool_call"], Call(symbol, tool.name, position)))
            return
    reading.fault = _without_tool(agent, item.name)


def _read_action(
    reading: _Reading, position: int, item: Any, kind: str, agent: Any, offer: Offer
) -> None:
    for symbol, tool in offer.actions.get(kind, ()):
        reading.tools[position] = tool
        reading.calls.append((_RANK[kind], Call(symbol, tool.name, position)))
        return
    if kind == "shell_call" and any(map(is_provider_shell, offer.tools)):
        reading.activity = True
        return
    reading.fault = _without_tool(agent, ACTION_ITEMS[kind])


def _without_tool(agent: Any, wanted: str) -> ModelBehaviorError:
    return ModelBehaviorError(
        f"The model of agent '{agent.name}' called the tool '{wanted}', which the agent does not"
        " have."
    )


def _read_approval_request(
    reading: _Reading, position: int, item: Any, agent: Any, offer: Offer
) -> None:
    for symbol, tool in offer.actions.get("mcp_approval_request", ()):
        if server_label(tool) == item.server_label:
            reading.tools[position] = tool
            reading.calls.append((_APPROVAL_RANK, Call(symbol, tool.name, position)))
            return
    reading.fault = ModelBehaviorError(
        f"The model of agent '{agent.name}' wants to call '{item.name}' on the hosted MCP server"
        f" '{item.server_label}', but the agent has no HostedMCPTool with this label."
    )


def _verdict(reading: _Reading, agent: Any, offer: Offer, payload: ModelReply) -> Verdict:
    text, refusal = _words(reading.message)
    if refusal is not None:
        payload.fault = ModelRefusalError(refusal)
        return Verdict.REFUSED
    if offer.schema is None or offer.schema.is_plain_text():
        if reading.message is None and reading.activity:
            return Verdict.AGAIN
        payload.output = text
        return Verdict.FINAL
    if not text:
        return Verdict.AGAIN
    try:
        payload.output = offer.schema.validate_json(text)
    except ModelBehaviorError as error:
        payload.fault = error
        return Verdict.INVALID
    return Verdict.FINAL


def _words(message: Any) -> tuple[str, str | None]:
    """The text of a message, and its refusal where its last part is one."""
    if message is None:
        return "", None
    parts: Sequence[Any] = message.content
    if parts and parts[-1].type == "refusal":
        return "", parts[-1].refusal or "no reason given"
    return "".join(part.text for part in parts if part.type == "output_text"), None
