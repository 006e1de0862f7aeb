"""The names of the SDK's `agents.tool`, each imported from its module.

Rule: this file defines nothing except the union `Tool`. A name that needs pydantic or asyncio is
imported at its first use, so that an agent without function tools does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentgraph.items.tool_origin import ToolOrigin, ToolOriginType
from agentgraph.items.tool_payload import (
    ToolOutputFileContentDict,
    ToolOutputImageDict,
    ToolOutputTextDict,
)
from agentgraph.tools.computers import (
    ComputerCreate,
    ComputerDispose,
    ComputerProvider,
    ComputerT,
    ComputerT_co,
    ComputerT_contra,
    MaybeAwaitable,
    dispose_resolved_computers,
    resolve_computer,
)
from agentgraph.tools.custom import (
    CustomTool,
    CustomToolApprovalFunction,
    CustomToolCustomDataContext,
    CustomToolCustomDataExtractor,
    CustomToolExecutor,
    CustomToolOnApprovalFunction,
    CustomToolOnApprovalFunctionResult,
)
from agentgraph.tools.errors import (
    default_tool_error_function,
    default_tool_timeout_error_message,
)
from agentgraph.tools.function import (
    FunctionTool,
    FunctionToolCustomDataContext,
    FunctionToolCustomDataExtractor,
    FunctionToolResult,
    ToolCaller,
    ToolErrorFunction,
    ToolTimeoutBehavior,
    get_function_tool_origin,
    tool_namespace,
)
from agentgraph.tools.hosted import (
    CodeInterpreterTool,
    ComputerTool,
    ComputerToolSafetyCheckData,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    ImageGenerationToolConfig,
    LocalShellCommandRequest,
    LocalShellExecutor,
    LocalShellTool,
    MCPToolApprovalFunction,
    MCPToolApprovalFunctionResult,
    MCPToolApprovalRequest,
    ProgrammaticToolCallingTool,
    ToolSearchTool,
    WebSearchTool,
    WebSearchToolImageSettings,
)
from agentgraph.tools.shell import (
    ApplyPatchApprovalFunction,
    ApplyPatchEditor,
    ApplyPatchOnApprovalFunction,
    ApplyPatchOnApprovalFunctionResult,
    ApplyPatchOperation,
    ApplyPatchResult,
    ApplyPatchTool,
    ShellActionRequest,
    ShellApprovalFunction,
    ShellCallData,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellCommandRequest,
    ShellExecutor,
    ShellOnApprovalFunction,
    ShellOnApprovalFunctionResult,
    ShellResult,
    ShellTool,
)
from agentgraph.tools.shell_environments import (
    ShellToolContainerAutoEnvironment,
    ShellToolContainerNetworkPolicy,
    ShellToolContainerNetworkPolicyAllowlist,
    ShellToolContainerNetworkPolicyDisabled,
    ShellToolContainerNetworkPolicyDomainSecret,
    ShellToolContainerReferenceEnvironment,
    ShellToolContainerSkill,
    ShellToolEnvironment,
    ShellToolHostedEnvironment,
    ShellToolInlineSkill,
    ShellToolInlineSkillSource,
    ShellToolLocalEnvironment,
    ShellToolLocalSkill,
    ShellToolSkillReference,
)

if TYPE_CHECKING:
    from agentgraph.tools.decorator import ToolFunction, ToolParams, function_tool
    from agentgraph.tools.invocation import invoke_function_tool
    from agentgraph.tools.output import (
        ToolOutputFileContent,
        ToolOutputImage,
        ToolOutputText,
        ValidToolOutputPydanticModels,
    )

__all__ = [
    "ApplyPatchApprovalFunction",
    "ApplyPatchEditor",
    "ApplyPatchOnApprovalFunction",
    "ApplyPatchOnApprovalFunctionResult",
    "ApplyPatchOperation",
    "ApplyPatchResult",
    "ApplyPatchTool",
    "CodeInterpreterTool",
    "ComputerCreate",
    "ComputerDispose",
    "ComputerProvider",
    "ComputerT",
    "ComputerT_co",
    "ComputerT_contra",
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
    "ImageGenerationToolConfig",
    "LocalShellCommandRequest",
    "LocalShellExecutor",
    "LocalShellTool",
    "MCPToolApprovalFunction",
    "MCPToolApprovalFunctionResult",
    "MCPToolApprovalRequest",
    "MaybeAwaitable",
    "ProgrammaticToolCallingTool",
    "ShellActionRequest",
    "ShellApprovalFunction",
    "ShellCallData",
    "ShellCallOutcome",
    "ShellCommandOutput",
    "ShellCommandRequest",
    "ShellExecutor",
    "ShellOnApprovalFunction",
    "ShellOnApprovalFunctionResult",
    "ShellResult",
    "ShellTool",
    "ShellToolContainerAutoEnvironment",
    "ShellToolContainerNetworkPolicy",
    "ShellToolContainerNetworkPolicyAllowlist",
    "ShellToolContainerNetworkPolicyDisabled",
    "ShellToolContainerNetworkPolicyDomainSecret",
    "ShellToolContainerReferenceEnvironment",
    "ShellToolContainerSkill",
    "ShellToolEnvironment",
    "ShellToolHostedEnvironment",
    "ShellToolInlineSkill",
    "ShellToolInlineSkillSource",
    "ShellToolLocalEnvironment",
    "ShellToolLocalSkill",
    "ShellToolSkillReference",
    "Tool",
    "ToolCaller",
    "ToolErrorFunction",
    "ToolFunction",
    "ToolOrigin",
    "ToolOriginType",
    "ToolOutputFileContent",
    "ToolOutputFileContentDict",
    "ToolOutputImage",
    "ToolOutputImageDict",
    "ToolOutputText",
    "ToolOutputTextDict",
    "ToolParams",
    "ToolSearchTool",
    "ToolTimeoutBehavior",
    "ValidToolOutputPydanticModels",
    "WebSearchTool",
    "WebSearchToolImageSettings",
    "default_tool_error_function",
    "default_tool_timeout_error_message",
    "dispose_resolved_computers",
    "function_tool",
    "get_function_tool_origin",
    "invoke_function_tool",
    "resolve_computer",
    "tool_namespace",
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
    | ToolSearchTool
    | ProgrammaticToolCallingTool
)
"""An element of an agent's `tools`."""

_LOADED_ON_DEMAND: Final = {
    "ToolFunction": "agentgraph.tools.decorator",
    "ToolOutputFileContent": "agentgraph.tools.output",
    "ToolOutputImage": "agentgraph.tools.output",
    "ToolOutputText": "agentgraph.tools.output",
    "ToolParams": "agentgraph.tools.decorator",
    "ValidToolOutputPydanticModels": "agentgraph.tools.output",
    "function_tool": "agentgraph.tools.decorator",
    "invoke_function_tool": "agentgraph.tools.invocation",
}


def __getattr__(name: str) -> Any:
    home = _LOADED_ON_DEMAND.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)
