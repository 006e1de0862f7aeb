"""The names of the SDK's `agents.mcp.server`; the modules beside this one define them."""

from agentgraph.mcp.approval import (
    RequireApprovalMapping,
    RequireApprovalObject,
    RequireApprovalPolicy,
    RequireApprovalToolList,
)
from agentgraph.mcp.contract import MCPServer
from agentgraph.mcp.transports import (
    MCPServerSse,
    MCPServerSseParams,
    MCPServerStdio,
    MCPServerStdioParams,
    MCPServerStreamableHttp,
    MCPServerStreamableHttpParams,
)

__all__ = [
    "MCPServer",
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
    "RequireApprovalMapping",
    "RequireApprovalObject",
    "RequireApprovalPolicy",
    "RequireApprovalToolList",
]
