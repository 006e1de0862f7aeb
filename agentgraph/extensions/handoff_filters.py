"""Ready filters for the input of the agent that a handoff leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from agentgraph.handoffs import (
    HandoffInputData,
    default_handoff_history_mapper,
    nest_handoff_history,
)

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem

__all__ = ["default_handoff_history_mapper", "nest_handoff_history", "remove_all_tools"]

# Reasoning belongs to the calls that follow it: providers refuse one without the other.
_TOOL_ITEMS: Final = frozenset(
    {
        "handoff_call_item",
        "handoff_output_item",
        "tool_call_item",
        "tool_call_output_item",
        "tool_search_call_item",
        "tool_search_output_item",
        "tool_approval_item",
        "mcp_list_tools_item",
        "mcp_approval_request_item",
        "mcp_approval_response_item",
        "reasoning_item",
    }
)
_TOOL_INPUTS: Final = frozenset(
    {
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "computer_call",
        "computer_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "file_search_call",
        "function_call",
        "function_call_output",
        "image_generation_call",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "reasoning",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)


def remove_all_tools(handoff_input_data: HandoffInputData) -> HandoffInputData:
    """Remove everything but messages: tool calls, handoffs and reasoning.

    Args:
        handoff_input_data: The conversation at the handoff.

    Returns:
        A copy, all parts of which lack calls, their outputs, approvals, handoffs and reasoning.
    """
    history = handoff_input_data.input_history
    input_items = handoff_input_data.input_items
    return handoff_input_data.clone(
        input_history=history if isinstance(history, str) else _messages_of_input(history),
        pre_handoff_items=_messages_of(handoff_input_data.pre_handoff_items),
        new_items=_messages_of(handoff_input_data.new_items),
        input_items=None if input_items is None else _messages_of(input_items),
    )


def _messages_of(items: tuple[RunItem, ...]) -> tuple[RunItem, ...]:
    return tuple(item for item in items if item.type not in _TOOL_ITEMS)


def _messages_of_input(items: tuple[TResponseInputItem, ...]) -> tuple[TResponseInputItem, ...]:
    return tuple(
        item for item in items if cast("Mapping[str, Any]", item).get("type") not in _TOOL_INPUTS
    )
