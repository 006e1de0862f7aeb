"""`MCPServer`: the interface of every MCP server to agents, on any transport.

Rule: nothing here needs the `mcp` package at run time. A program may derive a server of its own
from `MCPServer`, which lists its tools for agents, names them and applies the approval rules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.trace_listening import is_listened_to
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.logger import log_tool_action_warning, logger
from agentgraph.mcp.approval import ApprovalPolicy, RequireApprovalSetting, read_approval
from agentgraph.mcp.call import MCPToolCustomDataExtractor, MCPToolMetaResolver, reason_of
from agentgraph.mcp.conversion import Conversions, ToolSettings, Unset
from agentgraph.mcp.tool_names import prefixed_names
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentgraph.tool_server import MCPConfig, ToolServer
from agentgraph.tools.errors import default_tool_error_function
from agentgraph.tools.function import FunctionTool, ToolErrorFunction

if TYPE_CHECKING:
    from mcp.types import (
        CallToolResult,
        GetPromptResult,
        ListPromptsResult,
        ListResourcesResult,
        ListResourceTemplatesResult,
        ReadResourceResult,
    )
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase

__all__ = ["UNSET", "MCPServer"]

UNSET: Final = Unset()
"""Means that the server sets no failure function of its own."""

_SPANS: Final = "agentgraph.tracing.create"


class MCPServer(ABC):
    """A server that speaks the Model Context Protocol. Agents may call its tools.

    Args:
        use_structured_content: Whether the model reads the structured result of a call, if there
            is one, instead of its contents.
        require_approval: Which tools a person must approve: `"always"` or `"never"`, a bool, a
            dictionary by tool or by policy, or a function of context, agent and tool.
        failure_error_function: Writes the text that the model reads when a call fails; `None`
            raises the error instead. The default is the function of the agent's `mcp_config`.
        tool_meta_resolver: Returns the `_meta` to send with a call.
        custom_data_extractor: Returns data for the program to attach to an output.
        tool_input_guardrails: Run before each call of any of the tools.
        tool_output_guardrails: Run after each call of any of the tools.

    Raises:
        UserError: `require_approval` has none of these forms.
    """

    # Defaults on the class, for a derived class that does not call this constructor.
    use_structured_content: bool = False
    approval: ApprovalPolicy = ApprovalPolicy()
    failure_error_function: ToolErrorFunction | Unset | None = UNSET
    tool_meta_resolver: MCPToolMetaResolver | None = None
    custom_data_extractor: MCPToolCustomDataExtractor | None = None
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None
    _conversions: Conversions | None = None
    _origin: SourceLine | None = None

    def __init__(
        self,
        use_structured_content: bool = False,
        require_approval: RequireApprovalSetting = None,
        failure_error_function: ToolErrorFunction | Unset | None = UNSET,
        tool_meta_resolver: MCPToolMetaResolver | None = None,
        custom_data_extractor: MCPToolCustomDataExtractor | None = None,
        *,
        tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
        tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    ) -> None:
        self._origin = caller_origin()
        self.use_structured_content = use_structured_content
        self.approval = read_approval(require_approval)
        self.failure_error_function = failure_error_function
        self.tool_meta_resolver = tool_meta_resolver
        self.custom_data_extractor = custom_data_extractor
        self.tool_input_guardrails = tool_input_guardrails
        self.tool_output_guardrails = tool_output_guardrails

    @property
    @abstractmethod
    def name(self) -> str:
        """The server's name, for people and for tool names."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect. The program must do this: agents do not connect their servers."""

    @abstractmethod
    async def cleanup(self) -> None:
        """Close what `connect` opened; does nothing if the server is not connected."""

    @abstractmethod
    async def list_tools(
        self, run_context: RunContextWrapper[Any] | None = None, agent: AgentBase[Any] | None = None
    ) -> list[MCPTool]:
        """List the tools that an agent may use.

        Args:
            run_context: The context of the run, for filters.
            agent: The agent, for filters.
        """

    @abstractmethod
    async def call_tool(
        self,
        tool_name: str,
        arguments: dict[str, Any] | None,
        meta: dict[str, Any] | None = None,
    ) -> CallToolResult:
        """Call a tool.

        Args:
            tool_name: Its name on the server.
            arguments: Its arguments.
            meta: Sent with the call as `_meta`.
        """

    @abstractmethod
    async def list_prompts(self) -> ListPromptsResult:
        """List the prompts of the server."""

    @abstractmethod
    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        """Fill in a prompt.

        Args:
            name: The prompt.
            arguments: The values to fill in, by name.
        """

    @property
    def cached_tools(self) -> Sequence[MCPTool] | None:
        """The cached list of tools, before any filter; `None` if there is no cache."""
        return None

    async def list_resources(self, cursor: str | None = None) -> ListResourcesResult:
        """List a page of the server's resources.

        Args:
            cursor: Where the page starts; the default is the beginning.

        Raises:
            NotImplementedError: This server has none to list.
        """
        raise NotImplementedError(f"MCP server {self.name!r} lists no resources.")

    async def list_resource_templates(
        self, cursor: str | None = None
    ) -> ListResourceTemplatesResult:
        """List a page of the templates for resources' addresses.

        Args:
            cursor: Where the page starts; the default is the beginning.

        Raises:
            NotImplementedError: This server has none to list.
        """
        raise NotImplementedError(f"MCP server {self.name!r} lists no resource templates.")

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """Read a resource.

        Args:
            uri: Its address.

        Raises:
            NotImplementedError: This server has none to read.
        """
        raise NotImplementedError(f"MCP server {self.name!r} has no resources to read.")

    @property
    def origin(self) -> SourceLine:
        """Where the program made the server."""
        if self._origin is None:
            self._origin = caller_origin()
        return self._origin

    async def function_tools(
        self, run_context: RunContextWrapper[Any], agent: AgentBase[Any], config: MCPConfig
    ) -> list[FunctionTool]:
        """List the tools that an agent may call in this turn, as function tools.

        Args:
            run_context: The context of the run, for filters.
            agent: The agent.
            config: The agent's settings for servers' tools.

        Returns:
            One function tool for each tool that the filters let through. An unchanged tool is the
            same object as in the turn before.

        Raises:
            UserError: The server could not list its tools because of a mistake in the program.
            AgentsException: It could not list them for another reason. The messages of both name
                server and agent.
        """
        tools = await self._checked_tools(run_context, agent)
        names = [tool.name for tool in tools]
        if config.get("include_server_in_tool_names", False):
            names = self._prefixed(names, agent)
        if self._conversions is None:
            self._conversions = Conversions()
        settings = ToolSettings(
            config.get("convert_schemas_to_strict", False),
            config.get("failure_error_function", default_tool_error_function),
        )
        return self._conversions.convert(tools, names, self, settings)

    async def _read_only_tools(
        self, run_context: RunContextWrapper[Any], agent: AgentBase[Any]
    ) -> list[MCPTool]:
        """List the tools for conversion, which does not change them: they need not be copies."""
        return await self.list_tools(run_context, agent)

    async def _traced_tools(
        self, run_context: RunContextWrapper[Any], agent: AgentBase[Any]
    ) -> list[MCPTool]:
        """List the tools, with a span about it while a processor of traces listens."""
        if not is_listened_to():
            return await self._read_only_tools(run_context, agent)
        with import_module(_SPANS).mcp_tools_span(server=self.name) as span:
            tools = await self._read_only_tools(run_context, agent)
            span.span_data.result = [tool.name for tool in tools]
            return tools

    async def _checked_tools(
        self, run_context: RunContextWrapper[Any], agent: AgentBase[Any]
    ) -> list[MCPTool]:
        """List the tools, and refuse a list that has a tool without a name."""
        try:
            tools = await self._traced_tools(run_context, agent)
            if not all(tool.name for tool in tools):
                raise AgentsException("one of them has no name")
        except Exception as error:
            kind = UserError if isinstance(error, UserError) else AgentsException
            raise kind(
                f"MCP server {self.name!r} could not list its tools for agent "
                f"{getattr(agent, 'name', None)!r}: {reason_of(error)}"
            ) from error
        return tools

    def _prefixed(self, names: list[str], agent: AgentBase[Any]) -> list[str]:
        servers: list[ToolServer] = list(getattr(agent, "mcp_servers", ()))
        if not any(server is self for server in servers):
            servers.append(self)
        position = next(index for index, server in enumerate(servers) if server is self)
        reserved = {getattr(tool, "name", "") for tool in getattr(agent, "tools", ())}
        return prefixed_names(names, [server.name for server in servers], position, reserved)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.cleanup()
        except Exception as error:
            if exc_value is None:
                raise
            # The error that ended the block says more than the error in closing: log this one.
            log_tool_action_warning(logger, f"MCP server {self.name!r} did not close", error)
