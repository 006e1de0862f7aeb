"""One connection to a server, and the task that owns it.

Rule: one task, the owner, opens and closes everything of a connection (a process, a socket, the
tasks that read them), because the task that enters a cancel scope of the `mcp` package must also
leave it. All other tasks ask the owner to close. To close twice, from another task, or before the
connection is open makes no difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.exceptions import UserError
from agentgraph.logger import log_tool_action_debug, logger
from agentgraph.mcp.call import first_of, reason_of

if TYPE_CHECKING:
    from mcp import ClientSession

__all__ = ["Connection", "SessionFactory", "StreamsFactory"]

StreamsFactory: TypeAlias = Callable[[], AbstractAsyncContextManager[tuple[Any, ...]]]
"""Opens the two streams of messages: one to read, one to write."""

SessionFactory: TypeAlias = Callable[[Any, Any], "ClientSession"]
"""Makes a session from a stream to read and a stream to write."""


class Connection:
    """A connection that is opened once and closed once.

    Args:
        server: The server's name, for messages.
        open_streams: Opens the streams.
        make_session: Makes the session on the streams.
        limit: How long opening the streams may take, in seconds; `None` or 0 for no limit. The
            session has its own limit for the answer to the first message.
    """

    def __init__(
        self,
        server: str,
        open_streams: StreamsFactory,
        make_session: SessionFactory,
        limit: float | None,
    ) -> None:
        self._server = server
        self._open_streams = open_streams
        self._make_session = make_session
        self._limit = limit or None
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[ClientSession] = self._loop.create_future()
        self._close_asked = asyncio.Event()
        self._unwinding = False
        self._lost = False
        self._failure: Exception | None = None
        self._owner = self._loop.create_task(self._own(), name=f"MCP server {server}")
        self._owner.add_done_callback(self._ended)

    async def failure(self) -> Exception | None:
        """Return why the connection broke by itself.

        It is `None` if it did not break, or for an unknown reason. If the connection is closing,
        wait until it is closed, because only then the reason is known.
        """
        if self.is_over:
            await asyncio.wait({self._owner})
        return self._failure

    @property
    def is_lost(self) -> bool:
        """Whether a new connection should replace this one."""
        return self.is_over or self._lost

    def lose(self) -> None:
        """Note that a request got no answer because the connection or the session is gone."""
        self._lost = True

    @property
    def is_over(self) -> bool:
        """Whether the connection is closed or closing, so that it sends nothing more."""
        return self._owner.done() or self._unwinding or self._close_asked.is_set()

    @property
    def current(self) -> ClientSession | None:
        """The session, while the connection is open."""
        if self.is_over or not self._opened.done() or self._opened.exception() is not None:
            return None
        return self._opened.result()

    async def session(self) -> ClientSession:
        """Wait until the connection is open.

        Raises:
            UserError: The connection could not be opened (the reason is the cause), or belongs to
                another event loop.
            asyncio.CancelledError: The caller was cancelled. The connection goes on opening.
        """
        if asyncio.get_running_loop() is not self._loop:
            raise UserError(
                f"MCP server {self._server!r} was connected in another event loop. Connect and use "
                "it in the same loop: within one asyncio.run, or on the loop that run_sync uses."
            )
        if not self._opened.done():
            await asyncio.wait({self._opened})
        return self._opened.result()

    async def close(self) -> None:
        """Close the connection and wait until it is closed.

        If the caller is cancelled meanwhile, the connection goes on closing.
        """
        if self._loop.is_closed():
            # The loop cancelled the connection's tasks when it ended.
            return
        if asyncio.get_running_loop() is not self._loop:
            if self._loop.is_running():
                await asyncio.wrap_future(
                    asyncio.run_coroutine_threadsafe(self.close(), self._loop)
                )
                return
            raise UserError(
                f"MCP server {self._server!r} was connected in another event loop, which is not "
                "running. Call cleanup() in the loop in which it was connected."
            )
        # Do not cancel an owner that is closing already: a process may still be shutting down.
        if not (self._opened.done() or self.is_over):
            self._owner.cancel()
        self._close_asked.set()
        await asyncio.wait({self._owner})

    async def explain(self, error: Exception) -> None:
        """Raise an error that adds why the connection broke, if `error` is the protocol's and the
        reason is known; else return."""
        from mcp import MCPError

        if isinstance(error, MCPError):
            failure = await self.failure()
            if failure is not None:
                message = f"{error.message}: {reason_of(failure)}"
                raise MCPError(error.code, message, error.data) from first_of(failure)

    async def _own(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                session = await self._open(stack)
                self._opened.set_result(session)
                await self._close_asked.wait()
        except asyncio.CancelledError:
            self._fail(None)
            if not self._close_asked.is_set():
                raise
        except Exception as error:  # noqa: BLE001 - reported to the callers that wait for `session`
            self._fail(error)

    async def _open(self, stack: AsyncExitStack) -> ClientSession:
        async with asyncio.timeout(self._limit):
            streams = await stack.enter_async_context(self._open_streams())
            session = await stack.enter_async_context(self._make_session(*streams[:2]))
        stack.callback(self._unwind)
        await session.initialize()
        return session

    def _unwind(self) -> None:
        self._unwinding = True

    def _ended(self, owner: asyncio.Task[None]) -> None:
        # An owner that was cancelled before its first step reports nothing itself. Without this,
        # callers of `session` would wait for ever.
        if not self._opened.done():
            self._fail(None)

    def _fail(self, error: Exception | None) -> None:
        if self._opened.done():
            if not self._close_asked.is_set():
                self._failure = error
            if error is not None:
                log_tool_action_debug(logger, f"MCP server {self._server!r} disconnected", error)
            return
        reason = "it was closed while it was opening" if error is None else reason_of(error)
        if isinstance(error, TimeoutError):
            reason = f"no connection within {self._limit:g} seconds" if self._limit else reason
        failure = UserError(f"Failed to connect to MCP server {self._server!r}: {reason}")
        failure.__cause__ = None if error is None else first_of(error)
        self._opened.set_exception(failure)
        # There may be no caller left to retrieve the exception. This marks it as retrieved, so that
        # the future does not log a complaint.
        self._opened.exception()
