"""Measure agentgraph beside the published Agents SDK, in one run, each in its own environment.

usage: python benchmarks/compare.py --peer-python PATH [--rounds N]

The two take turns, round by round, and the ratio is taken inside a round, so that a machine whose
speed drifts drifts for both. The table gives the median ratio; ``limit`` is what the project asks
of the figure.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

HERE = Path(__file__).parent
WORKLOADS = ("tool_turns", "handoffs", "deltas", "concurrent", "imports")
LIMITS = {
    "tool turn, run of 25": "SDK / ours at least 40",
    "tool turn, run of 100": "",
    "tool turn, run of 400": "SDK / ours at least 300",
    "tool turn, run of 1000": "within 1.5 of a turn in a run of 25",
    "handoff, run of 100": "at most 150 µs",
    "streamed delta": "at most 5 µs",
    "run of three turns, 500 at a time": "SDK / ours at least 20",
    "import, above bare Python": "under 100 ms",
}


def measure(python: str, package: str, workload: str) -> dict[str, float]:
    """Run one workload in one environment."""
    done = subprocess.run(
        [python, str(HERE / "workloads.py"), package, workload],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OPENAI_API_KEY": "none", "OPENAI_AGENTS_DISABLE_TRACING": "1"},
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer-python", required=True, help="a Python with openai-agents")
    options.add_argument("--rounds", type=int, default=3, help="how often each workload is run")
    chosen = options.parse_args()
    ours: dict[str, list[float]] = defaultdict(list)
    peer: dict[str, list[float]] = defaultdict(list)
    with Progress(transient=True) as progress:
        task = progress.add_task("measuring", total=2 * chosen.rounds * len(WORKLOADS))
        for workload in WORKLOADS:
            for _ in range(chosen.rounds):
                for python, package, times in (
                    (sys.executable, "agentgraph", ours),
                    (chosen.peer_python, "agents", peer),
                ):
                    progress.update(task, description=f"{workload}: {package}")
                    for name, seconds in measure(python, package, workload).items():
                        times[name].append(seconds)
                    progress.advance(task)
    Console(width=110).print(table(ours, peer))


def table(ours: dict[str, list[float]], peer: dict[str, list[float]]) -> Table:
    """The figures side by side, with the ratio of each round's pair."""
    drawn = Table(title="one unit of work, above nothing (the model costs nothing)")
    for column in ("", "agentgraph", "Agents SDK", "ratio", "asked for"):
        drawn.add_column(column, justify="left" if column in ("", "asked for") else "right")
    for name, times in ours.items():
        others = peer.get(name)
        if others:
            ratio = statistics.median(b / a for a, b in zip(times, others, strict=True))
            shown = f"{ratio:,.0f}"
        else:
            shown = (
                f"{statistics.median(times) / statistics.median(ours['tool turn, run of 25']):.2f}*"
            )
        row = (name, in_words(times), in_words(others or []), shown, LIMITS.get(name, ""))
        drawn.add_row(*row)
    drawn.caption = (
        "ratio: SDK / agentgraph, median over rounds; * a turn here / a turn in a run of 25"
    )
    return drawn


def in_words(times: list[float]) -> str:
    """The median in microseconds or milliseconds."""
    if not times:
        return ""
    microseconds = statistics.median(times) * 1e6
    return f"{microseconds:,.1f} µs" if microseconds < 1000 else f"{microseconds / 1000:,.1f} ms"


if __name__ == "__main__":
    main()
