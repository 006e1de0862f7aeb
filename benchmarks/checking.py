"""Time the checker: workflows of several shapes, a small one, a run, one file and a folder.

usage: python benchmarks/checking.py [--sizes SMALL LARGE] [--rounds N] [--only SHAPE ...]

A figure is processor time, the best of all rounds. The large workflow should cost at most 1.3 times
as much for each agent as the small one. For the command line, user and system time count, of the
command and its children.
"""

from __future__ import annotations

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import agentgraph
from agentgraph.frontend.declarations import Declarations
from agentgraph.frontend.lower_workflow import chart_of
from agentgraph.frontend.reading import read
from agentgraph.frontend.scope import DEFAULT_SCOPE
from agentgraph_compiler import pipeline
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.diagnostics import Severity
from shapes import SHAPES_BY_NAME, Shape

FILE = """
from agentgraph import Agent, Runner, function_tool, input_guardrail, GuardrailFunctionOutput

@function_tool
def look_up(word: str, limit: int = 3) -> str:
    "Look a word up."
    return word

@input_guardrail
def on_topic(context, agent, message):
    return GuardrailFunctionOutput(None, False)

maths = Agent(name="Maths", handoff_description="Numbers", tools=[look_up])
history = Agent(name="History", handoff_description="Dates", tools=[look_up])
triage = Agent(name="Triage", handoffs=[maths, history], input_guardrails=[on_topic])

if __name__ == "__main__":
    print(Runner.run_sync(triage, "Hello").final_output)
"""
FILES = 115


def best(rounds: int, prepare: Callable[[], Any], work: Callable[[Any], object]) -> float:
    """Return the least processor time of some work on what `prepare` makes, in seconds."""
    costs = []
    for _ in range(rounds):
        subject = prepare()
        gc.collect()
        start = time.process_time()
        work(subject)
        costs.append(time.process_time() - start)
    return min(costs)


def compiled(shape: Shape, size: int, rounds: int) -> float:
    """Return the time to compile a workflow under all rules."""
    return best(rounds, lambda: shape.agents(size)[0], agentgraph.compile)


def share_of_error_rules(size: int) -> tuple[float, float]:
    """Return the time that a first run of a random graph needs to compile, and that of the rules
    that can stop it."""

    def table(start: Any) -> None:
        reading, _ = read(start, DEFAULT_SCOPE)
        pipeline.compile_chart(chart_of(reading, Declarations(bare=True)), deep=False)

    agents = SHAPES_BY_NAME["random"].agents(size)
    reading, _ = read(agents[0], DEFAULT_SCOPE)
    chart = chart_of(reading, Declarations(bare=True))
    rules = [part for part in CHECKS if part.RULE.severity is Severity.ERROR]

    def apply(analysis: Analysis) -> None:
        for rule in rules:
            list(rule.check(analysis))

    return best(3, lambda: agents[0], table), best(3, lambda: Analysis(chart), apply)


def command(*arguments: str, folder: Path, rounds: int) -> float:
    """Return the user and system time of `agentgraph check`, with its children."""
    costs = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "agentgraph", "check", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(costs)


def shapes_table(sizes: tuple[int, int], rounds: int, only: list[str]) -> Table:
    """Measure the shapes and make their table."""
    small, large = sizes
    grid = Table(title="compiled and checked under all rules")
    for title in ("shape", f"{small:,} agents", f"{large:,} agents", "to linear (limit 1.3)"):
        grid.add_column(title, justify="left" if title == "shape" else "right")
    for name in only or SHAPES_BY_NAME:
        shape = SHAPES_BY_NAME[name]
        few, many = (compiled(shape, size, rounds) for size in sizes)
        ratio = many / few * small / large
        grid.add_row(shape.name, f"{few:.2f} s", f"{many:.2f} s", f"{ratio:.2f}")
    return grid


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs=2, default=(5_000, 20_000))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], choices=[*SHAPES_BY_NAME])
    options = parser.parse_args()
    console = Console(width=110)
    eight = compiled(SHAPES_BY_NAME["random"], 8, 1)
    console.print(f"8 agents, first compilation of the process: {eight * 1e3:.0f} ms (limit 50)")
    console.print(shapes_table(tuple(options.sizes), options.rounds, options.only))
    whole, rules = share_of_error_rules(options.sizes[0])
    console.print(f"error rules: {rules / whole:.1%} of the compile of a run (limit 5 %)")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(FILES):
            (folder / f"flow{number}.py").write_text(FILE, encoding="utf-8")
        one = command("flow0.py", folder=folder, rounds=3)
        all_files = command(".", folder=folder, rounds=2)
    console.print(f"one file: {one:.2f} s (limit 0.4); {FILES} files: {all_files:.2f} s (limit 2)")


if __name__ == "__main__":
    main()
