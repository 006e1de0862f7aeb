"""The vocabulary of runs in one place, under the names that the published SDK gives it.

Nothing is defined here but the names of unions of the client's wire types, which are put together
when somebody asks for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agentgraph.item_helpers import ItemHelpers
from agentgraph.responses import ModelResponse
from agentgraph.run_items import (
    CompactionItem,
    HandoffCallItem,
    HandoffOutputItem,
    InputItem,
    MCPApprovalRequestItem,
    MCPApprovalResponseItem,
    MCPListToolsItem,
    MessageOutputItem,
    ReasoningItem,
    RunItem,
    RunItemBase,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
    ToolSearchCallItem,
    ToolSearchOutputItem,
)

if TYPE_CHECKING:
    from agentgraph.responses import (
        TResponse,
        TResponseInputItem,
        TResponseOutputItem,
        TResponseStreamEvent,
    )
    from agentgraph.wire_unions import (
        ToolApprovalRawItem,
        ToolCallItemTypes,
        ToolCallOutputTypes,
    )

__all__ = [
    "CompactionItem",
    "HandoffCallItem",
    "HandoffOutputItem",
    "InputItem",
    "ItemHelpers",
    "MCPApprovalRequestItem",
    "MCPApprovalResponseItem",
    "MCPListToolsItem",
    "MessageOutputItem",
    "ModelResponse",
    "ReasoningItem",
    "RunItem",
    "RunItemBase",
    "TResponse",
    "TResponseInputItem",
    "TResponseOutputItem",
    "TResponseStreamEvent",
    "ToolApprovalItem",
    "ToolApprovalRawItem",
    "ToolCallItem",
    "ToolCallItemTypes",
    "ToolCallOutputItem",
    "ToolCallOutputTypes",
    "ToolSearchCallItem",
    "ToolSearchOutputItem",
]

_WIRE_TYPES: Final = {
    "TResponse": "agentgraph.responses",
    "TResponseInputItem": "agentgraph.responses",
    "TResponseOutputItem": "agentgraph.responses",
    "TResponseStreamEvent": "agentgraph.responses",
    "ToolApprovalRawItem": "agentgraph.wire_unions",
    "ToolCallItemTypes": "agentgraph.wire_unions",
    "ToolCallOutputTypes": "agentgraph.wire_unions",
}


def __getattr__(name: str) -> Any:
    if name in _WIRE_TYPES:
        return getattr(import_module(_WIRE_TYPES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
