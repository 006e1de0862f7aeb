"""A server behind a session of the `mcp` package: the part that all transports share.

Rule: a request uses the connection that is open at that moment. The cache holds the whole list of
tools; filters apply to it for each agent and turn.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentgraph.exceptions import UserError
from agentgraph.mcp.approval import RequireApprovalSetting
from agentgraph.mcp.call import MCPToolCustomDataExtractor, MCPToolMetaResolver, check_text
from agentgraph.mcp.connection import Connection
from agentgraph.mcp.contract import UNSET, MCPServer
from agentgraph.mcp.conversion import Unset
from agentgraph.mcp.limits import check_limits
from agentgraph.mcp.package import require_mcp
from agentgraph.mcp.retries import Retries, breaks_connection
from agentgraph.mcp.tool_filters import ToolFilter, check_tool_filter, copies_of, filter_tools
from agentgraph.mcp.tool_lists import ToolCache, all_pages
from agentgraph.run_context import RunContextWrapper
from agentgraph.tool_guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentgraph.tools.function import ToolErrorFunction

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
    from mcp import ClientSession
    from mcp.client.session import IncomingMessage, MessageHandlerFnT
    from mcp.shared.message import SessionMessage
    from mcp.types import (
        CallToolResult,
        GetPromptResult,
        InitializeResult,
        ListPromptsResult,
        ListResourcesResult,
        ListResourceTemplatesResult,
        ListToolsResult,
        PaginatedRequestParams,
        ReadResourceResult,
    )
    from mcp.types import Tool as MCPTool

    from agentgraph.agent import AgentBase

__all__ = ["MCPServerWithSession"]

R = TypeVar("R")
Params = TypeVar("Params")


class MCPServerWithSession(MCPServer, Generic[Params]):
    """A server that is reached through a session.

    Args:
        params: How to reach the server.
        cache_tools_list: Whether to cache the list of tools until the program calls
            `invalidate_tools_cache` or the server announces a change.
        name: The server's name, for people and for tool names; the default derives from `params`.
        client_session_timeout_seconds: How long the server may take to answer, in seconds; `None`
            or 0 for no limit.
        tool_filter: Which tools are offered.
        use_structured_content: Whether the model reads structured results.
        max_retry_attempts: How often a request is repeated after a temporary failure; -1 for no
            limit. A broken connection is opened anew first.
        retry_backoff_seconds_base: The pause before the first retry, in seconds; each further one
            is twice as long.
        message_handler: Receives messages that the server sends unasked or that cannot be parsed.
        require_approval: Which tools a person must approve.
        failure_error_function: Writes the text that the model reads when a call fails.
        tool_meta_resolver: Returns the `_meta` to send with a call.
        custom_data_extractor: Returns data for the program to attach to an output.
        retry_backoff_seconds_max: The longest pause before a retry, in seconds.
        tool_input_guardrails: Run before each call.
        tool_output_guardrails: Run after each call.
        max_list_pages: How many pages of tools to read at most; `None` for no limit.

    Raises:
        ImportError: The `mcp` package is not installed.
        UserError: The filter or `require_approval` has no valid form, or a number is out of range.
    """

    def __init__(
        self,
        params: Params,
        cache_tools_list: bool = False,
        name: str | None = None,
        client_session_timeout_seconds: float | None = 5,
        tool_filter: ToolFilter = None,
        use_structured_content: bool = False,
        max_retry_attempts: int = 0,
        retry_backoff_seconds_base: float = 1.0,
        message_handler: MessageHandlerFnT | None = None,
        require_approval: RequireApprovalSetting = None,
        failure_error_function: ToolErrorFunction | Unset | None = UNSET,
        tool_meta_resolver: MCPToolMetaResolver | None = None,
        custom_data_extractor: MCPToolCustomDataExtractor | None = None,
        retry_backoff_seconds_max: float | None = None,
        *,
        tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
        tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
        max_list_pages: int | None = None,
    ) -> None:
        require_mcp(type(self).__name__)
        super().__init__(
            use_structured_content,
            require_approval,
            failure_error_function,
            tool_meta_resolver,
            custom_data_extractor,
            tool_input_guardrails=tool_input_guardrails,
            tool_output_guardrails=tool_output_guardrails,
        )
        check_limits(params, client_session_timeout_seconds, max_list_pages)
        self.params = params
        self._name = name or self.default_name()
        check_tool_filter(tool_filter, self._name)
        self.cache_tools_list = cache_tools_list
        self.client_session_timeout_seconds = client_session_timeout_seconds
        self.tool_filter = tool_filter
        self.message_handler = message_handler
        self.max_list_pages = max_list_pages
        self.retries = Retries(
            max_retry_attempts, retry_backoff_seconds_base, retry_backoff_seconds_max
        )
        self._connection: Connection | None = None
        self._cache = ToolCache()

    @abstractmethod
    def default_name(self) -> str:
        """Return the name of a server that the program gave none."""

    @abstractmethod
    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Open the two streams of messages: one to read, one to write."""

    @property
    def name(self) -> str:
        """The server's name."""
        return self._name

    @property
    def session(self) -> ClientSession | None:
        """The session, if the server is connected."""
        return None if self._connection is None else self._connection.current

    @property
    def server_initialize_result(self) -> InitializeResult | None:
        """The server's answer to `initialize`; `None` while it is not connected."""
        return None if self.session is None else self.session.initialize_result

    @property
    def cached_tools(self) -> Sequence[MCPTool] | None:
        """The cached list of tools, before any filter; `None` if there is none."""
        return None if self._cache.tools is None else copies_of(self._cache.tools)

    def invalidate_tools_cache(self) -> None:
        """Drop the cached list of tools; the next use lists them again."""
        self._cache.invalidate()

    async def connect(self) -> None:
        """Connect; does nothing if the server is connected, and replaces a lost connection.

        Raises:
            UserError: The server could not be reached, did not answer in time, or does not speak
                the protocol. Nothing is left open.
            asyncio.CancelledError: The caller was cancelled. Nothing is left open.
        """
        connection = self._connection
        if connection is None or connection.is_lost:
            connection = await self._reopen(connection)
        try:
            await connection.session()
        except BaseException:
            if self._connection is connection:
                self._connection = None
            await connection.close()
            raise

    async def cleanup(self) -> None:
        """Close the connection, from any task; does nothing without a connection."""
        self.invalidate_tools_cache()
        connection = self._connection
        if connection is None:
            return
        await connection.close()
        if self._connection is connection:
            self._connection = None

    async def list_tools(
        self, run_context: RunContextWrapper[Any] | None = None, agent: AgentBase[Any] | None = None
    ) -> list[MCPTool]:
        """List the tools that the filter lets through.

        Args:
            run_context: The context of the run; a filter that is a function needs it.
            agent: The agent; a filter that is a function needs it.

        Raises:
            UserError: The server is not connected, or a filter function lacks a context or agent.
            AgentsException: The server's list does not end.
            mcp.MCPError: The server did not answer, or refused.
        """
        tools: Sequence[MCPTool] = await self._all_tools()
        if self.cache_tools_list:
            tools = copies_of(tools)
        return await filter_tools(tools, self.tool_filter, self.name, run_context, agent)

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

        Raises:
            UserError: The server is not connected, or UTF-8 cannot encode a text.
            mcp.MCPError: The server did not answer, or refused.
        """
        check_text(arguments, tool_name)
        # The `mcp` package's type for `_meta` has known keys, but any key is valid.
        metadata: Any = meta
        return await self._request(
            lambda session: session.call_tool(tool_name, arguments, meta=metadata)
        )

    async def list_prompts(self) -> ListPromptsResult:
        """List the prompts of the server.

        Raises:
            UserError: The server is not connected.
            mcp.MCPError: The server did not answer, or refused.
        """
        return await self._request(lambda session: session.list_prompts())

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        """Fill in a prompt.

        Args:
            name: The prompt.
            arguments: The values to fill in, by name.

        Raises:
            UserError: The server is not connected.
            mcp.MCPError: The server did not answer, or refused.
        """
        return await self._request(lambda session: session.get_prompt(name, arguments))

    async def list_resources(self, cursor: str | None = None) -> ListResourcesResult:
        """List a page of the server's resources.

        Args:
            cursor: Where the page starts; the default is the beginning.
        """
        page = _page(cursor)
        return await self._request(lambda session: session.list_resources(params=page))

    async def list_resource_templates(
        self, cursor: str | None = None
    ) -> ListResourceTemplatesResult:
        """List a page of the templates for resources' addresses.

        Args:
            cursor: Where the page starts; the default is the beginning.
        """
        page = _page(cursor)
        return await self._request(lambda session: session.list_resource_templates(params=page))

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """Read a resource.

        Args:
            uri: Its address.
        """
        return await self._request(lambda session: session.read_resource(uri))

    async def _read_only_tools(
        self, run_context: RunContextWrapper[Any], agent: AgentBase[Any]
    ) -> list[MCPTool]:
        own = getattr(self.list_tools, "__func__", None) is MCPServerWithSession.list_tools
        if not own or callable(self.tool_filter):
            return await self.list_tools(run_context, agent)
        # No copies: no user code sees these tools, and the conversion does not change them.
        tools = await self._all_tools()
        return await filter_tools(tools, self.tool_filter, self.name, run_context, agent)

    async def _all_tools(self) -> tuple[MCPTool, ...]:
        return await (self._cache.get(self._list) if self.cache_tools_list else self._list())

    async def _list(self) -> tuple[MCPTool, ...]:
        return await all_pages(self._list_page, self.max_list_pages, self.name)

    async def _list_page(self, cursor: str | None) -> ListToolsResult:
        page = _page(cursor)
        return await self._request(lambda session: session.list_tools(params=page))

    async def _request(self, send: Callable[[ClientSession], Awaitable[R]]) -> R:
        for attempt in count():
            connection = self._connected()
            try:
                return await send(await connection.session())
            except Exception as error:
                if breaks_connection(error):
                    connection.lose()
                if not self.retries.another(attempt, error, lost=connection.is_lost):
                    if connection.is_lost:
                        await connection.explain(error)
                    raise
            await asyncio.sleep(self.retries.pause(attempt))
            # Not if `cleanup` or another request has replaced the connection meanwhile.
            if connection.is_lost and self._connection is connection:
                await self._reopen(connection)
        raise AssertionError("unreachable: count() does not end")

    def _connected(self) -> Connection:
        if self._connection is None:
            raise UserError(
                f"MCP server {self.name!r} is not connected. Call connect() first, or use it in "
                "`async with`."
            )
        return self._connection

    async def _reopen(self, lost: Connection | None) -> Connection:
        """Open a connection, and close the lost one that it replaces, if any."""
        connection = self._connection = Connection(
            self.name, self.create_streams, self._new_session, self.client_session_timeout_seconds
        )
        self._cache.enter_loop()
        if lost is not None:
            await lost.close()
        return connection

    def _new_session(
        self,
        read: MemoryObjectReceiveStream[SessionMessage | Exception],
        write: MemoryObjectSendStream[SessionMessage],
    ) -> ClientSession:
        from mcp import ClientSession

        return ClientSession(
            read,
            write,
            read_timeout_seconds=self.client_session_timeout_seconds or None,
            message_handler=self._on_message,
        )

    async def _on_message(self, message: IncomingMessage) -> None:
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            self.invalidate_tools_cache()
        if self.message_handler is not None:
            await self.message_handler(message)


def _page(cursor: str | None) -> PaginatedRequestParams | None:
    if cursor is None:
        return None
    from mcp.types import PaginatedRequestParams

    return PaginatedRequestParams(cursor=cursor)
