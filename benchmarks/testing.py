"""What generated tests cost, on the support desk: `walk`, Hypothesis, `explore`, `witnesses`.

    python benchmarks/testing.py

CPU seconds, the minimum of several rounds. Hypothesis is measured beside a test that draws as many
choices and does nothing with them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agentgraph.testing import Route, explore, walk, witnesses
from agentgraph.testing.strategies import runs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

from support_desk import desk

ROUNDS, RUNS = 4, 1_000
QUIET = settings(
    max_examples=RUNS,
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHOICES = 15
"""How many choices one run of the desk draws under Hypothesis, on average."""


def least(work: Callable[[], object]) -> float:
    """The least CPU time of several rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


@st.composite
def choices(draw: st.DrawFn) -> list[int]:
    """As many choices as a run draws."""
    return [draw(st.integers(0, 9)) for _ in range(CHOICES)]


@given(runs(desk))
@QUIET
def drawn_runs(route: Route) -> None:
    """A property that looks at nothing."""


@given(choices())
@QUIET
def drawn_choices(chosen: list[int]) -> None:
    """A property of choices that looks at nothing."""


def main() -> None:
    """Measure and print."""
    walked = least(lambda: sum(1 for _ in walk(desk, runs=RUNS)))
    print(f"walk                {RUNS / walked:8,.0f} runs a second")
    ratio = least(drawn_runs) / least(drawn_choices)
    print(f"under Hypothesis    {ratio:8.2f} times its drawing of {CHOICES} choices")
    print(f"explore, 6 calls    {least(lambda: sum(1 for _ in explore(desk, 6))):8.2f} s")
    print(f"witnesses           {least(lambda: witnesses(desk)):8.2f} s")


if __name__ == "__main__":
    main()
