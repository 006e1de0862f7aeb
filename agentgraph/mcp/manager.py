"""`MCPServerManager` connects and closes several servers together.

Rule: the failure of one server does not affect the others unless the program sets `strict`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from types import TracebackType
from typing import Self

from agentgraph.authoring.amounts import check_seconds
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.mcp.contract import MCPServer
from agentgraph.user_code.cancellation import take_back, was_cancelled

__all__ = ["MCPServerManager"]


class MCPServerManager:
    """Connects servers, lists those that work, and closes them.

    Args:
        servers: The servers; duplicates are ignored.
        connect_timeout_seconds: How long one may take to connect, in seconds; `None` for no limit.
        cleanup_timeout_seconds: How long one may take to close, in seconds; `None` for no limit.
        drop_failed_servers: Whether `active_servers` leaves out servers that failed.
        strict: Whether to raise the error of a server that failed, after closing all servers.
        suppress_cancelled_error: Whether a `CancelledError` that a server raises by itself while it
            connects counts as a failure; if not, it is raised.
        connect_in_parallel: Whether to connect all servers at the same time.

    Raises:
        UserError: A time is not a positive number of seconds.
    """

    def __init__(
        self,
        servers: Iterable[MCPServer],
        *,
        connect_timeout_seconds: float | None = 10.0,
        cleanup_timeout_seconds: float | None = 10.0,
        drop_failed_servers: bool = True,
        strict: bool = False,
        suppress_cancelled_error: bool = True,
        connect_in_parallel: bool = False,
    ) -> None:
        check_seconds("connect_timeout_seconds", connect_timeout_seconds)
        check_seconds("cleanup_timeout_seconds", cleanup_timeout_seconds)
        self._servers = list(dict.fromkeys(servers))
        self._connect_timeout = connect_timeout_seconds
        self._cleanup_timeout = cleanup_timeout_seconds
        self._drop_failed = drop_failed_servers
        self._strict = strict
        self._suppress_cancelled = suppress_cancelled_error
        self._in_parallel = connect_in_parallel
        self._connected: set[MCPServer] = set()
        self._errors: dict[MCPServer, BaseException] = {}

    @property
    def active_servers(self) -> list[MCPServer]:
        """The servers to give to agents, in their order."""
        if not self._drop_failed:
            return self.all_servers
        return [server for server in self._servers if server in self._connected]

    @property
    def all_servers(self) -> list[MCPServer]:
        """All servers, in their order."""
        return list(self._servers)

    @property
    def failed_servers(self) -> list[MCPServer]:
        """The servers that could not be connected."""
        return [server for server in self._servers if server in self._errors]

    @property
    def errors(self) -> dict[MCPServer, BaseException]:
        """The error of each server that could not be connected."""
        return dict(self._errors)

    @property
    def connect_timeout_seconds(self) -> float | None:
        """How long one server may take to connect, in seconds."""
        return self._connect_timeout

    @property
    def cleanup_timeout_seconds(self) -> float | None:
        """How long one server may take to close, in seconds."""
        return self._cleanup_timeout

    async def connect_all(self) -> list[MCPServer]:
        """Connect all servers that are not connected.

        Returns:
            The active servers.

        Raises:
            BaseException: The error of the first server that failed, with `strict`.
        """
        return await self._connect(
            [server for server in self._servers if server not in self._connected]
        )

    async def reconnect(self, *, failed_only: bool = True) -> list[MCPServer]:
        """Connect servers again.

        Args:
            failed_only: Whether to connect only servers that failed; if not, close and connect all.

        Returns:
            The active servers.

        Raises:
            BaseException: The error of the first server that failed, with `strict`.
        """
        if failed_only:
            return await self._connect(self.failed_servers)
        await self.cleanup_all()
        return await self.connect_all()

    async def cleanup_all(self) -> None:
        """Close all servers, the last one first, and log those that fail to close."""
        for server in reversed(self._servers):
            await self._cleanup(server)
        self._errors.clear()

    async def __aenter__(self) -> Self:
        await self.connect_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.cleanup_all()

    async def _connect(self, servers: list[MCPServer]) -> list[MCPServer]:
        try:
            if self._in_parallel:
                async with asyncio.TaskGroup() as group:
                    for server in servers:
                        group.create_task(self._connect_one(server))
            else:
                for server in servers:
                    await self._connect_one(server)
        except BaseException as error:
            await self.cleanup_all()
            if isinstance(error, BaseExceptionGroup):
                raise error.exceptions[0] from None
            raise
        return self.active_servers

    async def _connect_one(self, server: MCPServer) -> None:
        self._errors.pop(server, None)
        before = take_back()
        try:
            await _within(self._connect_timeout, server.connect())
        except asyncio.CancelledError as error:
            if not self._suppress_cancelled or await was_cancelled(before):
                raise
            await self._note_failure(server, error)
        except Exception as error:  # noqa: BLE001 - servers may be the program's own
            await self._note_failure(server, error)
        else:
            self._connected.add(server)

    async def _note_failure(self, server: MCPServer, error: BaseException) -> None:
        if self._strict:
            raise error
        log_tool_action_error(logger, f"MCP server {server.name!r} could not be connected", error)
        await self._cleanup(server)
        self._errors[server] = error

    async def _cleanup(self, server: MCPServer) -> None:
        self._connected.discard(server)
        before = take_back()
        try:
            await _within(self._cleanup_timeout, server.cleanup())
        except asyncio.CancelledError as error:
            if await was_cancelled(before):
                raise
            log_tool_action_error(logger, f"MCP server {server.name!r} did not close", error)
        except Exception as error:  # noqa: BLE001 - servers may be the program's own
            log_tool_action_error(logger, f"MCP server {server.name!r} did not close", error)


async def _within(limit: float | None, work: Awaitable[None]) -> None:
    async with asyncio.timeout(limit):
        await work
