"""Servers that speak the Model Context Protocol, as sources of tools for agents.

A name is imported on first use. The `mcp` package (extra `mcp`) is loaded when a server connects.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentgraph.mcp.approval import LocalMCPApprovalCallable
    from agentgraph.mcp.contract import MCPServer
    from agentgraph.mcp.manager import MCPServerManager
    from agentgraph.mcp.transports import (
        MCPServerSse,
        MCPServerSseParams,
        MCPServerStdio,
        MCPServerStdioParams,
        MCPServerStreamableHttp,
        MCPServerStreamableHttpParams,
    )
    from agentgraph.mcp.util import (
        MCPToolCustomDataContext,
        MCPToolCustomDataExtractor,
        MCPToolMetaContext,
        MCPToolMetaResolver,
        MCPUtil,
        ToolFilter,
        ToolFilterCallable,
        ToolFilterContext,
        ToolFilterStatic,
        create_static_tool_filter,
    )

__all__ = [
    "LocalMCPApprovalCallable",
    "MCPServer",
    "MCPServerManager",
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
    "MCPToolCustomDataContext",
    "MCPToolCustomDataExtractor",
    "MCPToolMetaContext",
    "MCPToolMetaResolver",
    "MCPUtil",
    "ToolFilter",
    "ToolFilterCallable",
    "ToolFilterContext",
    "ToolFilterStatic",
    "create_static_tool_filter",
]

_HOMES = {
    "LocalMCPApprovalCallable": "approval",
    "MCPServer": "contract",
    "MCPServerManager": "manager",
    **dict.fromkeys(
        (
            "MCPServerSse",
            "MCPServerSseParams",
            "MCPServerStdio",
            "MCPServerStdioParams",
            "MCPServerStreamableHttp",
            "MCPServerStreamableHttpParams",
        ),
        "transports",
    ),
    **dict.fromkeys(
        (
            "MCPToolCustomDataContext",
            "MCPToolCustomDataExtractor",
            "MCPToolMetaContext",
            "MCPToolMetaResolver",
            "MCPUtil",
            "ToolFilter",
            "ToolFilterCallable",
            "ToolFilterContext",
            "ToolFilterStatic",
            "create_static_tool_filter",
        ),
        "util",
    ),
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
