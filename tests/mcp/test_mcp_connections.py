"""Connecting and closing: from any task, any number of times, also in the middle of something."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import Any

import pytest

from agentgraph import Runner, UserError
from agentgraph.mcp import MCPServer
from tests.mcp.mcp_servers import (
    Transport,
    caller,
    connector,
    faulty_server,
    http_server,
    is_running,
    outputs,
    stdio_server,
)


async def pid_of(server: MCPServer) -> int:
    result: Any = await server.call_tool("pid", {})
    return int(result.structured_content["result"])


async def test_a_server_is_closed_from_another_task(
    transport: Transport, http_ports: dict[str, int]
) -> None:
    server = connector(transport, http_ports[transport])
    await asyncio.create_task(server.connect())
    assert await asyncio.create_task(server.list_tools())
    await asyncio.create_task(server.cleanup())
    with pytest.raises(UserError, match="not connected"):
        await server.list_tools()


async def test_closing_again_or_before_anything_was_opened_does_nothing(
    transport: Transport, http_ports: dict[str, int]
) -> None:
    server = connector(transport, http_ports[transport])
    await server.cleanup()
    await server.connect()
    await asyncio.gather(server.cleanup(), server.cleanup())
    await server.cleanup()


async def test_connecting_again_keeps_the_connection() -> None:
    async with stdio_server() as server:
        first = await pid_of(server)
        await asyncio.gather(server.connect(), server.connect())
        assert await pid_of(server) == first


async def test_a_server_is_connected_anew_after_it_was_closed(
    transport: Transport, http_ports: dict[str, int]
) -> None:
    server = connector(transport, http_ports[transport])
    for _ in range(2):
        async with server:
            assert await server.list_tools()


async def test_closing_ends_the_process_and_the_calls_that_wait_for_it() -> None:
    server = stdio_server()
    await server.connect()
    process = await pid_of(server)
    hanging = asyncio.create_task(server.call_tool("hang", {}))
    await server.call_tool("greet", {})
    await server.cleanup()
    with pytest.raises(Exception, match="closed"):
        await hanging
    assert not is_running(process)


async def test_a_process_that_does_not_end_by_itself_is_ended() -> None:
    """That nothing is left is what the fixture looks at."""
    async with faulty_server("deaf") as server:
        assert await server.list_tools()


@pytest.mark.parametrize("rounds", [1, 5, 50])
async def test_closing_a_connecting_twice_ends_it_once(rounds: int) -> None:
    server = faulty_server("deaf")
    connecting = asyncio.create_task(server.connect())
    for _ in range(rounds):
        await asyncio.sleep(0)
    closings = [asyncio.create_task(server.cleanup()) for _ in range(3)]
    await asyncio.gather(connecting, *closings, return_exceptions=True)
    assert server.session is None


async def test_a_server_that_was_lost_is_connected_anew() -> None:
    async with stdio_server() as server:
        first = await pid_of(server)
        with pytest.raises(Exception, match="Connection closed"):
            await server.call_tool("die", {})
        await server.connect()
        assert await pid_of(server) != first


def test_a_server_serves_run_sync_on_the_loop_that_it_uses() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    server = stdio_server()
    try:
        loop.run_until_complete(server.connect())
        agent, _ = caller(server, calls=[("greet", {})])
        assert outputs(Runner.run_sync(agent, "go")) == [{"type": "text", "text": "Hello you!"}]
        loop.run_until_complete(server.cleanup())
    finally:
        loop.close()
        asyncio.set_event_loop(None)


async def test_a_caller_that_gives_up_connecting_leaves_nothing_open() -> None:
    server = faulty_server("never-speaks")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await server.connect()
    assert server.session is None


@pytest.mark.parametrize("rounds", [1, 2, 3, 50])
async def test_closing_ends_a_connecting_that_goes_on(rounds: int) -> None:
    server = faulty_server("never-speaks")
    connecting = asyncio.create_task(server.connect())
    for _ in range(rounds):
        await asyncio.sleep(0)
    await server.cleanup()
    with pytest.raises(UserError, match="closed while it was opening"):
        await connecting


async def test_a_caller_that_gives_up_closing_leaves_it_closing() -> None:
    server = stdio_server()
    await server.connect()
    process = await pid_of(server)
    closing = asyncio.create_task(server.cleanup())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await server.cleanup()
    assert not is_running(process)


@pytest.mark.parametrize("stream", [None, io.StringIO()], ids=["none", "no file"])
async def test_a_process_starts_where_standard_error_is_no_file(
    stream: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a notebook, or in a program without a console."""
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "__stderr__", stream)
    async with stdio_server() as server:
        assert await server.list_tools()


async def test_what_ended_the_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        async with stdio_server():
            raise ZeroDivisionError


async def test_a_server_serves_one_event_loop() -> None:
    async with stdio_server() as server:
        with pytest.raises(UserError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, server.list_tools())
        # The loop that it belongs to runs, so it can be closed from the other one.
        await asyncio.to_thread(asyncio.run, server.cleanup())


def test_a_server_outlives_the_loop_that_it_was_connected_in() -> None:
    server = stdio_server()

    async def use() -> int:
        async with server:
            return await pid_of(server)

    async def forget() -> int:
        await server.connect()
        return await pid_of(server)

    assert asyncio.run(use()) != asyncio.run(use())
    forgotten = asyncio.run(forget())
    assert not is_running(forgotten)
    asyncio.run(server.cleanup())
    assert asyncio.run(use()) != forgotten


@pytest.mark.parametrize(
    ("fault", "answers", "words"),
    [("flaky", True, "fine"), ("internal-error", False, "out of order"), ("refusal", False, "1")],
)
async def test_what_may_pass_is_tried_again_and_a_refusal_is_not(
    fault: str, answers: bool, words: str
) -> None:
    settings = {"max_retry_attempts": 2, "retry_backoff_seconds_base": 0.001}
    async with faulty_server(fault, **settings) as server:
        if answers:
            result: Any = await server.call_tool("first", {})
            assert result.content[0].text == words
        else:
            with pytest.raises(Exception, match=words):
                await server.call_tool("first", {})


async def test_nothing_is_tried_again_unless_it_is_asked_for() -> None:
    async with faulty_server("flaky") as server:
        with pytest.raises(Exception, match="come back later"):
            await server.call_tool("first", {})


async def test_a_process_that_died_is_started_anew_by_a_retry() -> None:
    settings = {"max_retry_attempts": 1, "retry_backoff_seconds_base": 0}
    async with stdio_server(**settings) as server:
        first = await pid_of(server)
        with pytest.raises(Exception, match="Connection closed"):
            # The second process dies of the same call.
            await server.call_tool("die", {})
        assert await pid_of(server) != first


async def test_a_server_that_comes_back_is_connected_anew_by_a_retry(
    http_ports: dict[str, int],
) -> None:
    with http_server("streamable-http") as port:
        settings = {"max_retry_attempts": -1, "retry_backoff_seconds_base": 0}
        server: Any = connector("streamable-http", port, **settings)
        await server.connect()
    # That one is gone; the other one does not know the session of the first.
    server.params["url"] = f"http://127.0.0.1:{http_ports['streamable-http']}/mcp"
    try:
        assert await server.list_tools()
    finally:
        await server.cleanup()


async def test_pauses_double_up_to_the_longest() -> None:
    server = stdio_server(
        max_retry_attempts=-1, retry_backoff_seconds_base=0.5, retry_backoff_seconds_max=3
    )
    assert [server.retries.pause(n) for n in (0, 1, 2, 3, 4, 10_000)] == [0.5, 1, 2, 3, 3, 3]


@pytest.mark.parametrize(
    "settings",
    [
        {"max_retry_attempts": -2},
        {"retry_backoff_seconds_base": -1},
        {"retry_backoff_seconds_max": float("nan")},
        {"tool_filter": ["add"]},
        {"tool_filter": {"allowed": ["add"]}},
        {"require_approval": "sometimes"},
        {"require_approval": {"add": "maybe"}},
        {"require_approval": {"always": {"tool_names": "add"}}},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        stdio_server(**settings)
