"""The three ways to reach a server: a process of its own, server-sent events, streamable HTTP.

Rule: each class only says how its streams are opened; everything else is the session's
(`session_server`).
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, Literal, NotRequired, Protocol
from urllib.parse import urlsplit, urlunsplit

from typing_extensions import TypedDict

from agentgraph.mcp.session_server import MCPServerWithSession

__all__ = [
    "HttpClientFactory",
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
]

# Seconds; those of the published SDK.
_HTTP_TIMEOUT = 5.0
_EVENT_TIMEOUT = 300.0


class HttpClientFactory(Protocol):
    """Makes the HTTP client of a connection, which is closed with it."""

    def __call__(
        self,
        headers: dict[str, str] | None = None,
        timeout: Any = None,
        auth: Any = None,
    ) -> Any:
        """Make a client.

        Args:
            headers: Sent with each request.
            timeout: The time limits, as the client's library has them.
            auth: How requests are authorised.
        """


class MCPServerStdioParams(TypedDict):
    """A server that is started as a process and spoken to over its standard streams.

    Attributes:
        command: The program.
        args: Its arguments.
        env: Environment variables on top of the few that are safe to pass on.
        cwd: The folder that it runs in.
        encoding: How text is encoded; UTF-8 when left out.
        encoding_error_handler: What happens with text that is not; `"replace"` when left out. With
            `"strict"`, the `mcp` package reads nothing more of the server after such text, and
            every request waits until its time is over.
    """

    command: str
    args: NotRequired[list[str]]
    env: NotRequired[dict[str, str]]
    cwd: NotRequired[str | Path]
    encoding: NotRequired[str]
    encoding_error_handler: NotRequired[Literal["strict", "ignore", "replace"]]


class MCPServerSseParams(TypedDict):
    """A server that is reached over HTTP with server-sent events.

    Attributes:
        url: Where its events come from.
        headers: Sent with each request.
        timeout: How long an HTTP request may take, in seconds; 5 when left out.
        sse_read_timeout: How long no event may come, in seconds; 300 when left out.
        auth: How requests are authorised.
        httpx_client_factory: Makes the HTTP client.
    """

    url: str
    headers: NotRequired[dict[str, str]]
    timeout: NotRequired[float]
    sse_read_timeout: NotRequired[float]
    auth: NotRequired[Any]
    httpx_client_factory: NotRequired[HttpClientFactory]


class MCPServerStreamableHttpParams(TypedDict):
    """A server that is reached over streamable HTTP.

    Attributes:
        url: Its endpoint.
        headers: Sent with each request.
        timeout: How long an HTTP request may take, in seconds; 5 when left out.
        sse_read_timeout: How long no event may come, in seconds; 300 when left out.
        terminate_on_close: Whether the server is told when the session ends; true when left out.
        httpx_client_factory: Makes the HTTP client.
        auth: How requests are authorised.
    """

    url: str
    headers: NotRequired[dict[str, str]]
    timeout: NotRequired[timedelta | float]
    sse_read_timeout: NotRequired[timedelta | float]
    terminate_on_close: NotRequired[bool]
    httpx_client_factory: NotRequired[HttpClientFactory]
    auth: NotRequired[Any]


class MCPServerStdio(MCPServerWithSession[MCPServerStdioParams]):
    """A server that runs as a process, which is started by `connect` and stopped by `cleanup`.

    Args: `MCPServerWithSession` describes the others.
        params: The process.
    """

    def default_name(self) -> str:
        """Made of the command."""
        return f"stdio: {self.params['command']}"

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Start the process."""
        from mcp.client.stdio import StdioServerParameters, stdio_client

        given: MCPServerStdioParams = {"encoding_error_handler": "replace", **self.params}
        return stdio_client(StdioServerParameters(**given), errlog=_error_stream())


class MCPServerSse(MCPServerWithSession[MCPServerSseParams]):
    """A server over HTTP with server-sent events, the protocol's older way.

    Args: `MCPServerWithSession` describes the others.
        params: Where the server is.
    """

    def default_name(self) -> str:
        """Made of the address."""
        return f"sse: {_public(self.params['url'])}"

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Open the stream of events."""
        from mcp.client.sse import sse_client

        given = self.params
        factory = given.get("httpx_client_factory")
        more: dict[str, Any] = {} if factory is None else {"httpx_client_factory": factory}
        return sse_client(
            given["url"],
            headers=given.get("headers"),
            timeout=given.get("timeout", _HTTP_TIMEOUT),
            sse_read_timeout=given.get("sse_read_timeout", _EVENT_TIMEOUT),
            auth=given.get("auth"),
            **more,
        )


class MCPServerStreamableHttp(MCPServerWithSession[MCPServerStreamableHttpParams]):
    """A server over streamable HTTP.

    Args: `MCPServerWithSession` describes the others.
        params: Where the server is.
    """

    _session_id: str | None = None

    def default_name(self) -> str:
        """Made of the address."""
        return f"streamable_http: {_public(self.params['url'])}"

    @property
    def session_id(self) -> str | None:
        """The id that the server gave to the session, if it gave one and is connected."""
        return None if self.session is None else self._session_id

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Make the HTTP client and the streams on it."""
        return self._streams()

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Any, ...]]:
        from mcp.client.streamable_http import streamable_http_client

        given = self.params
        self._session_id = None
        client = _http_client(given)
        client.event_hooks["response"].append(self._read_session_id)
        async with (
            client,
            streamable_http_client(
                given["url"],
                http_client=client,
                terminate_on_close=given.get("terminate_on_close", True),
            ) as streams,
        ):
            yield streams

    async def _read_session_id(self, response: Any) -> None:
        self._session_id = response.headers.get("mcp-session-id", self._session_id)


def _error_stream() -> Any:
    """Where a process may write what went wrong: a notebook's or a test's `sys.stderr` is no file
    that a process can be given."""
    for stream in (sys.stderr, sys.__stderr__):
        try:
            stream.fileno()  # type: ignore[union-attr]  # None without a console, which is caught
        except (AttributeError, OSError, ValueError):
            continue
        return stream
    return DEVNULL


def _http_client(given: MCPServerStreamableHttpParams) -> Any:
    from mcp.shared._httpx_utils import create_mcp_http_client

    default = create_mcp_http_client(given.get("headers"), auth=given.get("auth"))
    # The library of the client is the `mcp` package's choice; its class of limits is taken from it.
    limits = type(default.timeout)(
        _seconds(given.get("timeout", _HTTP_TIMEOUT)),
        read=_seconds(given.get("sse_read_timeout", _EVENT_TIMEOUT)),
    )
    factory = given.get("httpx_client_factory")
    if factory is not None:
        return factory(headers=given.get("headers"), timeout=limits, auth=given.get("auth"))
    default.timeout = limits
    return default


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _public(url: str) -> str:
    """An address without what may be secret: a password, a token in the query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
