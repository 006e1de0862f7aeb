"""The MCP servers of a workflow, connected for the time of a command."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Final

from agentgraph.cli.faults import CommandFault
from agentgraph.mcp import MCPServer, MCPServerManager
from agentgraph.program import Program

__all__ = ["connected_servers"]

_SECONDS_TO_CONNECT: Final = 60.0
"""Enough for a server that is installed when it starts, as `npx` does."""


@contextlib.asynccontextmanager
async def connected_servers(program: Program) -> AsyncIterator[None]:
    """Connect the servers of all agents of a workflow, and close them again.

    Args:
        program: The workflow.

    Raises:
        CommandFault: A server cannot be connected; the others are closed.
    """
    async with contextlib.AsyncExitStack() as stack:
        for server in dict.fromkeys(_servers(program)):
            manager = MCPServerManager(
                [server], connect_timeout_seconds=_SECONDS_TO_CONNECT, strict=True
            )
            try:
                await stack.enter_async_context(manager)
            except Exception as error:
                reason = str(error) or type(error).__name__
                raise CommandFault(
                    f"MCP server '{server.name}' could not be connected: {reason}"
                ) from error
        yield


def _servers(program: Program) -> Iterator[MCPServer]:
    bindings = program.bindings
    for one in (bindings, *bindings.machines.values()):
        for agent in one.agents.values():
            for _, server in agent.servers:
                if isinstance(server, MCPServer):
                    yield server
