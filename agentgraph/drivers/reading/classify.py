"""Reading a reply: its items, the work it asks for, its verdict (docs/design/behaviour.md, section
1). Pure.

The model chooses call ids. A repeated id with the same content is the same call; with other content
it is an error, which is raised before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.agent_output import AgentOutputSchemaBase
from agentgraph.approvals import content_digest
from agentgraph.drivers.reading.offer import Offer
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
from agentgraph.items.run_items import call_content, raw_field
from agentgraph.items.tool_origin import ToolOrigin, ToolOriginType
from agentgraph.record.payloads import Identity, ModelReply, Note, Request
from agentgraph.runtime import outcomes
from agentgraph.runtime.outcomes import Call, Reply
from agentgraph.runtime.state import new
from agentgraph.stored.faults import fault_of
from agentgraph.tools.actions import ACTION_ITEMS, is_provider_shell, server_label
from agentgraph.tools.function import get_function_tool_origin
from agentgraph_compiler.machine import Verdict

if TYPE_CHECKING:
    from openai.types.responses import (
        ResponseApplyPatchToolCall,
        ResponseComputerToolCall,
        ResponseCustomToolCall,
        ResponseFunctionShellToolCall,
        ResponseFunctionToolCall,
        ResponseOutputMessage,
    )
    from openai.types.responses.response_output_item import LocalShellCall, McpApprovalRequest

    from agentgraph.agent import Agent

    _ActionCall = (
        ResponseComputerToolCall
        | ResponseApplyPatchToolCall
        | ResponseFunctionShellToolCall
        | LocalShellCall
    )

_KINDS: Mapping[str, str] = {
    "message": MessageOutputItem.type,
    "reasoning": ReasoningItem.type,
    "mcp_list_tools": MCPListToolsItem.type,
    "mcp_approval_request": MCPApprovalRequestItem.type,
    "compaction": CompactionItem.type,
    "tool_search_call": ToolSearchCallItem.type,
    "tool_search_output": ToolSearchOutputItem.type,
}
_CALL, _HANDOFF, _OUTPUT = ToolCallItem.type, HandoffCallItem.type, ToolCallOutputItem.type
_MESSAGE = MessageOutputItem.type
_NO_ACTIVITY = frozenset({"message", "reasoning", "compaction"})
_AGAIN = Verdict.AGAIN
# Behind those of function tools, the outputs of calls stand in this order of kinds; within a kind,
# in the order of the reply (docs/design/behaviour.md, section 2).
_RANK = {kind: rank for rank, kind in enumerate(ACTION_ITEMS)}
_MISSING_RANK = len(_RANK)
_APPROVAL_RANK = _MISSING_RANK + 1


class _Reading:
    """The reading of one reply.

    Args:
        agent: The agent whose model replied.
        offer: The tools and handoffs that the model could use.
        earlier: The call that each call id of the run names.
        missing: The symbol that answers calls of tools that the agent does not have; ``None`` makes
            such a call a fault.
    """

    __slots__ = (
        "active",
        "agent",
        "calls",
        "earlier",
        "fault",
        "identities",
        "message",
        "missing",
        "notes",
        "offer",
        "others",
        "requests",
    )

    def __init__(
        self, agent: Agent[Any], offer: Offer, earlier: Mapping[str, Identity], missing: str | None
    ) -> None:
        self.agent, self.offer, self.earlier, self.missing = agent, offer, earlier, missing
        self.notes: list[Note] = []
        self.calls: list[Call] = []
        # The calls that stand behind those of function tools, with the rank of their kind.
        self.others: list[tuple[int, Call]] = []
        self.requests: list[outcomes.Request] = []
        self.identities: dict[str, Identity] = {}
        self.fault: Exception | None = None
        self.message: ResponseOutputMessage | None = None
        self.active = False

    def read(self, position: int, raw: object) -> None:
        """Read one output item."""
        item: Any = raw  # below, a checker would take it for a dictionary
        kind = raw["type"] if isinstance(raw, dict) else item.type
        if kind == "message":
            self.message = item
            self.notes.append(new(Note, (_MESSAGE, position, None, None, None)))
        elif kind == "function_call":
            self._function_call(position, item)
        elif kind == "custom_tool_call":
            self._custom_call(position, item)
        elif kind in ACTION_ITEMS:
            self._action(position, item, kind)
        elif kind == "shell_call_output":
            self.notes.append(Note(_OUTPUT, position))
            self.active = True
        elif kind == "mcp_approval_request":
            self._approval_request(position, item)
        else:
            self.notes.append(Note(_KINDS.get(kind, _CALL), position, origin=_hosted_origin(item)))
            self.active = self.active or kind not in _NO_ACTIVITY

    def _function_call(self, position: int, item: ResponseFunctionToolCall) -> None:
        name = item.name
        handoff = self.offer.requestable.get(name)
        if handoff is not None:
            self.notes.append(Note(_HANDOFF, position))
            self.requests.append(outcomes.Request(handoff.symbol, position))
            return
        if self._is_repeat(item.call_id, name, item.arguments):
            return
        space = getattr(item, "namespace", None)
        if space and f"{space}.{name}" in self.offer.callable:
            name = f"{space}.{name}"
        entry = self.offer.callable.get(name)
        if entry is not None:
            symbol, tool = entry
            origin, title = get_function_tool_origin(tool), tool._mcp_title
            self.notes.append(new(Note, (_CALL, position, tool.description, origin, title)))
            self.calls.append(new(Call, (symbol, name, position)))
            return
        self.notes.append(Note(_CALL, position))
        if self.missing:
            self.others.append((_MISSING_RANK, Call(self.missing, name, position)))
        else:
            self._fail(ModelBehaviorError(f"Tool {name} not found in agent {self.agent.name}"))

    def _custom_call(self, position: int, item: ResponseCustomToolCall) -> None:
        if self._is_repeat(item.call_id, item.name, item.input):
            return
        self.notes.append(Note(_CALL, position))
        # If two tools have one name, the last one counts, as among function tools.
        for symbol, tool in reversed(self.offer.actions.get("custom_tool_call", ())):
            if tool.name == item.name:
                call = Call(symbol, tool.name, position)
                self.others.append((_RANK["custom_tool_call"], call))
                return
        self._fail(_without_tool(self.agent, item.name))

    def _action(self, position: int, item: _ActionCall, kind: str) -> None:
        for symbol, tool in self.offer.actions.get(kind, ()):
            if self._is_repeat(item.call_id, tool.name, call_content(item)):
                return
            self.notes.append(Note(_CALL, position))
            self.others.append((_RANK[kind], Call(symbol, tool.name, position)))
            return
        self.notes.append(Note(_CALL, position))
        if kind == "shell_call" and any(map(is_provider_shell, self.offer.tools)):
            self.active = True
            return
        self._fail(_without_tool(self.agent, ACTION_ITEMS[kind]))

    def _approval_request(self, position: int, item: McpApprovalRequest) -> None:
        self.active = True
        if self._is_repeat(item.id, item.name, call_content(item)):
            return
        self.notes.append(Note(_KINDS["mcp_approval_request"], position))
        for symbol, tool in self.offer.actions.get("mcp_approval_request", ()):
            if server_label(tool) == item.server_label:
                self.others.append((_APPROVAL_RANK, Call(symbol, tool.name, position)))
                return
        self._fail(
            ModelBehaviorError(
                f"The model of agent '{self.agent.name}' wants to call '{item.name}' on the hosted"
                f" MCP server '{item.server_label}', but the agent has no HostedMCPTool with this"
                " label."
            )
        )

    def _is_repeat(self, call_id: str, name: str, content: str) -> bool:
        """Whether a call repeats an earlier one; then it is not made again and leaves no item."""
        first = self.earlier.get(call_id) or self.identities.get(call_id)
        if first is None:
            self.identities[call_id] = new(Identity, (call_id, name, content))
            return False
        self.active = True
        if first.name != name or not _same(first.content, content):
            self._fail(
                ModelBehaviorError(
                    f"Agent '{self.agent.name}': the model used the call id '{call_id}' for two"
                    f" different calls ('{first.name}' and '{name}')."
                )
            )
        return True

    def _fail(self, fault: Exception) -> None:
        if self.fault is None:
            self.fault = fault


def classify(
    response: ModelResponse,
    agent_id: str,
    agent: Agent[Any],
    offer: Offer,
    request: Request,
    earlier: Mapping[str, Identity],
    missing: str | None,
) -> tuple[Reply, ModelReply, Exception | None]:
    """Read a reply.

    Args:
        response: The reply.
        agent_id: Id of the agent whose model replied.
        agent: The agent.
        offer: The tools and handoffs that the model could use.
        request: The request that the reply answers.
        earlier: The call that each call id of the run names.
        missing: The symbol that answers calls of tools that the agent does not have; ``None`` makes
            such a call a fault.

    Returns:
        The control data, the payload, and the fault that makes the reply unusable, if any.
    """
    reading = _Reading(agent, offer, earlier, missing)
    for position, item in enumerate(response.output):
        reading.read(position, item)
    calls = tuple(reading.calls)
    if reading.others:
        calls += tuple([call for _, call in sorted(reading.others, key=_rank)])
    output, fault = None, reading.fault
    if fault is not None:
        reply = Reply(verdict=Verdict.UNKNOWN)
    elif calls or reading.requests:
        reply = new(Reply, (calls, tuple(reading.requests), _AGAIN, True, ""))
    else:
        verdict, output, fault = _verdict(reading, offer)
        reply = Reply(verdict=verdict, active=reading.active)
    fault_data = None if fault is None else fault_of(fault)
    notes, identities = tuple(reading.notes), tuple(reading.identities.values())
    payload = (response, agent_id, request, notes, identities, fault_data, output)
    return reply, new(ModelReply, payload), fault


def _hosted_origin(item: object) -> ToolOrigin | None:
    """Where the tool of a call comes from that the provider made at an MCP server."""
    if raw_field(item, "type") != "mcp_call":
        return None
    return ToolOrigin(ToolOriginType.MCP, mcp_server_name=raw_field(item, "server_label"))


def _same(one: str, other: str) -> bool:
    """Whether two calls have the same content, key order aside."""
    return one == other or content_digest(one) == content_digest(other)


def _rank(entry: tuple[int, Call]) -> int:
    return entry[0]


def _without_tool(agent: Agent[Any], name: str) -> ModelBehaviorError:
    return ModelBehaviorError(
        f"The model of agent '{agent.name}' called the tool '{name}', which the agent does not"
        " have."
    )


def _without_output(agent: Agent[Any], schema: AgentOutputSchemaBase) -> ModelBehaviorError:
    return ModelBehaviorError(
        f"The model of agent '{agent.name}' gave no final output; its output type is"
        f" {schema.name()}."
    )


def _verdict(reading: _Reading, offer: Offer) -> tuple[Verdict, Any, Exception | None]:
    text, refusal = _words(reading.message)
    if refusal is not None:
        return Verdict.REFUSED, None, ModelRefusalError(refusal)
    if offer.schema is None or offer.schema.is_plain_text():
        if reading.message is None and reading.active:
            return Verdict.AGAIN, None, None
        return Verdict.FINAL, text, None
    if not text:
        if reading.message is None and reading.active:
            return Verdict.AGAIN, None, None
        return Verdict.EMPTY, None, _without_output(reading.agent, offer.schema)
    try:
        return Verdict.FINAL, offer.schema.validate_json(text), None
    except ModelBehaviorError as error:
        return Verdict.INVALID, None, error


def output_in(response: ModelResponse, schema: AgentOutputSchemaBase | None) -> Any:
    """The final output in a final reply.

    Args:
        response: The reply.
        schema: The schema of the agent's output; ``None`` for plain text.
    """
    messages = [item for item in response.output if raw_field(item, "type") == "message"]
    text, _ = _words(messages[-1] if messages else None)
    return text if schema is None or schema.is_plain_text() else schema.validate_json(text)


def _words(message: Any) -> tuple[str, str | None]:
    """The text of a message, and its refusal if the last part is one."""
    if message is None:
        return "", None
    parts: Sequence[Any] = message.content
    if parts and parts[-1].type == "refusal":
        return "", parts[-1].refusal or "no reason given"
    return "".join(part.text for part in parts if part.type == "output_text"), None
