"""A server on loopback that answers with the bytes that a test asks for, and counts connections."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Wire:
    """One answer as bytes.

    Attributes:
        body: The body.
        status: The HTTP status; 0 closes the connection without an answer.
        kind: The content type.
        cut: How many bytes of the body are left out before the connection closes.
        hold: Whether the connection then stays open without another byte.
        headers: Further headers.
    """

    body: bytes = b""
    status: int = 200
    kind: str = "application/json"
    cut: int = 0
    hold: bool = False
    headers: dict[str, str] = field(default_factory=dict)

    def head(self) -> bytes:
        """Return the status line and the headers."""
        headers = {"content-type": self.kind, **self.headers}
        if not self.hold or self.cut:
            headers["content-length"] = str(len(self.body))
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode()


def plain(value: Any, **options: Any) -> Wire:
    """Return a JSON value as an answer."""
    return Wire(json.dumps(value).encode(), **options)


def sse(*events: Any, done: bool = True, **options: Any) -> Wire:
    """Return server-sent events as an answer; a text is sent as it is."""
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    body = "".join(f"data: {text}\n\n" for text in [*texts, *(["[DONE]"] if done else [])])
    return Wire(body.encode(), kind="text/event-stream", **options)


class MisbehavingServer:
    """Answers each request with the next of its answers.

    Attributes:
        answers: What it will answer.
        requests: The body of each request.
        open: How many connections are open.
        asked: Set when a request has come.
    """

    def __init__(self) -> None:
        self.answers: deque[Wire] = deque()
        self.requests: list[Any] = []
        self.open = 0
        self.url = ""
        self.asked = asyncio.Event()
        self._quiet = asyncio.Condition()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.open += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            async with self._quiet:
                self.open -= 1
                self._quiet.notify_all()

    async def all_closed(self) -> None:
        """Wait until no connection is open."""
        async with self._quiet:
            await self._quiet.wait_for(lambda: self.open == 0)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if b"content-length" in line]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        self.requests.append(json.loads(await reader.readexactly(length)))
        self.asked.set()
        wire = self.answers.popleft()
        if wire.status == 0:
            return False
        writer.write(wire.head() + wire.body[: len(wire.body) - wire.cut])
        await writer.drain()
        if wire.hold:
            await reader.read()  # until the client leaves
        return not wire.cut and not wire.hold


@asynccontextmanager
async def misbehaving_server() -> AsyncIterator[MisbehavingServer]:
    """Start a server."""
    server = MisbehavingServer()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listening.close()
