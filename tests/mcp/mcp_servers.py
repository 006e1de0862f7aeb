"""What tests of MCP share: the real servers, an in-process server, and runs of both kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mcp.types import (
    CallToolResult,
    GetPromptResult,
    ListPromptsResult,
    TextContent,
    Tool,
)

from agentgraph import Agent, RunConfig, RunHooks, Runner, RunResult, RunResultStreaming, RunState
from agentgraph.mcp import (
    MCPServer,
    MCPServerSse,
    MCPServerStdio,
    MCPServerStreamableHttp,
)
from agentgraph.testing import ScriptedModel, assistant_message, function_call

FOLDER = Path(__file__).parent
Transport: TypeAlias = Literal["stdio", "sse", "streamable-http"]
TRANSPORTS: tuple[Transport, ...] = ("stdio", "sse", "streamable-http")
# A loopback address on which nothing listens: port 9 discards, and no machine serves it.
REFUSING = "http://127.0.0.1:9"


@contextmanager
def http_server(transport: str) -> Iterator[int]:
    """Run the test server over HTTP; yields its port."""
    arguments = [sys.executable, str(FOLDER / "mcp_test_server.py"), transport]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def connector(transport: Transport, port: int = 0, **settings: Any) -> MCPServer:
    """A server to connect to, named after its transport; a process of its own for stdio."""
    settings = {"name": transport, "client_session_timeout_seconds": 120, **settings}
    match transport:
        case "stdio":
            return stdio_server(**settings)
        case "sse":
            return MCPServerSse({"url": f"http://127.0.0.1:{port}/sse"}, **settings)
        case "streamable-http":
            return MCPServerStreamableHttp({"url": f"http://127.0.0.1:{port}/mcp"}, **settings)


def stdio_server(**settings: Any) -> MCPServerStdio:
    """The test server as a process of its own."""
    script = str(FOLDER / "mcp_test_server.py")
    settings = {"name": "stdio", "client_session_timeout_seconds": 120, **settings}
    return MCPServerStdio({"command": sys.executable, "args": [script, "stdio"]}, **settings)


def faulty_server(fault: str, **settings: Any) -> MCPServerStdio:
    """A server with a fault, named after it."""
    script = str(FOLDER / "faulty_server.py")
    settings = {"name": fault, "client_session_timeout_seconds": 120, **settings}
    return MCPServerStdio({"command": sys.executable, "args": [script, fault]}, **settings)


def tool(name: str, schema: dict[str, Any] | None = None, **fields: Any) -> Tool:
    """A tool as a server lists it."""
    parameters = {"type": "object", "properties": {}} if schema is None else schema
    return Tool(name=name, input_schema=parameters, **fields)


def text(words: str) -> TextContent:
    """A text as a server gives it."""
    return TextContent(type="text", text=words)


class HandmadeServer(MCPServer):
    """A server as a program may write one: tools in a list, and one result for every call."""

    def __init__(
        self,
        name: str = "handmade",
        tools: Sequence[Tool] = (),
        result: CallToolResult | BaseException | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self._name = name
        self.tools = list(tools)
        self.result = result
        self.calls: list[tuple[str, dict[str, Any] | None, Any]] = []
        self.listings = 0

    @property
    def name(self) -> str:
        return self._name

    async def connect(self) -> None:
        pass

    async def cleanup(self) -> None:
        pass

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> list[Tool]:
        self.listings += 1
        return list(self.tools)

    async def call_tool(
        self,
        tool_name: str,
        arguments: dict[str, Any] | None,
        meta: dict[str, Any] | None = None,
    ) -> CallToolResult:
        self.calls.append((tool_name, arguments, meta))
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result or CallToolResult(content=[text("fine")])

    async def list_prompts(self) -> ListPromptsResult:
        return ListPromptsResult(prompts=[])

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        return GetPromptResult(messages=[])


def caller(
    *servers: MCPServer, calls: Sequence[tuple[str, Any]], **fields: Any
) -> tuple[Agent[Any], ScriptedModel]:
    """An agent called A whose model makes each call in a turn of its own and then says "done"."""
    steps: list[Any] = [
        [function_call(name, arguments, call_id=f"call {number}")]
        for number, (name, arguments) in enumerate(calls)
    ]
    model = ScriptedModel([*steps, [assistant_message("done")]])
    return Agent(name="A", model=model, mcp_servers=list(servers), **fields), model


async def run(
    how: str,
    agent: Agent[Any],
    start: str | RunState[Any] = "go",
    hooks: RunHooks[Any] | None = None,
    **settings: Any,
) -> RunResult | RunResultStreaming:
    """Run an agent plainly or streamed, to its end."""
    config = RunConfig(**settings)
    if how == "plain":
        return await Runner.run(agent, start, hooks=hooks, run_config=config)
    streamed = Runner.run_streamed(agent, start, hooks=hooks, run_config=config)
    async for _ in streamed.stream_events():
        pass
    return streamed


def outputs(result: RunResult | RunResultStreaming) -> list[Any]:
    """What the tools gave."""
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


def children() -> set[int]:
    """The processes that this one started and that are still there, ended ones not yet waited for
    included; only where the system tells."""
    processes: set[int] = set()
    for thread in Path("/proc/self/task").glob("*"):
        # A thread may end meanwhile; its children become those of another one.
        with suppress(FileNotFoundError, ProcessLookupError):
            processes.update(map(int, (thread / "children").read_text().split()))
    return processes


def is_running(process: int) -> bool:
    """Whether there is a process with this id."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
