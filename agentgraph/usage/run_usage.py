"""The usage account of one piece of work in a run: it reads as the total of the run, and it also
records which part of the total is the work's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from agentgraph.usage import RequestUsage, Usage, deserialize_usage, serialize_usage
from agentgraph.usage.details import (
    INPUT_COUNTS,
    OUTPUT_COUNTS,
    count_of,
    input_details,
    output_details,
)

__all__ = ["RunUsage"]


class RunUsage(Usage):
    """The usage account of one piece of work: its counts are those of the whole run, and a usage
    that is added to it is recorded as the work's own.

    Args:
        bases: The accounts of the rest of the run; every read sums them anew, and none is written.

    Attributes:
        own: The work's own usage; `None` as long as it has spent nothing.
    """

    own: Usage | None

    def __init__(self, *bases: Usage) -> None:
        self._bases = bases
        self.own = None

    def add(self, other: Usage) -> None:
        """Add another usage to the work's own."""
        if self.own is None:
            self.own = Usage()
        self.own.add(other)

    def take_own(self) -> Usage | None:
        """Return the work's own usage so far and reset it."""
        own, self.own = self.own, None
        return own

    def total(self) -> Usage:
        """Return the total as a plain usage that shares nothing with this account."""
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
    """Make the property of one count: it reads as the sum of the parts, and a write records the
    difference to that sum as the work's own."""

    def read(account: RunUsage) -> int:
        return sum([getattr(part, name) for part in account._parts()])

    def write(account: RunUsage, value: int) -> None:
        difference = value - read(account)
        if difference:
            if account.own is None:
                account.own = Usage()
            setattr(account.own, name, getattr(account.own, name) + difference)

    return property(read, write)


def _input_details(account: RunUsage) -> Any:
    parts = [part.input_tokens_details for part in account._parts()]
    return input_details(*[sum(count_of(one, name) for one in parts) for name in INPUT_COUNTS])


def _output_details(account: RunUsage) -> Any:
    parts = [part.output_tokens_details for part in account._parts()]
    return output_details(*[sum(count_of(one, name) for one in parts) for name in OUTPUT_COUNTS])


def _entries_of(account: RunUsage) -> list[RequestUsage]:
    return [entry for part in account._parts() for entry in part.request_usage_entries]


for _name in ("requests", "input_tokens", "output_tokens", "total_tokens"):
    setattr(RunUsage, _name, _counter(_name))
for _name, _read in (
    ("input_tokens_details", _input_details),
    ("output_tokens_details", _output_details),
    ("request_usage_entries", _entries_of),
):
    setattr(RunUsage, _name, property(_read))

_FIELDS: Final = tuple(part.name for part in fields(Usage))


def _plain_usage(stored: Mapping[str, Any]) -> Usage:
    return deserialize_usage(stored)
