"""Several servers, connected and closed together."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentgraph.mcp import MCPServerManager
from tests.mcp.mcp_servers import HandmadeServer, caller, outputs, run, stdio_server, tool


class Moody(HandmadeServer):
    """A server that connects as often as its mood says, and notes what happens to it."""

    def __init__(self, name: str, *moods: BaseException | None, log: list[str]) -> None:
        super().__init__(name, [tool(name)])
        self.moods = list(moods)
        self.log = log

    async def connect(self) -> None:
        self.log.append(f"connect {self.name}")
        mood = self.moods.pop(0) if self.moods else None
        if isinstance(mood, TimeoutError):
            await asyncio.Event().wait()
        if mood is not None:
            raise mood

    async def cleanup(self) -> None:
        self.log.append(f"cleanup {self.name}")
        if self.name == "grumpy":
            raise RuntimeError("leave me alone")


FAILURES = [OSError("no"), asyncio.CancelledError(), TimeoutError()]


def group(*servers: Moody, **settings: Any) -> MCPServerManager:
    """Servers with a short time to connect only where one of them never does."""
    hangs = any(isinstance(mood, TimeoutError) for server in servers for mood in server.moods)
    return MCPServerManager(servers, connect_timeout_seconds=0.5 if hangs else 120, **settings)


@pytest.mark.parametrize("in_parallel", [False, True])
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
async def test_a_server_that_fails_does_not_take_the_others_with_it(
    failure: BaseException, in_parallel: bool
) -> None:
    log: list[str] = []
    good, bad = Moody("good", log=log), Moody("bad", failure, log=log)
    async with group(bad, good, connect_in_parallel=in_parallel) as servers:
        assert servers.active_servers == [good]
        assert servers.failed_servers == [bad]
        assert list(servers.errors) == [bad]
        assert "cleanup bad" in log
        assert await servers.reconnect() == [bad, good]
        assert servers.errors == {}
        assert log.count("connect good") == 1
    assert log[-2:] == ["cleanup good", "cleanup bad"]


@pytest.mark.parametrize("in_parallel", [False, True])
async def test_a_failure_is_raised_if_that_is_wanted(in_parallel: bool) -> None:
    log: list[str] = []
    good, bad = Moody("good", log=log), Moody("bad", OSError("no"), log=log)
    servers = group(good, bad, strict=True, connect_in_parallel=in_parallel)
    with pytest.raises(OSError, match="no"):
        await servers.connect_all()
    assert {"cleanup good", "cleanup bad"} <= set(log)
    assert servers.active_servers == []


async def test_servers_that_failed_are_kept_if_that_is_wanted() -> None:
    log: list[str] = []
    good, bad = Moody("good", log=log), Moody("bad", OSError("no"), log=log)
    async with group(good, bad, good, drop_failed_servers=False) as servers:
        assert servers.active_servers == servers.all_servers == [good, bad]


async def test_a_server_that_cancels_itself_ends_it_if_that_is_wanted() -> None:
    bad = Moody("bad", asyncio.CancelledError(), log=[])
    with pytest.raises(asyncio.CancelledError):
        await group(bad, suppress_cancelled_error=False).connect_all()


async def test_whoever_is_cancelled_is_cancelled() -> None:
    log: list[str] = []
    slow = Moody("slow", TimeoutError(), log=log)
    servers = MCPServerManager([slow], connect_timeout_seconds=None)
    connecting = asyncio.create_task(servers.connect_all())
    await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert log == ["connect slow", "cleanup slow"]


async def test_all_servers_are_closed_even_if_one_refuses() -> None:
    log: list[str] = []
    servers = group(Moody("good", log=log), Moody("grumpy", log=log))
    await servers.connect_all()
    await servers.reconnect(failed_only=False)
    await servers.cleanup_all()
    steps = ["connect good", "connect grumpy", "cleanup grumpy", "cleanup good"]
    assert log == [*steps, *steps]


@pytest.mark.parametrize("in_parallel", [False, True])
async def test_real_servers_are_connected_and_closed_together(in_parallel: bool, how: str) -> None:
    both = [stdio_server(name="one"), stdio_server(name="two")]
    async with MCPServerManager(both, connect_in_parallel=in_parallel) as servers:
        agent, _ = caller(
            *servers.active_servers,
            calls=[("mcp_two__greet", {})],
            mcp_config={"include_server_in_tool_names": True},
        )
        result = await run(how, agent)
    assert outputs(result) == [{"type": "text", "text": "Hello you!"}]
