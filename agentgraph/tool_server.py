"""The protocol of a server that lists tools for agents.

Agents refer to servers by this protocol only. The implementation of the Model Context Protocol is
in `agentgraph.mcp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, Protocol, runtime_checkable

from typing_extensions import TypedDict

from agentgraph.run_context import RunContextWrapper

if TYPE_CHECKING:
    from agentgraph.tool import FunctionTool, ToolErrorFunction

__all__ = ["MCPConfig", "ToolServer"]


class MCPConfig(TypedDict):
    """How an agent uses the tools of its MCP servers.

    Attributes:
        convert_schemas_to_strict: Whether schemas are converted into their strict form where one
            exists. When left out, schemas are used unchanged.
        failure_error_function: Makes the message for the model when a call fails; `None` raises
            instead.
        include_server_in_tool_names: Whether tool names start with the server's name, so that an
            agent can use servers with tools of the same name.
    """

    convert_schemas_to_strict: NotRequired[bool]
    failure_error_function: NotRequired[ToolErrorFunction | None]
    include_server_in_tool_names: NotRequired[bool]


@runtime_checkable
class ToolServer(Protocol):
    """A server whose tools an agent may call."""

    @property
    def name(self) -> str:
        """The server's name, for people and for tool names."""
        ...

    async def function_tools(
        self, run_context: RunContextWrapper[Any], agent: Any, config: MCPConfig
    ) -> list[FunctionTool]:
        """List the tools that an agent may call in this turn.

        Args:
            run_context: The run's context, which tool filters receive.
            agent: The agent.
            config: How the agent uses the tools.

        Returns:
            One function tool for each tool that passes the filters.
        """
        ...
