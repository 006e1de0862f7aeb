"""When to repeat a request to a server.

Rule: repeat a request only after a failure that may be temporary: the connection broke, no answer
came, or the server had an internal error. A request that the server refused would be refused again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentgraph.authoring.amounts import check_count, check_seconds

__all__ = ["Retries", "breaks_connection"]

# JSON-RPC 2.0, section 5.1, and the codes that the `mcp` package adds to it.
_INVALID_REQUEST: Final = -32600
_REFUSALS: Final = frozenset({-32700, _INVALID_REQUEST, -32601, -32602})
_CONNECTION_CLOSED: Final = -32000


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when to repeat a request.

    Args:
        attempts: The largest number of retries; -1 for no limit.
        base: The pause before the first retry, in seconds; each further pause is twice as long.
        longest: The longest pause, in seconds; `None` for no limit.

    Raises:
        UserError: A number is out of its range.
        AgentDefinitionError: A value is not a number.
    """

    attempts: int
    base: float
    longest: float | None

    def __post_init__(self) -> None:
        allowed = "a whole number, 0 or more, or -1 for no limit"
        check_count("max_retry_attempts", self.attempts, allowed, least=-1)
        check_seconds("retry_backoff_seconds_base", self.base, zero=True, optional=False)
        check_seconds("retry_backoff_seconds_max", self.longest, zero=True)

    def another(self, attempt: int, error: Exception, *, lost: bool) -> bool:
        """Whether to repeat a request.

        Args:
            attempt: The number of retries so far.
            error: The latest failure.
            lost: Whether the connection is unusable.
        """
        if 0 <= self.attempts <= attempt:
            return False
        code = _code(error)
        return lost or isinstance(error, OSError) or (code is not None and code not in _REFUSALS)

    def pause(self, attempt: int) -> float:
        """Return how long to wait before the next retry, in seconds.

        Args:
            attempt: The number of retries so far.
        """
        # Without the bound the power overflows a float.
        pause: float = self.base * 2 ** min(attempt, 64)
        return pause if self.longest is None else min(pause, self.longest)


def breaks_connection(error: Exception) -> bool:
    """Whether an error means that the connection, or the session on it, is gone.

    Args:
        error: The failure of a request.
    """
    code = _code(error)
    # Streamable HTTP, "Session Management": a server that ended the session answers 404, which the
    # `mcp` package turns into this message.
    session_ended = code == _INVALID_REQUEST and str(error) == "Session terminated"
    return code == _CONNECTION_CLOSED or session_ended


def _code(error: Exception) -> int | None:
    """Return the code of an `mcp.MCPError`; `None` for any other error."""
    code = getattr(getattr(error, "error", None), "code", None)
    return code if isinstance(code, int) else None
