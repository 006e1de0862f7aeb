"""The events of a streamed run.

`NAMES` is the only table of run item events. Each event has two names: the one that the published
SDK emits, and the one in its reference. The name of an event is the published one and equals both.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from agentgraph.authoring.any_agent import AnyAgent
from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.items.run_items import RunItem

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseStreamEvent

__all__ = [
    "NAMES",
    "AgentUpdatedStreamEvent",
    "EventName",
    "RawResponsesStreamEvent",
    "RunItemEventName",
    "RunItemStreamEvent",
    "StreamEvent",
    "event_name",
]

RunItemEventName: TypeAlias = Literal[
    "message_output_created",
    "handoff_requested",
    "handoff_called",
    "handoff_occured",
    "handoff_output_created",
    "tool_called",
    "tool_output",
    "tool_output_created",
    "tool_search_called",
    "tool_search_output_created",
    "reasoning_item_created",
    "reasoning_created",
    "mcp_list_tools",
    "mcp_list_tools_created",
    "mcp_approval_requested",
    "mcp_approval_request_created",
    "mcp_approval_response",
    "mcp_approval_response_created",
]
"""The names of run item events: the published ones and those of the reference."""

NAMES: Final[dict[str, tuple[RunItemEventName, RunItemEventName]]] = {
    "message_output_item": ("message_output_created", "message_output_created"),
    "handoff_call_item": ("handoff_requested", "handoff_called"),
    "handoff_output_item": ("handoff_occured", "handoff_output_created"),
    "tool_call_item": ("tool_called", "tool_called"),
    "tool_call_output_item": ("tool_output", "tool_output_created"),
    "tool_search_call_item": ("tool_search_called", "tool_search_called"),
    "tool_search_output_item": ("tool_search_output_created", "tool_search_output_created"),
    "reasoning_item": ("reasoning_item_created", "reasoning_created"),
    "mcp_list_tools_item": ("mcp_list_tools", "mcp_list_tools_created"),
    "mcp_approval_request_item": ("mcp_approval_requested", "mcp_approval_request_created"),
    "mcp_approval_response_item": ("mcp_approval_response", "mcp_approval_response_created"),
}
"""The published name and the reference's name of the event of each type of item.

A type that is not listed has no event.
"""

_REFERENCE: Final[dict[str, str]] = dict(NAMES.values())
_PUBLISHED: Final[dict[str, str]] = {
    reference: published for published, reference in NAMES.values()
}


class EventName(str):
    """The published name of an event, which also equals the name in the reference.

    Hash, order and every conversion are those of the published name, so a set or a dictionary finds
    an event under that name only.

    Attributes:
        reference: The name in the reference.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> EventName:
        return super().__new__(cls, _PUBLISHED.get(name, name))

    @property
    def reference(self) -> str:
        own = str(self)
        return _REFERENCE.get(own, own)

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True or (
            isinstance(other, str) and str.__eq__(self.reference, other)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


_EVENT_NAMES: Final[dict[str, RunItemEventName]] = {
    item_type: cast(RunItemEventName, EventName(published))
    for item_type, (published, _) in NAMES.items()
}


def event_name(item: RunItem) -> RunItemEventName | None:
    """Return the name of the event that announces an item.

    Args:
        item: The item.

    Returns:
        An `EventName`, or `None` for an item without an event: a pending approval, a compaction or
        added input.
    """
    return _EVENT_NAMES.get(item.type)


@names_types(TResponseStreamEvent="openai.types.responses:ResponseStreamEvent")
@dataclass
class RawResponsesStreamEvent:
    """A part of the model's reply, passed on unchanged.

    Attributes:
        data: The event in the form of the Responses API.
        step: The branch of a workflow in which it happened; `None` outside of branches.
    """

    data: TResponseStreamEvent
    type: Literal["raw_response_event"] = "raw_response_event"
    step: str | None = field(default=None, kw_only=True)


@dataclass
class RunItemStreamEvent:
    """An item is complete.

    Attributes:
        name: The name of the event, an `EventName`.
        item: The item.
        step: The branch of a workflow in which it happened; `None` outside of branches.
    """

    name: RunItemEventName
    item: RunItem
    type: Literal["run_item_stream_event"] = "run_item_stream_event"
    step: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.name, EventName):
            self.name = cast(RunItemEventName, EventName(self.name))

    @property
    def sdk_name(self) -> str:
        """Deprecated: the published name, which `name` has now."""
        warnings.warn(
            "RunItemStreamEvent.sdk_name is deprecated: event.name is the published name now.",
            DeprecationWarning,
            stacklevel=2,
        )
        return str(self.name)


@dataclass
class AgentUpdatedStreamEvent:
    """Another agent becomes active: the first one of the run, or the target of a handoff.

    Attributes:
        new_agent: The agent.
        step: The branch of a workflow in which it happened; `None` outside of branches.
    """

    new_agent: AnyAgent
    type: Literal["agent_updated_stream_event"] = "agent_updated_stream_event"
    step: str | None = field(default=None, kw_only=True)


StreamEvent: TypeAlias = RawResponsesStreamEvent | RunItemStreamEvent | AgentUpdatedStreamEvent
"""An event of a streamed run."""
