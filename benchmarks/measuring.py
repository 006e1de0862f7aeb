"""How one piece of work is measured, for every side in the same way.

A cost is the best of several repetitions, because whatever else the machine does only adds to it.
Processor time is that of all threads of this process; wall time is given beside it. This file runs
in the environment of each side, so it imports the standard library only.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Cost", "Figures", "Work", "best", "bytes_a_unit", "median", "once", "print_figures"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one unit of work takes.

    Attributes:
        cpu: Seconds of processor time, all threads together.
        wall: Seconds that passed.
    """

    cpu: float
    wall: float

    def __truediv__(self, units: float) -> Cost:
        return Cost(self.cpu / units, self.wall / units)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.cpu - other.cpu, self.wall - other.wall)


Figures = Mapping[str, Cost | float]
"""Costs, or bytes, by the name of the row."""

Work = Callable[[], Awaitable[object]]


async def best(work: Work, repetitions: int, prepare: Callable[[], object] | None = None) -> Cost:
    """The best cost of some work, each clock by itself.

    Args:
        work: What is measured.
        repetitions: How often; the same number on every side.
        prepare: What is done before each repetition and not measured.
    """
    # What was imported is no garbage; otherwise a collection walks all of it, on every side.
    gc.collect()
    gc.freeze()
    costs = []
    for _ in range(repetitions):
        if prepare is not None:
            prepare()
        costs.append(await once(work))
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


async def once(work: Work) -> Cost:
    """The cost of doing some work once."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of some costs, each clock by itself: for work that waits for a disk."""
    return Cost(
        statistics.median([cost.cpu for cost in costs]),
        statistics.median([cost.wall for cost in costs]),
    )


def bytes_a_unit(before: int, after: int, units: int) -> float:
    """How many bytes each of some units keeps alive."""
    return (after - before) / units


def print_figures(figures: Figures) -> None:
    """Print figures as the one line of JSON that `sides.measure` reads."""
    plain = {
        name: {"cpu": value.cpu, "wall": value.wall} if isinstance(value, Cost) else {"size": value}
        for name, value in figures.items()
    }
    sys.stdout.write(json.dumps(plain) + "\n")
