"""The three transports of a server: a process of its own, server-sent events, streamable HTTP.

Rule: each class only opens its streams; `session_server` does everything else.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
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

# In seconds; the published SDK's values.
_HTTP_TIMEOUT = 5.0
_EVENT_TIMEOUT = 300.0


class HttpClientFactory(Protocol):
    """Makes the HTTP client of a connection. The client closes with the connection."""

    def __call__(
        self,
        headers: dict[str, str] | None = None,
        timeout: Any = None,
        auth: Any = None,
    ) -> Any:
        """Make a client.

        Args:
            headers: Headers of each request.
            timeout: The time limits, in the form of the client's library.
            auth: How to authorise requests.
        """


class _Response(Protocol):
    """A response of whichever HTTP library the `mcp` package uses."""

    @property
    def headers(self) -> Mapping[str, str]: ...


class MCPServerStdioParams(TypedDict):
    """A server that runs as a process and communicates over its standard streams.

    Attributes:
        command: The program.
        args: Its arguments.
        env: Environment variables, in addition to the few that are safe to pass on.
        cwd: The folder in which it runs.
        encoding: The encoding of text; the default is UTF-8.
        encoding_error_handler: What to do with text that is not in this encoding; the default is
            `"replace"`. With `"strict"`, the `mcp` package stops reading from the server at such
            text, and every later request waits until it times out.
    """

    command: str
    args: NotRequired[list[str]]
    env: NotRequired[dict[str, str]]
    cwd: NotRequired[str | Path]
    encoding: NotRequired[str]
    encoding_error_handler: NotRequired[Literal["strict", "ignore", "replace"]]


class MCPServerSseParams(TypedDict):
    """A server on HTTP with server-sent events.

    Attributes:
        url: The address of its event stream.
        headers: Headers of each request.
        timeout: How long an HTTP request may take, in seconds; the default is 5.
        sse_read_timeout: The longest time without an event, in seconds; the default is 300.
        auth: How to authorise requests.
        httpx_client_factory: Makes the HTTP client.
    """

    url: str
    headers: NotRequired[dict[str, str]]
    timeout: NotRequired[float]
    sse_read_timeout: NotRequired[float]
    auth: NotRequired[Any]
    httpx_client_factory: NotRequired[HttpClientFactory]


class MCPServerStreamableHttpParams(TypedDict):
    """A server on streamable HTTP.

    Attributes:
        url: Its endpoint.
        headers: Headers of each request.
        timeout: How long an HTTP request may take, in seconds; the default is 5.
        sse_read_timeout: The longest time without an event, in seconds; the default is 300.
        terminate_on_close: Whether to tell the server that the session ends; the default is true.
        httpx_client_factory: Makes the HTTP client.
        auth: How to authorise requests.
    """

    url: str
    headers: NotRequired[dict[str, str]]
    timeout: NotRequired[timedelta | float]
    sse_read_timeout: NotRequired[timedelta | float]
    terminate_on_close: NotRequired[bool]
    httpx_client_factory: NotRequired[HttpClientFactory]
    auth: NotRequired[Any]


class MCPServerStdio(MCPServerWithSession[MCPServerStdioParams]):
    """A server that runs as a process: `connect` starts it and `cleanup` stops it.

    Args: `MCPServerWithSession` describes the others.
        params: The process.
    """

    def default_name(self) -> str:
        """Return a name that contains the command."""
        return f"stdio: {self.params['command']}"

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Start the process."""
        from mcp.client.stdio import StdioServerParameters, stdio_client

        params: MCPServerStdioParams = {"encoding_error_handler": "replace", **self.params}
        return stdio_client(StdioServerParameters(**params), errlog=_error_stream())


class MCPServerSse(MCPServerWithSession[MCPServerSseParams]):
    """A server on HTTP with server-sent events, the protocol's older transport.

    Args: `MCPServerWithSession` describes the others.
        params: Where the server is.
    """

    def default_name(self) -> str:
        """Return a name that contains the address."""
        return f"sse: {_public(self.params['url'])}"

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Open the stream of events."""
        from mcp.client.sse import sse_client

        params = self.params
        factory = params.get("httpx_client_factory")
        more: dict[str, Any] = {} if factory is None else {"httpx_client_factory": factory}
        return sse_client(
            params["url"],
            headers=params.get("headers"),
            timeout=params.get("timeout", _HTTP_TIMEOUT),
            sse_read_timeout=params.get("sse_read_timeout", _EVENT_TIMEOUT),
            auth=params.get("auth"),
            **more,
        )


class MCPServerStreamableHttp(MCPServerWithSession[MCPServerStreamableHttpParams]):
    """A server on streamable HTTP.

    Args: `MCPServerWithSession` describes the others.
        params: Where the server is.
    """

    _session_id: str | None = None

    def default_name(self) -> str:
        """Return a name that contains the address."""
        return f"streamable_http: {_public(self.params['url'])}"

    @property
    def session_id(self) -> str | None:
        """The id that the server gave to the session; `None` without one or while not connected."""
        return None if self.session is None else self._session_id

    def create_streams(self) -> AbstractAsyncContextManager[tuple[Any, ...]]:
        """Make the HTTP client and open its streams."""
        return self._streams()

    @asynccontextmanager
    async def _streams(self) -> AsyncIterator[tuple[Any, ...]]:
        from mcp.client.streamable_http import streamable_http_client

        params = self.params
        self._session_id = None
        client = _http_client(params)
        client.event_hooks["response"].append(self._read_session_id)
        async with (
            client,
            streamable_http_client(
                params["url"],
                http_client=client,
                terminate_on_close=params.get("terminate_on_close", True),
            ) as streams,
        ):
            yield streams

    async def _read_session_id(self, response: _Response) -> None:
        self._session_id = response.headers.get("mcp-session-id", self._session_id)


def _error_stream() -> Any:
    """Return a file for the standard error of a process. A notebook or a test may replace
    `sys.stderr` by an object that is not a file and that no process can write to."""
    for stream in (sys.stderr, sys.__stderr__):
        try:
            stream.fileno()  # type: ignore[union-attr]  # without a console it is None: caught
        except (AttributeError, OSError, ValueError):
            continue
        return stream
    return DEVNULL


def _http_client(params: MCPServerStreamableHttpParams) -> Any:
    from mcp.shared._httpx_utils import create_mcp_http_client

    default = create_mcp_http_client(params.get("headers"), auth=params.get("auth"))
    # The `mcp` package chooses the client's library; take the class of the limits from its client.
    limits = type(default.timeout)(
        _seconds(params.get("timeout", _HTTP_TIMEOUT)),
        read=_seconds(params.get("sse_read_timeout", _EVENT_TIMEOUT)),
    )
    factory = params.get("httpx_client_factory")
    if factory is not None:
        return factory(headers=params.get("headers"), timeout=limits, auth=params.get("auth"))
    default.timeout = limits
    return default


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _public(url: str) -> str:
    """Return an address without its possibly secret parts: user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
