"""The requests and tokens that a run spends, in total and request by request.

Counts only grow: `Usage.add` adds the usage of one response to an accumulator. A run, its handoffs
and the agents that it uses as tools share one accumulator. The two detail objects are of the
`openai` client's own types and are created at the first read (`details`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.usage.details import (
    INPUT_COUNTS,
    OUTPUT_COUNTS,
    Details,
    copied_details,
    count_of,
    detail_types,
    input_details,
    output_details,
    stored_details,
)

if TYPE_CHECKING:
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

__all__ = [
    "RequestUsage",
    "Usage",
    "deserialize_usage",
    "model_usage_to_span_usage",
    "serialize_usage",
    "task_usage_to_span_data",
    "total_usage_to_span_metadata",
    "turn_usage_to_span_data",
]

_DETAILS: Final = {
    name: f"openai.types.responses.response_usage:{name}"
    for name in ("InputTokensDetails", "OutputTokensDetails")
}


@names_types(**_DETAILS)
@dataclass
class RequestUsage:
    """The usage of one request to a model.

    Attributes:
        input_tokens: Tokens sent.
        output_tokens: Tokens received.
        total_tokens: The sum of both, as the provider counts it.
        input_tokens_details: How many sent tokens were read from a cache or written to one.
        output_tokens_details: How many received tokens were reasoning.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens_details: OutputTokensDetails


def _own(usage: RequestUsage | Usage) -> RequestUsage:
    """Copy a usage into an entry that shares nothing with it.

    Every turn creates an entry and few programs read one, so the entry creates its details at the
    first read.
    """
    details_in, details_out = map(copied_details, stored_details(usage))
    entry = object.__new__(RequestUsage)
    entry.__dict__ = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "input_tokens_details": details_in,
        "output_tokens_details": details_out,
    }
    return entry


def _when_read() -> Any:
    """Return the placeholder for details whose counts are zero; the first read replaces it."""
    return None


@names_types(**_DETAILS)
@dataclass
class Usage:
    """The usage of one response or of a whole run.

    Details are always in the form of the Responses API: those in the form of the Chat Completions
    API are converted, and a count that the provider leaves out is zero.

    Attributes:
        requests: Requests sent to a model.
        input_tokens: Tokens sent.
        input_tokens_details: How many sent tokens were read from a cache or written to one.
        output_tokens: Tokens received.
        output_tokens_details: How many received tokens were reasoning.
        total_tokens: The sum of both, as the provider counts it.
        request_usage_entries: One entry for each request that reported tokens, oldest first.
    """

    requests: int = 0
    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = field(default_factory=_when_read)
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = field(default_factory=_when_read)
    total_tokens: int = 0
    request_usage_entries: list[RequestUsage] = field(default_factory=list)

    def __post_init__(self) -> None:
        attributes = vars(self)
        no_input = attributes.get("input_tokens_details") is None
        if no_input and attributes.get("output_tokens_details") is None:
            return  # every run makes such accounts
        details, details_out = stored_details(self)
        if details is not None:
            if not isinstance(details, detail_types()[0]):
                counts = (count_of(details, name) for name in INPUT_COUNTS)
                self.input_tokens_details = input_details(*counts)
            elif getattr(details, "cached_tokens", None) is None:
                writes = count_of(details, "cache_write_tokens")
                self.input_tokens_details = input_details(0, writes)
        if details_out is not None and (
            not isinstance(details_out, detail_types()[1])
            or getattr(details_out, "reasoning_tokens", None) is None
        ):
            self.output_tokens_details = output_details(count_of(details_out, "reasoning_tokens"))

    def add(self, other: Usage) -> None:
        """Add another usage to this one, in place.

        If `other` has entries, copies of them are appended to `request_usage_entries`. If it has
        none and is a single request that reported tokens, one entry is appended for it.

        Args:
            other: The usage of one response or of a nested run; it stays unchanged.
        """
        self.requests += other.requests or 0
        self.input_tokens += other.input_tokens or 0
        self.output_tokens += other.output_tokens or 0
        self.total_tokens += other.total_tokens or 0

        details, details_out = stored_details(other)
        if details is not None:
            cached = count_of(details, "cached_tokens")
            writes = count_of(details, "cache_write_tokens")
            if cached or writes:
                own = self.input_tokens_details
                self.input_tokens_details = input_details(
                    count_of(own, "cached_tokens") + cached,
                    count_of(own, "cache_write_tokens") + writes,
                )
        reasoning = 0 if details_out is None else count_of(details_out, "reasoning_tokens")
        if reasoning:
            reasoning += count_of(self.output_tokens_details, "reasoning_tokens")
            self.output_tokens_details = output_details(reasoning)

        # Entries are copied, so that a change in one account never shows in another.
        if other.request_usage_entries:
            self.request_usage_entries += [_own(entry) for entry in other.request_usage_entries]
        elif other.requests == 1 and other.total_tokens:
            self.request_usage_entries.append(_own(other))


for _kind in (RequestUsage, Usage):
    for _name, _details in (
        ("input_tokens_details", Details(input_details)),
        ("output_tokens_details", Details(output_details)),
    ):
        _details.__set_name__(_kind, _name)
        setattr(_kind, _name, _details)


def serialize_usage(usage: Usage) -> dict[str, Any]:
    """Convert a usage into plain JSON values that `deserialize_usage` reads back.

    The details of the totals stand in a list of one element, as the published SDK stores them.

    Args:
        usage: The usage.

    Returns:
        A new dictionary of numbers, strings, lists and dictionaries.
    """
    details, details_out = _written_details(usage)
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "input_tokens_details": [details],
        "output_tokens": usage.output_tokens,
        "output_tokens_details": [details_out],
        "total_tokens": usage.total_tokens,
        "request_usage_entries": [_written_entry(one) for one in usage.request_usage_entries],
    }


def _written_entry(entry: RequestUsage) -> dict[str, Any]:
    details, details_out = _written_details(entry)
    return {
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "total_tokens": entry.total_tokens,
        "input_tokens_details": details,
        "output_tokens_details": details_out,
    }


def _written_details(usage: Usage | RequestUsage) -> tuple[dict[str, Any], dict[str, Any]]:
    """The details as JSON values; those that no reader has asked for stay uncreated."""
    zeros, zeros_out = _zeros()
    stored, stored_out = stored_details(usage)
    return (
        zeros.copy() if stored is None else usage.input_tokens_details.model_dump(),
        zeros_out.copy() if stored_out is None else usage.output_tokens_details.model_dump(),
    )


@cache
def _zeros() -> tuple[dict[str, Any], dict[str, Any]]:
    """The stored form of details whose counts are zero."""
    return input_details().model_dump(), output_details().model_dump()


def deserialize_usage(usage_data: Mapping[str, Any]) -> Usage:
    """Read the result of `serialize_usage`; a missing count is zero.

    Args:
        usage_data: The stored form, written by this package or by the published SDK.

    Returns:
        A new usage.
    """
    return Usage(
        requests=usage_data.get("requests") or 0,
        input_tokens=usage_data.get("input_tokens") or 0,
        input_tokens_details=_read_input_details(usage_data.get("input_tokens_details")),
        output_tokens=usage_data.get("output_tokens") or 0,
        output_tokens_details=_read_output_details(usage_data.get("output_tokens_details")),
        total_tokens=usage_data.get("total_tokens") or 0,
        request_usage_entries=[
            RequestUsage(
                input_tokens=entry.get("input_tokens") or 0,
                output_tokens=entry.get("output_tokens") or 0,
                total_tokens=entry.get("total_tokens") or 0,
                input_tokens_details=_read_input_details(entry.get("input_tokens_details")),
                output_tokens_details=_read_output_details(entry.get("output_tokens_details")),
            )
            for entry in usage_data.get("request_usage_entries") or ()
        ],
    )


def _read_input_details(stored: object) -> Any:
    counts = _unwrap(stored)
    if not counts or counts == _zeros()[0]:
        return None  # the first read creates them
    return detail_types()[0](**{**dict.fromkeys(INPUT_COUNTS, 0), **counts})


def _read_output_details(stored: object) -> Any:
    counts = _unwrap(stored)
    if not counts or counts == _zeros()[1]:
        return None
    return detail_types()[1](**{**dict.fromkeys(OUTPUT_COUNTS, 0), **counts})


def _unwrap(stored: object) -> Mapping[str, Any]:
    match stored:
        case [Mapping() as details, *_]:
            return details
        case Mapping():
            return stored
        case _:
            return {}


def model_usage_to_span_usage(usage: Usage) -> dict[str, Any]:
    """Describe a usage for the span of one model call, details included."""
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "input_tokens_details": usage.input_tokens_details.model_dump(),
        "output_tokens_details": usage.output_tokens_details.model_dump(),
    }


def turn_usage_to_span_data(usage: Usage) -> dict[str, int]:
    """Describe a usage for the span of one turn, as flat numbers."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": count_of(usage.input_tokens_details, "cached_tokens"),
        "cache_write_input_tokens": count_of(usage.input_tokens_details, "cache_write_tokens"),
    }


def task_usage_to_span_data(usage: Usage) -> dict[str, int]:
    """Describe a usage for the span of one run, as flat numbers."""
    return {
        **turn_usage_to_span_data(usage),
        "requests": usage.requests,
        "total_tokens": usage.total_tokens,
    }


def total_usage_to_span_metadata(usage: Usage) -> dict[str, int]:
    """Describe the total of a trace, as flat numbers."""
    return task_usage_to_span_data(usage)
