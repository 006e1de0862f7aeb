"""Sessions whose connections belong to an event loop: a second loop cannot use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentgraph.memory.errors import SessionClosedError, SessionError

__all__ = ["in_its_loop"]


@contextmanager
def in_its_loop(label: str) -> Iterator[None]:
    """Turn a driver's error about the wrong event loop into one that says what to do.

    Args:
        label: The name of the session in messages.

    Raises:
        SessionError: The connections belong to an event loop that does not run here. Its cause is
            the driver's error, which names neither the session nor a remedy.
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
