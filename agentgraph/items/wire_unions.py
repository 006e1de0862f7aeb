"""Unions of the client's wire types that items carry.

Importing this module imports the `openai` client, so `agentgraph.items` imports it only at the
first use of a union.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from openai.types.responses import (
    ResponseCodeInterpreterToolCall,
    ResponseComputerToolCall,
    ResponseCustomToolCall,
    ResponseFileSearchToolCall,
    ResponseFunctionToolCall,
    ResponseFunctionWebSearch,
)
from openai.types.responses.response_input_item_param import (
    ComputerCallOutput,
    FunctionCallOutput,
    LocalShellCallOutput,
)
from openai.types.responses.response_output_item import (
    ImageGenerationCall,
    LocalShellCall,
    McpApprovalRequest,
    McpCall,
)

__all__ = ["ToolApprovalRawItem", "ToolCallItemTypes", "ToolCallOutputTypes"]

ToolCallItemTypes: TypeAlias = (
    ResponseFunctionToolCall
    | ResponseComputerToolCall
    | ResponseFileSearchToolCall
    | ResponseFunctionWebSearch
    | McpCall
    | ResponseCodeInterpreterToolCall
    | ImageGenerationCall
    | LocalShellCall
    | dict[str, Any]
)
"""What a `ToolCallItem` may carry."""

ToolCallOutputTypes: TypeAlias = (
    FunctionCallOutput | ComputerCallOutput | LocalShellCallOutput | dict[str, Any]
)
"""What a `ToolCallOutputItem` may carry."""

ToolApprovalRawItem: TypeAlias = (
    ResponseFunctionToolCall
    | ResponseCustomToolCall
    | McpCall
    | McpApprovalRequest
    | LocalShellCall
    | dict[str, Any]
)
"""What a `ToolApprovalItem` may carry."""
