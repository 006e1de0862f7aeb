"""What the sessions with a client of another library share: a name in messages, and their end.

Rule: a closed session refuses every use, and `close` closes only a client that the session made.
"""

from __future__ import annotations

from abc import abstractmethod

from agentgraph.memory.errors import SessionClosedError
from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.session import SessionABC

__all__ = ["ClientSession", "ClosableSession"]


class ClosableSession(SessionABC):
    """A session that cannot be used after it was closed."""

    _closed = False

    @property
    def _label(self) -> str:
        """The session's name in messages."""
        return f"{type(self).__name__} {self.session_id!r}"

    def _check_open(self) -> None:
        """Refuse the use of a closed session.

        Raises:
            SessionClosedError: The session is closed.
        """
        if self._closed:
            raise SessionClosedError(f"{self._label} is closed; make a new session object")


class ClientSession(ClosableSession):
    """A session with a client that the caller closes, unless the session made it."""

    _owns_client = False

    async def close(self) -> None:
        """Close the client if the session made it; closing again does nothing."""
        if not self._closed:
            self._closed = True
            if self._owns_client:
                with in_its_loop(self._label):
                    await self._close_client()

    @abstractmethod
    async def _close_client(self) -> None:
        """Close the client."""
