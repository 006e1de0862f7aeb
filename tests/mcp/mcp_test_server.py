"""The server that tests of MCP talk to, written with the official package and run as a process.

`python mcp_test_server.py stdio` speaks over the standard streams. With `sse` or `streamable-http`
it listens on a free port of loopback and writes the port as its first line.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.types import AudioContent, ImageContent, TextContent, Tool


class CountingServer(MCPServer[Any]):
    """Counts how often its tools were listed."""

    listings = 0

    async def list_tools(self) -> list[Tool]:
        self.listings += 1
        return await super().list_tools()


server = CountingServer(os.environ.get("SERVER_NAME", "test server"), log_level="CRITICAL")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(structured_output=False)
def greet(name: str = "you") -> str:
    """Greet somebody."""
    return f"Hello {name}!"


@server.tool(structured_output=False)
def picture() -> ImageContent:
    """Show a picture."""
    return ImageContent(type="image", data="aGk=", mime_type="image/png")


@server.tool(structured_output=False)
def mixture() -> list[TextContent | AudioContent]:
    """Give a text and a sound."""
    return [
        TextContent(type="text", text="listen"),
        AudioContent(type="audio", data="aGk=", mime_type="audio/wav"),
    ]


@server.tool(structured_output=False)
def nothing() -> list[TextContent]:
    """Give nothing."""
    return []


@server.tool()
def refuse() -> str:
    """Fail."""
    raise ValueError("out of milk")


@server.tool()
def store(content: dict[str, Any]) -> str:
    """Keep a free-form object, which no strict schema describes."""
    return str(sorted(content))


@server.tool()
def listings() -> int:
    """Tell how often the tools were listed."""
    return server.listings


@server.tool(structured_output=False)
def meta(context: Context[Any, Any]) -> str:
    """Tell what was sent as metadata."""
    return str(dict(context.request_context.meta or {}).get("tenant"))


@server.tool(structured_output=False)
async def grow(context: Context[Any, Any]) -> str:
    """Get one more tool, and say so."""
    server.add_tool(lambda: "grown", name="grown", description="New.")
    await context.session.send_tool_list_changed()
    return "done"


@server.tool()
async def hang() -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return "never"


@server.tool()
def die() -> str:
    """End the process in the middle of a call."""
    os._exit(3)


_waiting = asyncio.Event()


@server.tool(structured_output=False)
async def meet(first: bool) -> str:
    """Answer the first caller only once there is a second one."""
    if first:
        await _waiting.wait()
        return "met"
    _waiting.set()
    return "came"


@server.tool()
def pid() -> int:
    """Tell the id of the process."""
    return os.getpid()


@server.prompt()
def review(code: str) -> str:
    """Ask for a review."""
    return f"Review this: {code}"


@server.resource("notes://today")
def today() -> str:
    """What is on today."""
    return "nothing"


def serve_http(app: Callable[..., Any]) -> None:
    """Serve on a free port, whose number is the first line of the output."""
    import uvicorn

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    match sys.argv[1]:
        case "stdio":
            server.run("stdio")
        case "sse":
            serve_http(server.sse_app())
        case "streamable-http":
            serve_http(server.streamable_http_app())
