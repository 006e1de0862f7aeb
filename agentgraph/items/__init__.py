"""The vocabulary of runs in one place, under the names of the published SDK.

Rule: this file defines nothing except lazy names for unions of the client's wire types. Each union
is built at its first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from agentgraph.items import responses
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.items.lazy_aliases import LazyAlias
from agentgraph.items.question_item import Interruption, QuestionItem
from agentgraph.items.responses import (
    ModelResponse,
    TResponseInputItem,
    TResponseOutputItem,
    TResponseStreamEvent,
)
from agentgraph.items.run_items import (
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
    from agentgraph.items.responses import TResponse
    from agentgraph.items.wire_unions import (
        ToolApprovalRawItem,
        ToolCallItemTypes,
        ToolCallOutputTypes,
    )

__all__ = [
    "CompactionItem",
    "HandoffCallItem",
    "HandoffOutputItem",
    "InputItem",
    "Interruption",
    "ItemHelpers",
    "MCPApprovalRequestItem",
    "MCPApprovalResponseItem",
    "MCPListToolsItem",
    "MessageOutputItem",
    "ModelResponse",
    "QuestionItem",
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


_UNIONS: Final = "agentgraph.items.wire_unions"


def _union(name: str) -> LazyAlias:
    return LazyAlias(name, lambda: getattr(import_module(_UNIONS), name), int | str)


if not TYPE_CHECKING:
    ToolApprovalRawItem = _union("ToolApprovalRawItem")
    ToolCallItemTypes = _union("ToolCallItemTypes")
    ToolCallOutputTypes = _union("ToolCallOutputTypes")


def __getattr__(name: str) -> Any:
    if name == "TResponse":
        return responses.TResponse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
