"""The list of a server's tools: reading all its pages, and keeping it.

Rule: a kept list is the whole list of the server, before any filter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING

from agentgraph.exceptions import AgentsException

if TYPE_CHECKING:
    from mcp.types import ListToolsResult
    from mcp.types import Tool as MCPTool

__all__ = ["ToolCache", "all_pages"]


async def all_pages(
    read_page: Callable[[str | None], Awaitable[ListToolsResult]], most: int | None, server: str
) -> tuple[MCPTool, ...]:
    """Read all pages of a server's tools.

    Args:
        read_page: Reads the page at a cursor; `None` is the first page.
        most: How many pages to read at most; `None` for no limit.
        server: The server's name, for the message.

    Raises:
        AgentsException: There are more pages, or a page leads back to an earlier one.
    """
    tools: list[MCPTool] = []
    cursor: str | None = None
    cursors: set[str] = set()
    for number in count(1):
        page = await read_page(cursor)
        tools += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
        if cursor in cursors or number == most:
            raise AgentsException(
                f"MCP server {server!r} does not stop listing tools: page {number} is "
                + ("followed by an earlier page." if cursor in cursors else "the limit.")
            )
        cursors.add(cursor)
    return tuple(tools)


class ToolCache:
    """The kept list of a server's tools.

    Attributes:
        tools: The list; `None` if there is none.
    """

    def __init__(self) -> None:
        self.tools: tuple[MCPTool, ...] | None = None
        # Counts invalidations: a listing that began before the latest one is not kept.
        self._edition = 0
        self._listing = asyncio.Lock()

    def invalidate(self) -> None:
        """Drop the list; the next use reads it again."""
        self.tools = None
        self._edition += 1

    def enter_loop(self) -> None:
        """Make the cache usable in the running event loop: its lock may belong to another one."""
        self._listing = asyncio.Lock()

    async def get(self, read: Callable[[], Awaitable[tuple[MCPTool, ...]]]) -> tuple[MCPTool, ...]:
        """Return the list.

        Several runs may ask a shared server at the same time; one listing serves them all.

        Args:
            read: Reads the list from the server.
        """
        async with self._listing:
            if self.tools is not None:
                return self.tools
            edition = self._edition
            tools = await read()
            if edition == self._edition:
                self.tools = tools
            return tools
