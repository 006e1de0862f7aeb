"""The events of a streamed run.

`NAMES` is the only table of run item events. Each event has a name in our reference and a name in
the published SDK. Two events with different names in one have different names in the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.items.run_items import RunItem

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseStreamEvent

__all__ = [
    "NAMES",
    "AgentUpdatedStreamEvent",
    "RawResponsesStreamEvent",
    "RunItemEventName",
    "RunItemStreamEvent",
    "StreamEvent",
    "event_name",
]

RunItemEventName: TypeAlias = Literal[
    "message_output_created",
    "handoff_called",
    "handoff_output_created",
    "tool_called",
    "tool_output_created",
    "tool_search_called",
    "tool_search_output_created",
    "reasoning_created",
    "mcp_list_tools_created",
    "mcp_approval_request_created",
    "mcp_approval_response_created",
]
"""The names of run item events."""


@dataclass(frozen=True, slots=True)
class EventNames:
    """The names of the event that announces one kind of item.

    Attributes:
        name: Our name.
        sdk_name: The name in the published SDK, in the SDK's own spelling.
    """

    name: RunItemEventName
    sdk_name: str


NAMES: Final[dict[str, EventNames]] = {
    "message_output_item": EventNames("message_output_created", "message_output_created"),
    "handoff_call_item": EventNames("handoff_called", "handoff_requested"),
    "handoff_output_item": EventNames("handoff_output_created", "handoff_occured"),
    "tool_call_item": EventNames("tool_called", "tool_called"),
    "tool_call_output_item": EventNames("tool_output_created", "tool_output"),
    "tool_search_call_item": EventNames("tool_search_called", "tool_search_called"),
    "tool_search_output_item": EventNames(
        "tool_search_output_created", "tool_search_output_created"
    ),
    "reasoning_item": EventNames("reasoning_created", "reasoning_item_created"),
    "mcp_list_tools_item": EventNames("mcp_list_tools_created", "mcp_list_tools"),
    "mcp_approval_request_item": EventNames(
        "mcp_approval_request_created", "mcp_approval_requested"
    ),
    "mcp_approval_response_item": EventNames(
        "mcp_approval_response_created", "mcp_approval_response"
    ),
}
"""The event of each type of item. A type that is not listed has no event."""

_SDK_NAMES: Final[dict[str, str]] = {names.name: names.sdk_name for names in NAMES.values()}


def event_name(item: RunItem) -> RunItemEventName | None:
    """Return the name of the event that announces an item.

    Args:
        item: The item.

    Returns:
        Our name of the event, or `None` for an item without an event: a pending approval, a
        compaction or added input.
    """
    names = NAMES.get(item.type)
    return None if names is None else names.name


@names_types(TResponseStreamEvent="openai.types.responses:ResponseStreamEvent")
@dataclass
class RawResponsesStreamEvent:
    """A part of the model's reply, passed on unchanged.

    Attributes:
        data: The event in the form of the Responses API.
    """

    data: TResponseStreamEvent
    type: Literal["raw_response_event"] = "raw_response_event"


@dataclass
class RunItemStreamEvent:
    """An item is complete.

    Attributes:
        name: The name of the event.
        item: The item.
    """

    name: RunItemEventName
    item: RunItem
    type: Literal["run_item_stream_event"] = "run_item_stream_event"

    @property
    def sdk_name(self) -> str:
        """The name that the published SDK gives this event."""
        return _SDK_NAMES[self.name]


@dataclass
class AgentUpdatedStreamEvent:
    """Another agent becomes active: the first one of the run, or the target of a handoff.

    Attributes:
        new_agent: The agent.
    """

    new_agent: Any
    type: Literal["agent_updated_stream_event"] = "agent_updated_stream_event"


StreamEvent: TypeAlias = RawResponsesStreamEvent | RunItemStreamEvent | AgentUpdatedStreamEvent
"""An event of a streamed run."""
