"""Where an agent's tools come from when they are not its own: a server that lists them.

Agents know servers by this protocol only. What speaks the Model Context Protocol stands in
`agentgraph.mcp`.
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
        convert_schemas_to_strict: Whether schemas are brought into the strict subset where that is
            possible. They are used as they are when left out.
        failure_error_function: What the model is told when a call fails; `None` raises instead.
        include_server_in_tool_names: Whether tool names start with the server's name, so that
            servers with tools of the same name can be used together.
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

    async def function_tools(
        self, run_context: RunContextWrapper[Any], agent: Any, config: MCPConfig
    ) -> list[FunctionTool]:
        """List the tools that an agent may call in this turn.

        Args:
            run_context: The run's context, which tool filters see.
            agent: The agent.
            config: How the agent uses the tools.

        Returns:
            One function tool for each tool that the filters let through.
        """
