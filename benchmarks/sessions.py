"""Measure sessions in a file: whole runs of one turn, reads and writes, by length of history.

usage: python benchmarks/sessions.py [--peer-python PATH] [--base CHECKOUT] [--runs N]
       [--sizes N ...] [--json FILE] [--markdown]

Every figure is the median of all repetitions of a round; the sides take turns. On all sides, a run
returns only after its items are on the disk. The wall time includes this wait for the disk.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from sides import add_side_options, measure, sides_of
from tables import Rounds, as_json, markdown, table

SIZES = (10, 400, 1_000, 10_000)
TARGETS = {
    "new session: run of one turn": "0.8 ms wall",
    "400 items: run of one turn": "1.0 ms wall",
}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_side_options(parser)
    parser.add_argument("--runs", type=int, default=20, help="repetitions in each round")
    parser.add_argument("--rounds", type=int, default=3, help="how often the sides take turns")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="items of a history")
    parser.add_argument("--markdown", action="store_true", help="print the README's table, too")
    parser.add_argument("--json", type=Path, help="a file to write every figure to")
    options = parser.parse_args()
    sides = [
        replace(side, script="session_workloads.py")
        for side in sides_of(options)
        if side.package in ("agentgraph", "agents")
    ]
    installed = [side for side in sides if side.installed]
    results: list[Rounds] = [{} for _ in installed]
    workload = ",".join(map(str, [options.runs, *options.sizes]))
    with Progress(transient=True) as progress:
        task = progress.add_task("measuring", total=options.rounds * len(installed))
        for _ in range(options.rounds):
            for side, figures in zip(installed, results, strict=True):
                progress.update(task, description=f"sessions: {side.title}")
                for name, figure in measure(side, workload).items():
                    figures.setdefault(name, []).append(figure)
                progress.advance(task)
    titles = [side.title for side in installed]
    missing = [side.title for side in sides if side not in installed]
    title = "sessions in a file (the model costs nothing)"
    Console(width=180).print(table(titles, results, missing, TARGETS, title, beside_wall=True))
    if options.markdown:
        print(markdown(titles, results))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(titles, results), indent=1) + "\n")


if __name__ == "__main__":
    main()
