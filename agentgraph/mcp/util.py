"""The names of the SDK's `agents.mcp.util`: `MCPUtil`, and names of the modules beside this one.

Rule: `MCPUtil` lets a program list and call tools with the same code that agents use.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.exceptions import UserError
from agentgraph.mcp.call import (
    MCPToolCustomDataContext,
    MCPToolCustomDataExtractor,
    MCPToolMetaContext,
    MCPToolMetaResolver,
    ToolOutput,
    call_server_tool,
)
from agentgraph.mcp.contract import MCPServer
from agentgraph.mcp.conversion import ToolSettings, to_function_tool
from agentgraph.mcp.tool_filters import (
    ToolFilter,
    ToolFilterCallable,
    ToolFilterContext,
    ToolFilterStatic,
    create_static_tool_filter,
)
from agentgraph.mcp.tool_names import prefixed_names
from agentgraph.mcp.transports import HttpClientFactory
from agentgraph.run_context import RunContextWrapper
from agentgraph.tools.errors import default_tool_error_function
from agentgraph.tools.function import FunctionTool, ToolErrorFunction

if TYPE_CHECKING:
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase
    from agentgraph.tool import Tool

__all__ = [
    "HttpClientFactory",
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


class MCPUtil:
    """Turns the tools of servers into function tools."""

    @classmethod
    async def get_all_function_tools(
        cls,
        servers: list[MCPServer],
        convert_schemas_to_strict: bool,
        run_context: RunContextWrapper[Any],
        agent: AgentBase[Any],
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        include_server_in_tool_names: bool = False,
        reserved_tool_names: set[str] | None = None,
    ) -> list[Tool]:
        """List the tools of several servers.

        Args:
            servers: The servers, connected.
            convert_schemas_to_strict: Whether to convert schemas to the strict subset where
                possible.
            run_context: The context of the run, for filters.
            agent: The agent, for filters.
            failure_error_function: Writes the text that the model reads when a call fails; `None`
                raises the error.
            include_server_in_tool_names: Whether names start with the server's.
            reserved_tool_names: Names that no name with the server's may equal.

        Raises:
            UserError: Two servers have a tool of the same name.
        """
        peers = [server.name for server in servers]
        settings = ToolSettings(convert_schemas_to_strict, failure_error_function)
        tools: dict[str, Tool] = {}
        owners: dict[str, str] = {}
        for position, server in enumerate(servers):
            mcp_tools = await server.list_tools(run_context, agent)
            names = [tool.name for tool in mcp_tools]
            if include_server_in_tool_names:
                names = prefixed_names(names, peers, position, reserved_tool_names or ())
            for mcp_tool, name in zip(mcp_tools, names, strict=True):
                if name in tools:
                    raise UserError(
                        f"MCP servers {owners[name]!r} and {server.name!r} both have a tool named "
                        f"{name!r}. Filter one out, or set include_server_in_tool_names."
                    )
                tools[name] = to_function_tool(mcp_tool, server, settings, agent=agent, name=name)
                owners[name] = server.name
        return list(tools.values())

    @classmethod
    async def get_function_tools(
        cls,
        server: MCPServer,
        convert_schemas_to_strict: bool,
        run_context: RunContextWrapper[Any],
        agent: AgentBase[Any],
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        include_server_in_tool_names: bool = False,
        tool_name_override: Callable[[MCPTool], str] | None = None,
        reserved_tool_names: set[str] | None = None,
        server_index: int = 0,
    ) -> list[Tool]:
        """List the tools of one server.

        Args:
            server: The server, connected.
            convert_schemas_to_strict: Whether to convert schemas to the strict subset where
                possible.
            run_context: The context of the run, for filters.
            agent: The agent, for filters.
            failure_error_function: Writes the text that the model reads when a call fails; `None`
                raises the error.
            include_server_in_tool_names: Whether names start with the server's.
            tool_name_override: Returns the name of each tool; takes precedence.
            reserved_tool_names: Names that no name with the server's may equal.
            server_index: Unused: there is no other server to distinguish this one from.
        """
        mcp_tools = await server.list_tools(run_context, agent)
        names = _names(
            mcp_tools,
            server.name,
            tool_name_override,
            (reserved_tool_names or ()) if include_server_in_tool_names else None,
        )
        settings = ToolSettings(convert_schemas_to_strict, failure_error_function)
        return [
            to_function_tool(tool, server, settings, agent=agent, name=name)
            for tool, name in zip(mcp_tools, names, strict=True)
        ]

    @classmethod
    def to_function_tool(
        cls,
        tool: MCPTool,
        server: MCPServer,
        convert_schemas_to_strict: bool,
        agent: AgentBase[Any] | None = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        tool_name_override: str | None = None,
    ) -> FunctionTool:
        """Make a function tool that calls a server.

        Args:
            tool: The tool, as the server lists it.
            server: The server.
            convert_schemas_to_strict: Whether to convert its schema to the strict subset if
                possible.
            agent: The agent, for approvals.
            failure_error_function: Writes the text that the model reads when a call fails; `None`
                raises the error. The server's own function takes precedence.
            tool_name_override: The name by which the model calls the tool.
        """
        settings = ToolSettings(convert_schemas_to_strict, failure_error_function)
        return to_function_tool(tool, server, settings, agent=agent, name=tool_name_override)

    @classmethod
    async def invoke_mcp_tool(
        cls,
        server: MCPServer,
        tool: MCPTool,
        context: RunContextWrapper[Any],
        input_json: str,
        *,
        meta: dict[str, Any] | None = None,
        tool_display_name: str | None = None,
    ) -> ToolOutput:
        """Call a tool. `call_server_tool` describes the output and the errors.

        Args:
            server: The server of the tool.
            tool: The tool, as the server lists it.
            context: The context of the call.
            input_json: The arguments as the model wrote them.
            meta: The `_meta` to send with the call. It overrides the keys that the server's
                resolver returns.
            tool_display_name: The name by which the model calls the tool, if it is not the tool's
                own.
        """
        return await call_server_tool(
            server, tool, context, input_json, meta=meta, display_name=tool_display_name
        )


def _names(
    tools: Sequence[MCPTool],
    server: str,
    override: Callable[[MCPTool], str] | None,
    reserved: Collection[str] | None,
) -> list[str]:
    if override is not None:
        return [override(tool) for tool in tools]
    names = [tool.name for tool in tools]
    return names if reserved is None else prefixed_names(names, [server], 0, reserved)
