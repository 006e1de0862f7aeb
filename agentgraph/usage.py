"""How many requests and tokens a run has spent, in total and request by request.

Counts only ever grow: `Usage.add` folds one response into an accumulator, and the accumulator of a
run is shared by its handoffs and by agents used as tools. The two detail objects are the `openai`
client's own, imported when the first `Usage` is made, so that this module costs nothing to import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from agentgraph.pydantic_fields import names_types

if TYPE_CHECKING:
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

__all__ = [
    "RequestUsage",
    "RunUsage",
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
_INPUT_COUNTS: Final = ("cached_tokens", "cache_write_tokens")
_OUTPUT_COUNTS: Final = ("reasoning_tokens",)


@cache
def _detail_types() -> tuple[type[InputTokensDetails], type[OutputTokensDetails]]:
    from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

    return InputTokensDetails, OutputTokensDetails


def _input_details(cached_tokens: int = 0, cache_write_tokens: int = 0) -> InputTokensDetails:
    # Clients before 2.20 know no cache_write_tokens; they keep it as an extra field.
    return _detail_types()[0](cached_tokens=cached_tokens, cache_write_tokens=cache_write_tokens)


def _output_details(reasoning_tokens: int = 0) -> OutputTokensDetails:
    return _detail_types()[1](reasoning_tokens=reasoning_tokens)


def _count(details: object, name: str) -> int:
    """Read one count of a detail object of whatever client, counting what is missing as zero."""
    found = getattr(details, name, None)
    if found is None and isinstance(details, Mapping):
        found = details.get(name)
    return found if isinstance(found, int) else 0


@names_types(**_DETAILS)
@dataclass
class RequestUsage:
    """What one request to a model has spent.

    Attributes:
        input_tokens: Tokens sent.
        output_tokens: Tokens received.
        total_tokens: Both together, as the provider counts them.
        input_tokens_details: How many of the tokens sent came from a cache or went into one.
        output_tokens_details: How many of the tokens received were reasoning.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens_details: OutputTokensDetails


@names_types(**_DETAILS)
@dataclass
class Usage:
    """What a response, or a whole run, has spent.

    Details that a provider leaves out, or gives in the form of the Chat Completions API, are turned
    into those of the Responses API with the missing counts at zero.

    Attributes:
        requests: Requests sent to a model.
        input_tokens: Tokens sent.
        input_tokens_details: How many of the tokens sent came from a cache or went into one.
        output_tokens: Tokens received.
        output_tokens_details: How many of the tokens received were reasoning.
        total_tokens: Both together, as the provider counts them.
        request_usage_entries: One entry a request that reported tokens, oldest first.
    """

    requests: int = 0
    input_tokens: int = 0
    input_tokens_details: InputTokensDetails = field(default_factory=_input_details)
    output_tokens: int = 0
    output_tokens_details: OutputTokensDetails = field(default_factory=_output_details)
    total_tokens: int = 0
    request_usage_entries: list[RequestUsage] = field(default_factory=list)

    def __post_init__(self) -> None:
        input_type, output_type = _detail_types()
        found: object = self.input_tokens_details
        if not isinstance(found, input_type):
            self.input_tokens_details = _input_details(*(_count(found, n) for n in _INPUT_COUNTS))
        elif getattr(found, "cached_tokens", None) is None:
            self.input_tokens_details = _input_details(0, _count(found, "cache_write_tokens"))
        found = self.output_tokens_details
        if not isinstance(found, output_type) or getattr(found, "reasoning_tokens", None) is None:
            self.output_tokens_details = _output_details(_count(found, "reasoning_tokens"))

    def add(self, other: Usage) -> None:
        """Add what `other` has spent to this usage, in place.

        The request-by-request record grows by one entry when `other` is a single request that
        reported tokens, and by the entries of `other` when it has any of its own.

        Args:
            other: The usage of one response or of a nested run. It is not changed.
        """
        self.requests += other.requests or 0
        self.input_tokens += other.input_tokens or 0
        self.output_tokens += other.output_tokens or 0
        self.total_tokens += other.total_tokens or 0

        details: Any = other.input_tokens_details
        cached, written = _count(details, "cached_tokens"), _count(details, "cache_write_tokens")
        if cached or written:
            mine = self.input_tokens_details
            self.input_tokens_details = _input_details(
                _count(mine, "cached_tokens") + cached, _count(mine, "cache_write_tokens") + written
            )
        reasoning = _count(other.output_tokens_details, "reasoning_tokens")
        if reasoning:
            mine_reasoning = _count(self.output_tokens_details, "reasoning_tokens")
            self.output_tokens_details = _output_details(mine_reasoning + reasoning)

        if other.request_usage_entries:
            self.request_usage_entries.extend(other.request_usage_entries)
        elif other.requests == 1 and other.total_tokens:
            self.request_usage_entries.append(
                RequestUsage(
                    input_tokens=other.input_tokens,
                    output_tokens=other.output_tokens,
                    total_tokens=other.total_tokens,
                    input_tokens_details=other.input_tokens_details,
                    output_tokens_details=other.output_tokens_details,
                )
            )


class RunUsage(Usage):
    """The account that one piece of work is given: it reads as everything that the run has spent,
    and what is added to it is the work's own.

    Args:
        bases: What was spent elsewhere; read each time, never written.

    Attributes:
        own: What the work itself has spent; `None` while that is nothing.
    """

    own: Usage | None

    def __init__(self, *bases: Usage) -> None:
        self._bases = bases
        self.own = None

    def add(self, other: Usage) -> None:
        """Add what `other` has spent to the work's own account."""
        if self.own is None:
            self.own = Usage()
        self.own.add(other)

    def take_own(self) -> Usage | None:
        """The work's own spending so far; the account begins again."""
        own, self.own = self.own, None
        return own

    def total(self) -> Usage:
        """Everything, as a plain usage that shares nothing with this account."""
        whole = Usage()
        for part in self._parts():
            whole.add(part)
        return whole

    def _parts(self) -> Sequence[Usage]:
        return self._bases if self.own is None else (*self._bases, self.own)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Usage):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.total())

    def __reduce__(self) -> Any:
        return _plain_usage, (serialize_usage(self),)

    def __deepcopy__(self, memo: object) -> Usage:
        return self.total()

    def __copy__(self) -> Usage:
        return self.total()


def _counter(name: str) -> Any:
    """A count of an account: the sum of its parts; what is set beyond that is the work's own."""

    def read(account: RunUsage) -> int:
        return sum([getattr(part, name) for part in account._parts()])

    def write(account: RunUsage, value: int) -> None:
        more = value - read(account)
        if more:
            if account.own is None:
                account.own = Usage()
            setattr(account.own, name, getattr(account.own, name) + more)

    return property(read, write)


def _whole(name: str) -> Any:
    def read(account: RunUsage) -> Any:
        return getattr(account.total(), name)

    return property(read)


for _name in ("requests", "input_tokens", "output_tokens", "total_tokens"):
    setattr(RunUsage, _name, _counter(_name))
for _name in ("input_tokens_details", "output_tokens_details", "request_usage_entries"):
    setattr(RunUsage, _name, _whole(_name))

_FIELDS: Final = tuple(part.name for part in fields(Usage))


def _plain_usage(stored: Mapping[str, Any]) -> Usage:
    return deserialize_usage(stored)


def serialize_usage(usage: Usage) -> dict[str, Any]:
    """Turn a usage into plain JSON values that `deserialize_usage` reads back.

    The details stand in a list of one, which is the form that the published SDK stores.

    Args:
        usage: What to write.

    Returns:
        A new dictionary of numbers, strings, lists and dictionaries.
    """
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "input_tokens_details": [usage.input_tokens_details.model_dump()],
        "output_tokens": usage.output_tokens,
        "output_tokens_details": [usage.output_tokens_details.model_dump()],
        "total_tokens": usage.total_tokens,
        "request_usage_entries": [
            {
                "input_tokens": entry.input_tokens,
                "output_tokens": entry.output_tokens,
                "total_tokens": entry.total_tokens,
                "input_tokens_details": entry.input_tokens_details.model_dump(),
                "output_tokens_details": entry.output_tokens_details.model_dump(),
            }
            for entry in usage.request_usage_entries
        ],
    }


def deserialize_usage(usage_data: Mapping[str, Any]) -> Usage:
    """Read back what `serialize_usage` wrote; whatever is missing counts as zero.

    Args:
        usage_data: The stored form, of this package or of the published SDK.

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


def _read_input_details(stored: Any) -> InputTokensDetails:
    known = _unwrap(stored)
    return _detail_types()[0](**{**dict.fromkeys(_INPUT_COUNTS, 0), **known})


def _read_output_details(stored: Any) -> OutputTokensDetails:
    known = _unwrap(stored)
    return _detail_types()[1](**{**dict.fromkeys(_OUTPUT_COUNTS, 0), **known})


def _unwrap(stored: Any) -> Mapping[str, Any]:
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
        "cached_input_tokens": _count(usage.input_tokens_details, "cached_tokens"),
        "cache_write_input_tokens": _count(usage.input_tokens_details, "cache_write_tokens"),
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
