"""What every MCP server is to an agent, whatever carries its messages.

Rule: nothing here needs the `mcp` package at run time. A program may write a server of its own by
deriving from `MCPServer`; offering tools, naming them and asking for approval is done here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.logger import log_tool_action_warning, logger
from agentgraph.mcp.approval import ApprovalPolicy, RequireApprovalSetting, read_approval
from agentgraph.mcp.call import MCPToolCustomDataExtractor, MCPToolMetaResolver, reason_of
from agentgraph.mcp.conversion import Conversions, ToolSettings, Unset
from agentgraph.mcp.tool_names import prefixed_names
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentgraph.tool_server import MCPConfig
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

__all__ = ["UNSET", "MCPServer"]

UNSET: Final = Unset()
"""The failure function of a server that has none of its own."""


class MCPServer(ABC):
    """A server that speaks the Model Context Protocol, whose tools agents may call.

    Args:
        use_structured_content: Whether the model is shown the structured result of a call instead
            of its contents, where there is one.
        require_approval: Which tools a person must approve: `"always"` or `"never"`, a bool, a
            dictionary by tool or by policy, or a function of context, agent and tool.
        failure_error_function: What the model is told when a call fails; `None` raises instead.
            The agent's `mcp_config` decides when left out.
        tool_meta_resolver: Gives the `_meta` that is sent with a call.
        custom_data_extractor: Says what is attached to an output for the program itself.
        tool_input_guardrails: Run before each call of any of the tools.
        tool_output_guardrails: Run after each of them.

    Raises:
        UserError: `require_approval` has none of these forms.
    """

    # A derived class that does not call this constructor is a server without settings.
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
        """Connect, so that the server can be used; agents do not connect their servers."""

    @abstractmethod
    async def cleanup(self) -> None:
        """Close what `connect` opened; again, or without it, nothing happens."""

    @abstractmethod
    async def list_tools(
        self, run_context: RunContextWrapper[Any] | None = None, agent: Any | None = None
    ) -> list[MCPTool]:
        """List the tools that an agent may use.

        Args:
            run_context: The context of the run, which filters see.
            agent: The agent, likewise.
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
        """List the prompts that the server keeps."""

    @abstractmethod
    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        """Fill in a prompt.

        Args:
            name: The prompt.
            arguments: What it is filled in with.
        """

    @property
    def cached_tools(self) -> Sequence[MCPTool] | None:
        """The tools that were listed last, before any filter; `None` if they are not kept."""
        return None

    async def list_resources(self, cursor: str | None = None) -> ListResourcesResult:
        """List a page of the resources that the server has.

        Args:
            cursor: Where the page starts; at the beginning when left out.

        Raises:
            NotImplementedError: This server has none to list.
        """
        raise NotImplementedError(f"MCP server {self.name!r} lists no resources.")

    async def list_resource_templates(
        self, cursor: str | None = None
    ) -> ListResourceTemplatesResult:
        """List a page of the templates for resources' addresses.

        Args:
            cursor: Where the page starts; at the beginning when left out.

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
        self, run_context: RunContextWrapper[Any], agent: Any, config: MCPConfig
    ) -> list[FunctionTool]:
        """List the tools that an agent may call in this turn, as function tools.

        Args:
            run_context: The context of the run, which filters see.
            agent: The agent.
            config: How it uses the tools.

        Returns:
            One function tool for each tool that the filters let through. A tool that stayed the
            same is the same object again.

        Raises:
            AgentsException: The server could not list its tools; the message names server and
                agent. A `UserError` if the program has to change for it.
        """
        listed = await self._listed(run_context, agent)
        names = [tool.name for tool in listed]
        if config.get("include_server_in_tool_names", False):
            names = self._prefixed(names, agent)
        if self._conversions is None:
            self._conversions = Conversions()
        settings = ToolSettings(
            config.get("convert_schemas_to_strict", False),
            config.get("failure_error_function", default_tool_error_function),
        )
        return self._conversions.convert(listed, names, self, settings)

    async def _offered(self, run_context: RunContextWrapper[Any], agent: Any) -> list[MCPTool]:
        """The tools to convert, in a list that nobody edits."""
        return await self.list_tools(run_context, agent)

    async def _listed(self, run_context: RunContextWrapper[Any], agent: Any) -> list[MCPTool]:
        try:
            listed = await self._offered(run_context, agent)
            if not all(tool.name for tool in listed):
                raise AgentsException("one of them has no name")
        except Exception as error:
            kind = UserError if isinstance(error, UserError) else AgentsException
            raise kind(
                f"MCP server {self.name!r} could not list its tools for agent "
                f"{getattr(agent, 'name', None)!r}: {reason_of(error)}"
            ) from error
        return listed

    def _prefixed(self, names: list[str], agent: Any) -> list[str]:
        servers = list(getattr(agent, "mcp_servers", ()))
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
            # What ended the block says more than what then went wrong in closing.
            log_tool_action_warning(logger, f"MCP server {self.name!r} did not close", error)
