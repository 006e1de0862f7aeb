"""Usage in every vendor's form.

Rule: usage is bookkeeping. A count that is missing, null or no number is zero, and never costs an
answer.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

from agentgraph.items.run_items import raw_field
from agentgraph.usage import Usage
from agentgraph.usage.details import input_details, output_details

if TYPE_CHECKING:
    from openai.types.responses import ResponseUsage

__all__ = ["response_usage", "usage_of"]

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


def response_usage(usage: object) -> ResponseUsage | None:
    """Return a server's usage in the form of the Responses API.

    Args:
        usage: The usage as the server sent it, in the form of either API or a vendor's own.

    Returns:
        The counts; one that the server leaves out is zero, and a total that it leaves out is the
        sum. None if there is no usage.
    """
    if usage is None or isinstance(usage, str | int | float | list):
        return None
    from openai.types.responses import ResponseUsage

    sent, received = _count(_SENT, usage), _count(_RECEIVED, usage)
    details_in, details_out = _field(_SENT_DETAILS, usage), _field(_RECEIVED_DETAILS, usage)
    return ResponseUsage(
        input_tokens=sent,
        input_tokens_details=input_details(
            _count(_CACHED, details_in, usage), _count(_WRITTEN, details_in, usage)
        ),
        output_tokens=received,
        output_tokens_details=output_details(_count(_REASONING, details_out, usage)),
        total_tokens=_count(("total_tokens",), usage) or sent + received,
    )


def usage_of(usage: object) -> Usage:
    """Return the usage of one request.

    Args:
        usage: The usage as the server sent it; None if it sent none.
    """
    if usage is None:
        return Usage(requests=1)
    counts = _sound(usage) or response_usage(usage)
    if counts is None:
        return Usage(requests=1)
    return Usage(
        requests=1,
        input_tokens=counts.input_tokens,
        input_tokens_details=counts.input_tokens_details.model_copy(),
        output_tokens=counts.output_tokens,
        output_tokens_details=counts.output_tokens_details.model_copy(),
        total_tokens=counts.total_tokens,
    )


def _sound(usage: object) -> ResponseUsage | None:
    """The usage itself if it has all the counts of the Responses API, and nothing else."""
    from openai.types.responses import ResponseUsage

    if type(usage) is not ResponseUsage or usage.model_extra:
        return None
    of_input, of_output = usage.input_tokens_details, usage.output_tokens_details
    # The client does not validate what it reads.
    try:
        details = (*vars(of_input).values(), *vars(of_output).values())
        counts = (usage.input_tokens, usage.output_tokens, usage.total_tokens)
        more = of_input.model_extra or of_output.model_extra
    except (AttributeError, TypeError):
        return None
    whole = all(type(count) is int and count >= 0 for count in (*counts, *details))
    return usage if whole and usage.total_tokens and not more else None


def _field(names: tuple[str, ...], owner: object) -> object:
    values = (raw_field(owner, name) for name in names)
    return next((value for value in values if value is not None), None)


def _count(names: tuple[str, ...], *owners: object) -> int:
    """Return the first count with one of the names."""
    for owner in owners:
        for name in names:
            value = raw_field(owner, name)
            if isinstance(value, int | float) and isfinite(value) and value > 0:
                return int(value)
    return 0
