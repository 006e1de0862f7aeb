"""The names of the SDK's `agents.tool`, and where each of them lives.

Rule: nothing is defined here except the union `Tool`. What needs pydantic or asyncio is loaded when
somebody asks for it by name, so that an agent without function tools does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentgraph.callbacks import MaybeAwaitable
from agentgraph.custom_tools import (
    CustomTool,
    CustomToolApprovalFunction,
    CustomToolCustomDataContext,
    CustomToolCustomDataExtractor,
    CustomToolExecutor,
    CustomToolOnApprovalFunction,
    CustomToolOnApprovalFunctionResult,
)
from agentgraph.function_tools import (
    FunctionTool,
    FunctionToolCustomDataContext,
    FunctionToolCustomDataExtractor,
    FunctionToolResult,
    ToolErrorFunction,
    ToolTimeoutBehavior,
)
from agentgraph.hosted_tools import (
    CodeInterpreterTool,
    ComputerTool,
    ComputerToolSafetyCheckData,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellCommandRequest,
    LocalShellExecutor,
    LocalShellTool,
    MCPToolApprovalFunction,
    MCPToolApprovalFunctionResult,
    MCPToolApprovalRequest,
    WebSearchTool,
)
from agentgraph.shell_tools import (
    ApplyPatchEditor,
    ApplyPatchOperation,
    ApplyPatchResult,
    ApplyPatchTool,
    ShellActionRequest,
    ShellCallData,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellCommandRequest,
    ShellExecutor,
    ShellResult,
    ShellTool,
)
from agentgraph.tool_errors import (
    default_tool_error_function,
    default_tool_timeout_error_message,
)
from agentgraph.tool_payload import (
    ToolOutputFileContentDict,
    ToolOutputImageDict,
    ToolOutputTextDict,
)

if TYPE_CHECKING:
    from agentgraph.tool_decorator import ToolFunction, ToolParams, function_tool
    from agentgraph.tool_invocation import invoke_function_tool
    from agentgraph.tool_output import (
        ToolOutputFileContent,
        ToolOutputImage,
        ToolOutputText,
        ValidToolOutputPydanticModels,
    )

__all__ = [
    "ApplyPatchEditor",
    "ApplyPatchOperation",
    "ApplyPatchResult",
    "ApplyPatchTool",
    "CodeInterpreterTool",
    "ComputerTool",
    "ComputerToolSafetyCheckData",
    "CustomTool",
    "CustomToolApprovalFunction",
    "CustomToolCustomDataContext",
    "CustomToolCustomDataExtractor",
    "CustomToolExecutor",
    "CustomToolOnApprovalFunction",
    "CustomToolOnApprovalFunctionResult",
    "FileSearchTool",
    "FunctionTool",
    "FunctionToolCustomDataContext",
    "FunctionToolCustomDataExtractor",
    "FunctionToolResult",
    "HostedMCPTool",
    "ImageGenerationTool",
    "LocalShellCommandRequest",
    "LocalShellExecutor",
    "LocalShellTool",
    "MCPToolApprovalFunction",
    "MCPToolApprovalFunctionResult",
    "MCPToolApprovalRequest",
    "MaybeAwaitable",
    "ShellActionRequest",
    "ShellCallData",
    "ShellCallOutcome",
    "ShellCommandOutput",
    "ShellCommandRequest",
    "ShellExecutor",
    "ShellResult",
    "ShellTool",
    "Tool",
    "ToolErrorFunction",
    "ToolFunction",
    "ToolOutputFileContent",
    "ToolOutputFileContentDict",
    "ToolOutputImage",
    "ToolOutputImageDict",
    "ToolOutputText",
    "ToolOutputTextDict",
    "ToolParams",
    "ToolTimeoutBehavior",
    "ValidToolOutputPydanticModels",
    "WebSearchTool",
    "default_tool_error_function",
    "default_tool_timeout_error_message",
    "function_tool",
    "invoke_function_tool",
]

Tool: TypeAlias = (
    FunctionTool
    | FileSearchTool
    | WebSearchTool
    | ComputerTool[Any]
    | HostedMCPTool
    | CustomTool
    | ShellTool
    | ApplyPatchTool
    | LocalShellTool
    | ImageGenerationTool
    | CodeInterpreterTool
)
"""Anything that stands in an agent's `tools`."""

_LOADED_ON_DEMAND: Final = {
    "ToolFunction": "agentgraph.tool_decorator",
    "ToolOutputFileContent": "agentgraph.tool_output",
    "ToolOutputImage": "agentgraph.tool_output",
    "ToolOutputText": "agentgraph.tool_output",
    "ToolParams": "agentgraph.tool_decorator",
    "ValidToolOutputPydanticModels": "agentgraph.tool_output",
    "function_tool": "agentgraph.tool_decorator",
    "invoke_function_tool": "agentgraph.tool_invocation",
}


def __getattr__(name: str) -> Any:
    home = _LOADED_ON_DEMAND.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
