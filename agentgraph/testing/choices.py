"""Sources of choices: each decision of a simulated run is an index into its options.

The simplest option has index 0, so a search that prefers small numbers prefers short runs.
"""

from __future__ import annotations

from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Choices", "Planned", "Seeded", "weighted"]


class Choices(Protocol):
    """A source of choices."""

    def index(self, count: int) -> int:
        """Choose one of `count` options, by its index."""
        ...


class Seeded:
    """Choices of a pseudo-random generator; the same seed gives the same choices.

    Args:
        seed: The seed.
    """

    __slots__ = ("_next",)

    def __init__(self, seed: int | str) -> None:
        self._next = Random(seed).random

    def index(self, count: int) -> int:
        """See :class:`Choices`."""
        return int(self._next() * count)


class Planned:
    """Choices that repeat a plan, and take the first option from its end on.

    Args:
        plan: The index of each choice.

    Attributes:
        taken: Each choice so far: its index and the number of options.
    """

    __slots__ = ("_plan", "taken")

    def __init__(self, plan: Sequence[int] = ()) -> None:
        self._plan = plan
        self.taken: list[tuple[int, int]] = []

    def index(self, count: int) -> int:
        """See :class:`Choices`."""
        place = len(self.taken)
        index = self._plan[place] if place < len(self._plan) else 0
        self.taken.append((index, count))
        return index

    @classmethod
    def every(cls) -> Iterator[Planned]:
        """Plans that together take every option of every choice, depth first.

        Each plan goes on from the choices of the one before it, so make the run of a plan before
        you ask for the next.
        """
        plan: list[int] = []
        while True:
            choices = cls(plan)
            yield choices
            taken = list(choices.taken)
            while taken and taken[-1][0] + 1 == taken[-1][1]:
                taken.pop()
            if not taken:
                return
            plan = [index for index, _ in taken]
            plan[-1] += 1


def weighted(choices: Choices, weights: Sequence[int]) -> int:
    """Choose an index; one with twice the weight of another comes twice as often.

    Args:
        choices: The source.
        weights: At least one is above 0.
    """
    number = choices.index(sum(weights))
    for index, edge in enumerate(accumulate(weights)):
        if number < edge:
            return index
    raise AssertionError
