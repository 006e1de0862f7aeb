"""Measure sessions in a file: whole runs of one turn, reads and writes, by length of history.

usage: python benchmarks/sessions.py [--peer-python PATH] [--runs N]

With `--peer-python`, or `AGENTGRAPH_SDK_PYTHON`, naming a Python that has the published Agents SDK,
the same work is timed there, in turns, and the table shows how many times cheaper agentgraph is.
Every figure is the median over all repetitions. Whatever a run returned is on the disk, on both
sides, so a run costs at least what the disk takes to be sure of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

HERE = Path(__file__).parent
SIZES = ("10", "400", "1000", "10000")
ROUNDS = 3
LIMITS = {("400", "a run of one turn"): "SDK / ours at least 10"}

Times = dict[tuple[str, str], list[float]]


def measure(python: str, package: str, runs: int) -> Times:
    """Run the workload in one environment."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                python,
                str(HERE / "session_workloads.py"),
                package,
                folder,
                str(runs),
                *SIZES,
            ],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": "none", "OPENAI_AGENTS_DISABLE_TRACING": "1"},
        )
    found: dict[str, dict[str, list[float]]] = json.loads(done.stdout)
    return {(size, work): times for size, works in found.items() for work, times in works.items()}


def table(ours: Times, peer: Times) -> Table:
    """The figures side by side."""
    drawn = Table(title="sessions in a file (the model costs nothing)")
    for column in ("items", "work", "agentgraph", "Agents SDK", "ratio", "asked for"):
        drawn.add_column(column, justify="left" if column in ("work", "asked for") else "right")
    for (size, work), times in ours.items():
        own = statistics.median(times)
        others = peer.get((size, work))
        theirs = statistics.median(others) if others else None
        drawn.add_row(
            f"{int(size):,}",
            work,
            f"{own * 1e3:,.2f} ms",
            "" if theirs is None else f"{theirs * 1e3:,.2f} ms",
            "" if theirs is None else f"{theirs / own:,.1f}",
            LIMITS.get((size, work), ""),
            end_section=work == "save a turn of 3 items",
        )
    drawn.caption = "ratio: SDK / agentgraph"
    return drawn


def main() -> None:
    """Measure and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--peer-python",
        default=os.environ.get("AGENTGRAPH_SDK_PYTHON"),
        help="a Python with openai-agents",
    )
    options.add_argument("--runs", type=int, default=20, help="repetitions in each of 3 rounds")
    chosen = options.parse_args()
    sides = [(sys.executable, "agentgraph")]
    if chosen.peer_python:
        sides.append((chosen.peer_python, "agents"))
    found: dict[str, Times] = {package: defaultdict(list) for package in ("agentgraph", "agents")}
    with Progress(transient=True) as progress:
        task = progress.add_task("measuring", total=ROUNDS * len(sides))
        for _ in range(ROUNDS):
            for python, package in sides:
                progress.update(task, description=f"sessions: {package}")
                for key, times in measure(python, package, chosen.runs).items():
                    found[package][key] += times
                progress.advance(task)
    Console(width=110).print(table(found["agentgraph"], found["agents"]))


if __name__ == "__main__":
    main()
