"""What the sessions with a client of another library share: the end of the client.

Rule: `close` closes only a client that the session made.
"""

from __future__ import annotations

from abc import abstractmethod

from agentgraph.memory.loops import in_its_loop
from agentgraph.memory.store import StoreSession

__all__ = ["ClientSession"]


class ClientSession(StoreSession):
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
