"""Sessions whose connections belong to an event loop: a second loop cannot use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentgraph.memory.errors import SessionClosedError, SessionError

__all__ = ["in_its_loop"]


@contextmanager
def in_its_loop(label: str) -> Iterator[None]:
    """Say what to do where connections are made or used and their event loop does not run.

    Args:
        label: How to name the session in the message.

    Raises:
        SessionError: It does not; what drivers say then names neither the session nor a way out.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, SessionClosedError) or "loop" not in str(error):
            raise
        raise SessionError(
            f"{label}: its connections belong to one event loop, which does not run here; make the "
            "session, use it and close it in one loop, such as inside the one coroutine that "
            "asyncio.run() is given"
        ) from error
