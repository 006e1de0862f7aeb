"""Measure one piece of work, in the same way on every side.

A cost is the best of several repetitions, because other work of the machine only adds to it. It has
the processor time of all threads of this process, and the wall time. This file runs in the
environment of each side, so it imports only the standard library.
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
    """The cost of one unit of work.

    Attributes:
        cpu: Processor time of all threads, in seconds.
        wall: Wall time, in seconds.
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
    """Return the best cost of some work: the best processor time and the best wall time.

    Args:
        work: The work to measure.
        repetitions: How often to measure it; the same number on every side.
        prepare: Called before each repetition and not measured.
    """
    # Imported objects are not garbage. Without the freeze, each collection would visit them all.
    gc.collect()
    gc.freeze()
    costs = []
    for _ in range(repetitions):
        if prepare is not None:
            prepare()
        costs.append(await once(work))
    return Cost(min(cost.cpu for cost in costs), min(cost.wall for cost in costs))


async def once(work: Work) -> Cost:
    """Return the cost of doing some work once."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def median(costs: Sequence[Cost]) -> Cost:
    """Return the medians of processor time and of wall time: for work that waits for a disk."""
    return Cost(
        statistics.median([cost.cpu for cost in costs]),
        statistics.median([cost.wall for cost in costs]),
    )


def bytes_a_unit(before: int, after: int, units: int) -> float:
    """Return how many bytes each unit keeps alive."""
    return (after - before) / units


def print_figures(figures: Figures) -> None:
    """Print figures as the one line of JSON that `sides.measure` reads."""
    plain = {
        name: {"cpu": value.cpu, "wall": value.wall} if isinstance(value, Cost) else {"size": value}
        for name, value in figures.items()
    }
    sys.stdout.write(json.dumps(plain) + "\n")
