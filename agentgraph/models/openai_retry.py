"""Advice on repeating a call after an error of the `openai` client.

The rules are the client's own: repeat the calls that it would repeat itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING

from agentgraph.retry import ModelRetryAdvice, ModelRetryNormalizedError

if TYPE_CHECKING:
    from agentgraph.retry import ModelRetryAdviceRequest

__all__ = ["is_locked", "normalized_error", "retry_advice"]

_CONFLICTS = (408, 409, 429)

# Names of the clients of several vendors, and of the HTTP libraries below them.
_TIMED_OUT = frozenset(("APITimeoutError", "TimeoutException"))
_LOST = frozenset(("APIConnectionError", "TransportError"))


def retry_advice(request: ModelRetryAdviceRequest) -> ModelRetryAdvice | None:
    """Advise whether to repeat a failed call that the `openai` client made.

    Args:
        request: The failed call.

    Returns:
        Advice for errors of the client, None for all others. Repeating is unsafe if the provider
        stores the conversation and may have added to it before the connection was lost.
    """
    import openai

    if not isinstance(request.error, openai.APIError):
        return None
    facts = normalized_error(request.error)
    status = facts.status_code
    lost = facts.is_network_error or facts.is_timeout
    wish = _header(request.error, "x-should-retry")
    suggested = lost or (status is not None and (status in _CONFLICTS or status >= 500))
    if wish in ("true", "false"):
        suggested = wish == "true"
    stateful = request.previous_response_id is not None or request.conversation_id is not None
    return ModelRetryAdvice(
        suggested=suggested,
        retry_after=facts.retry_after,
        replay_safety="unsafe" if lost and stateful else "safe",
        reason=type(request.error).__name__,
        normalized=facts,
    )


def is_locked(error: Exception) -> bool:
    """Whether a request was refused because another one has the stored conversation."""
    return _status(error) == 400 and _code(error) == "conversation_locked"


def normalized_error(error: Exception) -> ModelRetryNormalizedError:
    """Extract the facts of a failed call from its exception.

    Args:
        error: Any exception of a model call.

    Returns:
        The facts that the exception carries; the others are None or False.
    """
    causes = [*_causes(error)]
    kinds = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    timed_out = isinstance(error, TimeoutError) or not _TIMED_OUT.isdisjoint(kinds)
    lost = isinstance(error, ConnectionError) or not _LOST.isdisjoint(kinds)
    return ModelRetryNormalizedError(
        status_code=next(filter(None, map(_status, causes)), None),
        error_code=_code(error),
        message=getattr(error, "message", None),
        request_id=getattr(error, "request_id", None),
        retry_after=_retry_after(error),
        is_abort=isinstance(error, asyncio.CancelledError),
        is_network_error=lost and not timed_out,
        is_timeout=timed_out,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it wraps."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while isinstance(cause, BaseException) and all(cause is not one for one in seen):
        seen.append(cause)
        yield cause
        cause = getattr(cause, "original_exception", None) or cause.__cause__


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _header(error: object, name: str) -> str | None:
    response = getattr(error, "response", None)
    value = None if response is None else response.headers.get(name)
    return value if isinstance(value, str) else None


def _retry_after(error: Exception) -> float | None:
    """Return the seconds that the provider asks to wait, in seconds or until a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = _header(error, name)
        try:
            seconds = float(value) / unit if value is not None else None
        except ValueError:
            seconds = _seconds_until(value) if name == "retry-after" else None
        if seconds is not None and isfinite(seconds) and seconds >= 0:
            return seconds
    return None


def _seconds_until(date: str | None) -> float | None:
    """Return the seconds until an HTTP date; zero if it is over, None if it is no date."""
    try:
        return max(parsedate_to_datetime(date or "").timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return None


def _code(error: Exception) -> str | None:
    """Return the provider's code of an error, which some servers nest in the body."""
    body = getattr(error, "body", None)
    nested = body.get("error") if isinstance(body, Mapping) else None
    owners = (nested, body)
    codes = [owner.get("code") for owner in owners if isinstance(owner, Mapping)]
    codes.insert(0, getattr(error, "code", None))
    return next((str(code) for code in codes if isinstance(code, str | int)), None)
