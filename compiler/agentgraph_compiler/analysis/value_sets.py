"""Sets of values with the operations that routes need: what is left, what two sets share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from agentgraph_compiler.ir.steps import Values

Interval = tuple[float, float]
"""The whole numbers from one end to another; an end may be infinite."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A set of values.

    Args:
        single: JSON texts of values, or names of classes, in order.
        intervals: Intervals of whole numbers that do not meet, in order.
        open: Whether it holds values beside these.
    """

    single: tuple[str, ...] = ()
    intervals: tuple[Interval, ...] = ()
    open: bool = False

    @classmethod
    def of(cls, values: Values) -> ValueSet:
        """The set of what a chart lists."""
        if not values.ranged:
            return cls(values.single, open=values.open)
        low = -inf if values.least is None else values.least
        high = inf if values.most is None else values.most
        return cls(values.single, ((low, high),), values.open)

    def __bool__(self) -> bool:
        return bool(self.single or self.intervals or self.open)

    def holds(self, value: str) -> bool:
        """Whether a single value is in it."""
        number = _number(value)
        within = number is not None and any(low <= number <= high for low, high in self.intervals)
        return value in self.single or within

    def without(self, other: ValueSet) -> ValueSet:
        """What is left once the values of another set are taken."""
        intervals = list(self.intervals)
        numbers = [number for one in other.single if (number := _number(one)) is not None]
        for taken in (*other.intervals, *((number, number) for number in numbers)):
            intervals = [part for one in intervals for part in _cut(one, taken)]
        single = tuple(one for one in self.single if not other.holds(one))
        return ValueSet(single, tuple(intervals), self.open)

    def within(self, other: ValueSet) -> ValueSet:
        """What it shares with another set, whose open values may be any."""
        single = tuple(one for one in self.single if other.open or other.holds(one))
        shared = [
            (max(low, least), min(high, most))
            for low, high in self.intervals
            for least, most in other.intervals
        ]
        numbers = {
            number
            for one in other.single
            if (number := _number(one)) is not None and one not in single
        }
        points = [(n, n) for n in sorted(numbers) if any(a <= n <= b for a, b in self.intervals)]
        if other.open:
            shared, points = list(self.intervals), []
        return ValueSet(single, tuple(one for one in (*shared, *points) if one[0] <= one[1]))

    def words(self) -> Iterator[str]:
        """Its values in words."""
        yield from self.single
        for low, high in self.intervals:
            if low == high:
                yield f"{low:.0f}"
            elif low == -inf:
                yield "every whole number" if high == inf else f"whole numbers up to {high:.0f}"
            else:
                yield f"{low:.0f} and above" if high == inf else f"{low:.0f} to {high:.0f}"
        if self.open:
            yield "every other value"


def listed(words: Iterable[str], most: int = 6) -> str:
    """Words with commas between them; a long list is cut."""
    parts = list(words)
    more = [f"{len(parts) - most} more"] if len(parts) > most else []
    return ", ".join([*parts[:most], *more])


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def _cut(one: Interval, taken: Interval) -> Iterator[Interval]:
    (low, high), (first, last) = one, taken
    if last < low or first > high:
        yield one
        return
    if low < first:
        yield low, first - 1
    if last < high:
        yield last + 1, high
