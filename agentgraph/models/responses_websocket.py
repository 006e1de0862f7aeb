"""The Responses API over a web socket that stays open between requests.

The connection is the `openai` client's own. One request at a time is sent on it. A request that may
have arrived is never sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict, cast

from agentgraph.exceptions import UserError, missing_package
from agentgraph.items.run_items import raw_field
from agentgraph.models.gate.responses import LAST

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.responses.responses import AsyncResponsesConnection

__all__ = [
    "Line",
    "OpenAIResponsesWebSocketOptions",
    "ResponseEvents",
    "ResponsesWebSocketError",
    "check_client",
    "plain",
]


class OpenAIResponsesWebSocketOptions(TypedDict):
    """Options of the connection; what is left out is as the `websockets` library has it.

    Attributes:
        ping_interval: Seconds between the pings that keep the connection open; None sends none.
        ping_timeout: Seconds to wait for the answer to a ping; None waits forever.
        max_size: The largest message in bytes; None, the default, sets no limit.
    """

    ping_interval: NotRequired[float | None]
    ping_timeout: NotRequired[float | None]
    max_size: NotRequired[int | None]


class ResponsesWebSocketError(RuntimeError):
    """The server refused a request.

    Attributes:
        payload: The event that says so.
        code: The code of the error, if any.
        status_code: The HTTP status that the error stands for, if any.
        request_id: The provider's id of the request, if any.
    """

    def __init__(self, payload: Mapping[str, Any]) -> None:
        error = payload.get("error") or payload
        self.payload = dict(payload)
        self.code: str | None = raw_field(error, "code")
        self.status_code: int | None = payload.get("status")
        self.request_id: str | None = payload.get("request_id")
        message = raw_field(error, "message") or "without a message"
        super().__init__(f"Responses web socket: {message} ({self.code or self.status_code}).")


class Line:
    """The connection of one event loop, and the lock of the request on it."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self.lock = asyncio.Lock()
        self._client = client
        self._arguments: dict[str, Any] | None = None
        self._connection: AsyncResponsesConnection | None = None

    async def send(
        self, arguments: dict[str, Any], message: dict[str, Any]
    ) -> AsyncResponsesConnection:
        """Send a message on the open connection, or on a new one, and return the connection."""
        event = cast("Any", message)
        if self._connection is not None and self._arguments == arguments:
            try:
                await self._connection.send(event)
            except Exception as error:
                if not _is_closed(error):
                    raise
            else:
                return self._connection
        await self.close()  # The server closed it while it was idle, or it had other headers.
        try:
            connection = await self._client.responses.connect(**arguments).enter()
            self._connection, self._arguments = connection, arguments
            await connection.send(event)
        except Exception as error:
            raise _of_the_client(error) from error
        return connection

    async def close(self) -> None:
        """Close the connection, if one is open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


class ResponseEvents:
    """The events of one response. Leaving them before the last one closes the connection, because
    the rest of them would come in the next response."""

    def __init__(self, line: Line, arguments: dict[str, Any], message: dict[str, Any]) -> None:
        self._line = line
        self._request = arguments, message
        self._connection: AsyncResponsesConnection | None = None
        self._is_over = False

    async def start(self) -> None:
        """Send the request as soon as no other one is on the connection."""
        await self._line.lock.acquire()
        try:
            self._connection = await self._line.send(*self._request)
        except BaseException:
            await self.aclose()
            raise

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._is_over or self._connection is None:
            raise StopAsyncIteration
        try:
            event = await self._connection.recv()
        except Exception as error:
            raise _of_the_client(error) from error
        if event.type == "error":
            self._is_over = True
            raise ResponsesWebSocketError(plain(event))
        self._is_over = event.type in LAST
        return event

    async def aclose(self) -> None:
        """Let the next request go, on a new connection if this response is not over."""
        if not self._line.lock.locked() or self._request is _NO_REQUEST:
            return
        self._request = _NO_REQUEST
        try:
            if not self._is_over:
                await self._line.close()
        finally:
            self._line.lock.release()


_NO_REQUEST: Final[tuple[dict[str, Any], dict[str, Any]]] = ({}, {})


def check_client(client: AsyncOpenAI) -> None:
    """Check that a client can open the web socket.

    Raises:
        UserError: The installed client has none, or the package `websockets` is not installed.
    """
    import openai

    if not hasattr(client.responses, "connect"):
        raise UserError(
            f"openai {openai.__version__} has no web socket for the Responses API; install "
            "openai 3, or call the API over HTTP."
        )
    if find_spec("websockets") is None:
        raise UserError(missing_package("OpenAIResponsesWSModel", "websocket"))


def plain(value: object) -> Any:
    """Return one of the client's objects as a dictionary; anything else as it is."""
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(exclude_unset=True, warnings=False)


def _is_closed(error: Exception) -> bool:
    return any(kind.__name__ == "ConnectionClosed" for kind in type(error).__mro__)


def _of_the_client(error: Exception) -> Exception:
    """Return the client's own exception for a connection that cannot be used."""
    import openai

    if _is_closed(error) or isinstance(error, OSError):
        name = type(error).__name__
        # There is no request of HTTP.
        return openai.APIConnectionError(
            message=f"Connection error ({name}).", request=cast("Any", None)
        )
    return error
