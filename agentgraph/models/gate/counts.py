"""Usage in every vendor's form.

Rule: usage is bookkeeping. A count that is missing, null or no number is zero, and never costs an
answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from agentgraph.items.run_items import raw_field
from agentgraph.usage import Usage
from agentgraph.usage.details import input_details, output_details

if TYPE_CHECKING:
    from openai.types.responses import ResponseUsage

__all__ = ["raw_usage", "response_usage", "usage_of"]

_SENT: Final = ("input_tokens", "prompt_tokens")
_RECEIVED: Final = ("output_tokens", "completion_tokens")
_SENT_DETAILS: Final = ("input_tokens_details", "prompt_tokens_details")
_RECEIVED_DETAILS: Final = ("output_tokens_details", "completion_tokens_details")
_CACHED: Final = (
    "cached_tokens",
    "cache_read_input_tokens",  # Anthropic
    "prompt_cache_hit_tokens",  # DeepSeek
)
_WRITTEN: Final = ("cache_write_tokens", "cache_creation_input_tokens")
_REASONING: Final = ("reasoning_tokens",)
_TOTAL: Final = ("total_tokens",)

_Reader: TypeAlias = Callable[[str], object]


def response_usage(usage: object) -> ResponseUsage | None:
    """Return a server's usage in the form of the Responses API.

    Args:
        usage: The usage as the server sent it, in the form of either API or a vendor's own.

    Returns:
        The counts; one that the server leaves out is zero, and a total that it leaves out is the
        sum. None if there is no usage.
    """
    counts = _counts(usage)
    if counts is None:
        return None
    from openai.types.responses import ResponseUsage

    return ResponseUsage(
        input_tokens=counts.sent,
        input_tokens_details=input_details(counts.cached, counts.written),
        output_tokens=counts.received,
        output_tokens_details=output_details(counts.reasoning),
        total_tokens=counts.total,
    )


def usage_of(usage: object) -> Usage:
    """Return the usage of one request.

    Args:
        usage: The usage as the server sent it; None if it sent none.
    """
    counts = _counts(usage)
    if counts is None:
        return Usage(requests=1)
    account = Usage(
        requests=1,
        input_tokens=counts.sent,
        output_tokens=counts.received,
        total_tokens=counts.total,
    )
    if counts.cached or counts.written:
        account.input_tokens_details = input_details(counts.cached, counts.written)
    if counts.reasoning:
        account.output_tokens_details = output_details(counts.reasoning)
    return account


def raw_usage(usage: object) -> dict[str, Any] | None:
    """Return the usage as the server sent it (`ModelResponse.raw_usage`); None if it sent none, or
    something that has no fields."""
    if isinstance(usage, dict):
        return usage
    dump = getattr(usage, "model_dump", None)
    return None if dump is None else dump(exclude_unset=True, warnings=False)


class _Counts(NamedTuple):
    """The counts of a usage; one that the server leaves out is zero."""

    sent: int
    cached: int
    written: int
    received: int
    reasoning: int
    total: int


def _counts(usage: object) -> _Counts | None:
    if usage is None or isinstance(usage, str | int | float | list):
        return None
    field = _reader(usage)
    of_input, of_output = _details(_SENT_DETAILS, field), _details(_RECEIVED_DETAILS, field)
    sent, received = _count(_SENT, field), _count(_RECEIVED, field)
    return _Counts(
        sent=sent,
        cached=_count(_CACHED, of_input, field),
        written=_count(_WRITTEN, of_input, field),
        received=received,
        reasoning=_count(_REASONING, of_output, field),
        total=_count(_TOTAL, field) or sent + received,
    )


def _reader(owner: object) -> _Reader:
    """Return a function that reads a field; a field that does not exist is None."""
    if isinstance(owner, dict):
        return owner.get
    if hasattr(owner, "model_fields_set"):  # Its own `__getattr__` is slow for a missing field.
        return {**vars(owner), **(getattr(owner, "model_extra", None) or {})}.get
    return partial(raw_field, owner)


def _details(names: tuple[str, ...], field: _Reader) -> _Reader:
    for name in names:
        if (value := field(name)) is not None:
            return _reader(value)
    return _no_field


def _no_field(name: str) -> None:
    return None


def _count(names: tuple[str, ...], *fields: _Reader) -> int:
    """Return the first count with one of the names."""
    for field in fields:
        for name in names:
            value = field(name)
            if value and isinstance(value, int | float) and isfinite(value) and value > 0:
                return int(value)
    return 0
