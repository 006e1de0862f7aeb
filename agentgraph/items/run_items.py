"""Run items: messages, calls and their outputs, handoffs, reasoning, approvals.

A run item pairs a raw item, in the provider's form, with the agent that it belongs to. A raw item
never changes once it is part of a run item, so its input form is computed once and shared: copy the
result of `to_input_item` before you change it.
"""

from __future__ import annotations

import abc
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeAlias, TypeVar, cast

from agentgraph.approvals import content_digest, tool_identity
from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.exceptions import AgentsException
from agentgraph.items.responses import input_form
from agentgraph.items.tool_origin import ToolOrigin
from agentgraph.items.weak_agents import HoldsAgents

if TYPE_CHECKING:
    from openai.types.responses import (
        ResponseFunctionToolCall,
        ResponseOutputMessage,
        ResponseReasoningItem,
    )
    from openai.types.responses.response_input_item_param import (
        McpApprovalResponse,
    )
    from openai.types.responses.response_output_item import McpApprovalRequest, McpListTools

    from agentgraph.items.responses import TResponseInputItem

__all__ = [
    "CompactionItem",
    "HandoffCallItem",
    "HandoffOutputItem",
    "InputItem",
    "MCPApprovalRequestItem",
    "MCPApprovalResponseItem",
    "MCPListToolsItem",
    "MessageOutputItem",
    "ReasoningItem",
    "RunItem",
    "RunItemBase",
    "ToolApprovalItem",
    "ToolCallItem",
    "ToolCallOutputItem",
    "ToolSearchCallItem",
    "ToolSearchOutputItem",
    "call_content",
    "raw_field",
]

T = TypeVar("T")


def raw_field(raw_item: object, name: str) -> Any:
    """Read a field of a raw item.

    Args:
        raw_item: A dictionary or one of the client's models.
        name: The name of the field.

    Returns:
        The value, or `None` if the item has no such field.
    """
    return raw_item.get(name) if isinstance(raw_item, dict) else getattr(raw_item, name, None)


@names_types(
    McpApprovalRequest="openai.types.responses.response_output_item:McpApprovalRequest",
    McpApprovalResponse="openai.types.responses.response_input_item_param:McpApprovalResponse",
    McpListTools="openai.types.responses.response_output_item:McpListTools",
    ResponseFunctionToolCall="openai.types.responses:ResponseFunctionToolCall",
    ResponseOutputMessage="openai.types.responses:ResponseOutputMessage",
    ResponseReasoningItem="openai.types.responses:ResponseReasoningItem",
    TResponseInputItem="openai.types.responses:ResponseInputItemParam",
)
class _HoldsForm:
    """Caches the input form of an item, together with the raw item that it was computed from."""

    _form: tuple[Any, TResponseInputItem] | None = None


@dataclass
class RunItemBase(HoldsAgents, _HoldsForm, Generic[T], abc.ABC):
    """The base of all items.

    Attributes:
        agent: The agent that the item belongs to. After `release_agent` the item refers to it
            weakly, and the field is `None` once the agent is collected.
        raw_item: The item in the provider's form.
    """

    # `Any`, because the module of the agent's class imports this one, by way of tools and handoffs.
    agent: AnyAgent
    raw_item: T

    def to_input_item(self) -> TResponseInputItem:
        """Convert the item into its input form, in which it is sent back to a model.

        Returns:
            A dictionary; all calls return the same one.

        Raises:
            AgentsException: The raw item is neither a dictionary nor one of the client's models.
        """
        raw = self.raw_item
        if type(raw) is dict:
            return cast("TResponseInputItem", raw)
        cached = self._form
        if cached is not None and cached[0] is raw:
            return cached[1]
        form = input_form(raw)
        self._form = (raw, form)
        return form


@dataclass
class InputItem(RunItemBase["TResponseInputItem"]):
    """Input that the program added during the run."""

    raw_item: TResponseInputItem
    type: Literal["input_item"] = "input_item"
    input_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class MessageOutputItem(RunItemBase["ResponseOutputMessage"]):
    """A message of the model."""

    raw_item: ResponseOutputMessage
    type: Literal["message_output_item"] = "message_output_item"


@dataclass
class ReasoningItem(RunItemBase["ResponseReasoningItem"]):
    """Reasoning of the model."""

    raw_item: ResponseReasoningItem
    type: Literal["reasoning_item"] = "reasoning_item"


@dataclass
class HandoffCallItem(RunItemBase["ResponseFunctionToolCall"]):
    """The model's call of a handoff."""

    raw_item: ResponseFunctionToolCall
    type: Literal["handoff_call_item"] = "handoff_call_item"


@dataclass
class HandoffOutputItem(RunItemBase["TResponseInputItem"]):
    """The output of a handoff's call.

    Attributes:
        agent: The current agent after the handoff.
        source_agent: The agent that handed over.
        target_agent: The agent that took over.
    """

    raw_item: TResponseInputItem
    source_agent: AnyAgent
    target_agent: AnyAgent
    type: Literal["handoff_output_item"] = "handoff_output_item"

    _agent_fields: ClassVar[tuple[str, ...]] = ("agent", "source_agent", "target_agent")


@dataclass
class ToolCallItem(RunItemBase[Any]):
    """The model's call of a tool: function, hosted, computer, shell or MCP.

    Attributes:
        description: The tool's description for the model, if it is available.
        title: The title for people that an MCP server gives its tool.
        tool_origin: Where the tool comes from: for a function tool, an agent as a tool, and a tool
            of an MCP server.
    """

    raw_item: Any
    type: Literal["tool_call_item"] = "tool_call_item"
    description: str | None = None
    title: str | None = None
    tool_origin: ToolOrigin | None = None

    @property
    def tool_name(self) -> str | None:
        """The tool's name as the model called it; for a hosted tool, the type of the call."""
        name = raw_field(self.raw_item, "name") or raw_field(self.raw_item, "type")
        return name if isinstance(name, str) else None

    @property
    def call_id(self) -> str | None:
        """The id of the call."""
        return _call_id(self.raw_item)


@dataclass
class ToolCallOutputItem(RunItemBase[Any]):
    """The output of a tool's call.

    Attributes:
        output: The return value of the tool, unchanged.
        tool_origin: Where the tool comes from, as its call has it.
        custom_data: Data that the program attached to the output; the model never sees it.
    """

    raw_item: Any
    output: Any
    type: Literal["tool_call_output_item"] = "tool_call_output_item"
    tool_origin: ToolOrigin | None = None
    custom_data: dict[str, Any] | None = None

    @property
    def call_id(self) -> str | None:
        """The id of the call that this output answers."""
        return _call_id(self.raw_item)


@dataclass
class ToolSearchCallItem(RunItemBase[Any]):
    """The model's search for tools whose loading is deferred."""

    raw_item: Any
    type: Literal["tool_search_call_item"] = "tool_search_call_item"


@dataclass
class ToolSearchOutputItem(RunItemBase[Any]):
    """The tools that a search found."""

    raw_item: Any
    type: Literal["tool_search_output_item"] = "tool_search_output_item"


@dataclass
class MCPListToolsItem(RunItemBase["McpListTools"]):
    """The provider's list of the tools of a hosted MCP server."""

    raw_item: McpListTools
    type: Literal["mcp_list_tools_item"] = "mcp_list_tools_item"


@dataclass
class MCPApprovalRequestItem(RunItemBase["McpApprovalRequest"]):
    """The provider's request for approval of a call of a hosted MCP tool."""

    raw_item: McpApprovalRequest
    type: Literal["mcp_approval_request_item"] = "mcp_approval_request_item"


@dataclass
class MCPApprovalResponseItem(RunItemBase["McpApprovalResponse"]):
    """The response to a provider's request for approval of a call of a hosted MCP tool."""

    raw_item: McpApprovalResponse
    type: Literal["mcp_approval_response_item"] = "mcp_approval_response_item"


@dataclass
class CompactionItem(RunItemBase["TResponseInputItem"]):
    """The provider's compaction of the conversation so far."""

    raw_item: TResponseInputItem
    type: Literal["compaction_item"] = "compaction_item"


@dataclass(eq=False)
class ToolApprovalItem(RunItemBase[Any]):
    """A tool call that waits for a person's decision; it equals only itself.

    Attributes:
        tool_name: The tool as the model called it; read from the raw item if left out.
        tool_namespace: The tool's namespace, if it has one.
        tool_origin: Where the tool comes from, if it is a function tool.
        interrupted: Whether the call was at work when the process of its durable run died, so that
            the question is whether to make it again.
    """

    raw_item: Any
    tool_name: str | None = None
    type: Literal["tool_approval_item"] = "tool_approval_item"
    tool_namespace: str | None = None
    tool_origin: ToolOrigin | None = None
    interrupted: bool = field(default=False, kw_only=True)
    # The subject of a decision, set by the run that asks for it; None for an item made by hand.
    _subject: object = field(default=None, repr=False)

    # Two requests about equal calls are still two requests.
    def __eq__(self, other: object) -> bool:
        return object.__eq__(self, other)

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __post_init__(self) -> None:
        if self.tool_name is None:
            self.tool_name = raw_field(self.raw_item, "name")
        if self.tool_namespace is None:
            self.tool_namespace = raw_field(self.raw_item, "namespace")

    @property
    def name(self) -> str | None:
        """The tool as the model called it."""
        return self.tool_name

    @property
    def _content(self) -> str:
        return call_content(self.raw_item)

    @property
    def qualified_name(self) -> str | None:
        """The tool's name with its namespace in front; decisions are stored under this name."""
        return self.tool_name and tool_identity(self.tool_name, self.tool_namespace)

    @property
    def arguments(self) -> str | None:
        """The arguments as the model wrote them: JSON text, or the text for a custom tool."""
        arguments = raw_field(self.raw_item, "arguments") or raw_field(self.raw_item, "input")
        return arguments if isinstance(arguments, str) else None

    @property
    def call_id(self) -> str | None:
        """The id of the call."""
        return _call_id(self.raw_item)

    def to_input_item(self) -> TResponseInputItem:
        """Refuse: a request to a person is never sent to a model.

        Raises:
            AgentsException: Always.
        """
        raise AgentsException(
            f"The pending approval of tool {self.tool_name!r} cannot be sent to a model. "
            "Decide on it with RunState.approve or reject."
        )


def call_content(raw_item: object) -> str:
    """Compute the digest of a call's content, without the ids that the model chose.

    Args:
        raw_item: The call: a dictionary or one of the client's models.
    """
    parts = [raw_field(raw_item, name) for name in _CONTENT]
    return content_digest(*(_dumped(part) for part in parts))


_CONTENT: Final = (
    "type",
    "name",
    "namespace",
    "server_label",
    "arguments",
    "input",
    "action",
    "actions",
    "operation",
    "pending_safety_checks",
)


def _dumped(part: object) -> Any:
    if isinstance(part, list):
        return [_dumped(entry) for entry in part]
    dump = getattr(part, "model_dump", None)
    return part if dump is None else dump(mode="json", exclude_none=True)


def _call_id(raw_item: object) -> str | None:
    call_id = raw_field(raw_item, "call_id") or raw_field(raw_item, "id")
    return call_id if isinstance(call_id, str) else None


RunItem: TypeAlias = (
    InputItem
    | MessageOutputItem
    | ToolSearchCallItem
    | ToolSearchOutputItem
    | HandoffCallItem
    | HandoffOutputItem
    | ToolCallItem
    | ToolCallOutputItem
    | ReasoningItem
    | MCPListToolsItem
    | MCPApprovalRequestItem
    | MCPApprovalResponseItem
    | CompactionItem
    | ToolApprovalItem
)
"""Anything that happens in a run."""
