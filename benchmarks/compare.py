"""Compare agentgraph with the published Agents SDK, LangGraph and pydantic-ai, in one run.

usage: python benchmarks/compare.py [--peer-python PATH] [--base CHECKOUT] [--only WORKLOAD ...]
       [--rounds N] [--json FILE] [--markdown]

Each side runs in processes of its own, in its own environment. The sides take turns, round by
round, and each ratio compares figures of one round, so that a drift of the machine's speed affects
all sides. Every side repeats a workload equally often. The figures are processor time; for our side
the table also has wall time.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from sides import Figure, Side, add_side_options, measure, sides_of
from startup import start_up
from tables import Rounds, as_json, markdown, table

ONCE = {"long_run", "waiting"}
"""Workloads that need only one round: they take a minute on the slowest side, or never vary."""

WORKLOADS = (
    "start_up",
    "made_anew",
    "tool_turns",
    "long_run",
    "handoffs",
    "first_run",
    "concurrent",
    "waiting",
    "parallel_calls",
    "deltas",
    "loopback",
)

TARGETS = {
    "tool turn, run of 25": "35 µs",
    "tool turn, run of 1,000": "1.25 × of 25",
    "handoff, run of 100": "40 µs",
    "first run of 50 agents, an agent": "150 µs",
    "agent made anew, above a kept one": "25 µs",
    "desk of seven made anew, an agent": "20 µs",
    "500 runs of 3 turns, own agents, a run": "SDK 25 ×",
    "memory of a waiting run, one agent": "5 KiB",
    "memory of a waiting run, own agents": "8 KiB",
    "call, 100 in one reply": "25 µs",
    "call, 2,000 in one reply": "1.3 × of 100",
    "agentgraph --version": "100 ms",
    "check of a plain file": "300 ms",
    "check of examples/homework.py": "350 ms",
    "first run of a process, fake model": "300 ms",
}


def one_round(side: Side, workload: str) -> Mapping[str, Figure]:
    """Measure one round of one workload on one side."""
    return start_up(side) if workload == "start_up" else measure(side, workload)


def rounds_of(
    sides: Sequence[Side], workloads: Sequence[str], rounds: int, advance: Callable[[str], None]
) -> list[Rounds]:
    """Measure the sides in turns. A side's rounds lack the workloads that it cannot do.

    Args:
        sides: The installed sides.
        workloads: The names of the workloads.
        rounds: How often to measure each; workloads in `ONCE` only once.
        advance: Receives the name of each measurement before it starts.
    """
    results: list[Rounds] = [{} for _ in sides]
    for workload in workloads:
        for _ in range(1 if workload in ONCE else rounds):
            for side, figures in zip(sides, results, strict=True):
                advance(f"{workload}: {side.title}")
                for name, figure in one_round(side, workload).items():
                    figures.setdefault(name, []).append(figure)
    return results


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_side_options(parser)
    parser.add_argument("--rounds", type=int, default=3, help="how often each workload is run")
    parser.add_argument("--only", nargs="+", default=WORKLOADS, choices=WORKLOADS)
    parser.add_argument("--markdown", action="store_true", help="print the README's table, too")
    parser.add_argument("--json", type=Path, help="a file to write every figure to")
    options = parser.parse_args()
    sides = sides_of(options)
    installed = [side for side in sides if side.installed]
    with Progress(transient=True) as progress:
        units = sum(1 if name in ONCE else options.rounds for name in options.only)
        task = progress.add_task("measuring", total=units * len(installed))

        def advance(what: str) -> None:
            progress.update(task, description=what, advance=1)

        results = rounds_of(installed, options.only, options.rounds, advance)
    titles = [side.title for side in installed]
    missing = [side.title for side in sides if side not in installed]
    Console(width=180).print(table(titles, results, missing, TARGETS))
    if options.markdown:
        print(markdown(titles, results))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(titles, results), indent=1) + "\n")


if __name__ == "__main__":
    main()
