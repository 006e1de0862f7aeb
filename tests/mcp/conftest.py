"""Fixtures for tests of MCP: servers on loopback, and a watch over what a test leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from agentgraph.mcp import MCPServer
from tests.mcp.mcp_servers import TRANSPORTS, Transport, children, connector, http_server


@pytest.fixture(scope="session")
def http_ports() -> Iterator[dict[str, int]]:
    """The ports of a server for each HTTP transport, which all tests share."""
    with http_server("sse") as sse, http_server("streamable-http") as streamable:
        yield {"stdio": 0, "sse": sse, "streamable-http": streamable}


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each way of carrying messages."""
    value: Transport = request.param
    return value


@pytest.fixture(params=["plain", "streamed"])
def how(request: pytest.FixtureRequest) -> str:
    """Both ways to run an agent."""
    value: str = request.param
    return value


@pytest.fixture
async def connected(
    transport: Transport, http_ports: dict[str, int], nothing_left_behind: None
) -> AsyncIterator[MCPServer]:
    """A connected server for each transport."""
    async with connector(transport, http_ports[transport]) as server:
        yield server


@pytest.fixture
def on_loopback(http_ports: dict[str, int]) -> Callable[..., MCPServer]:
    """Makes connections to a server that is there already, which is faster than to start one."""
    return partial(connector, "streamable-http", http_ports["streamable-http"])


@pytest.fixture(autouse=True)
async def nothing_left_behind(http_ports: dict[str, int]) -> AsyncIterator[None]:
    """Fails a test after which a task or a process is still there."""
    tasks, processes = asyncio.all_tasks(), children()
    yield
    for _ in range(20):
        # What was told to end ends in one of the next rounds of the loop.
        await asyncio.sleep(0)
    this = asyncio.current_task()
    left = asyncio.all_tasks() - tasks
    assert {task.get_name() for task in left if task is not this} == set()
    assert children() - processes == set()
