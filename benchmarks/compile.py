"""Time each stage of compiling large workflows, and the first compilation of a small one.

usage: python benchmarks/compile.py [--sizes N ...] [--rounds N]

`shapes.py` has the shapes; this program uses the chain and the random graph. Every figure is the
best processor time of all rounds, because other work of the machine can only add to it. ``growth``
compares the largest size with a quarter of it: 4 is linear. ``limit`` is the project's limit for
10,000 agents with 30,000 handoffs.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import agentgraph
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.checks import CHECKS
from agentgraph_compiler.diagnostics import Severity
from agentgraph_compiler.emit import emit, machine_from_json
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.verify import verify
from shapes import SHAPES_BY_NAME, Shape

SHAPES = (SHAPES_BY_NAME["chain"], SHAPES_BY_NAME["random"])
SIZES = (1_000, 2_500, 5_000, 10_000)
STAGES = (
    "construct the agents",
    "lower",
    "verify",
    "checks of a run (errors)",
    "checks (all)",
    "emit",
    "fingerprint",
    "to_json",
    "from_json",
    "still current?",
    "agentgraph.compile, whole",
)
LIMITS = {
    "fingerprint": "2 s",
    "still current?": "30 ms",
    "agentgraph.compile, whole": "4 s",
}

# A workflow of three agents in a process of its own: the cost of a program's first run.
FIRST_COMPILE = """
import json, time
from agentgraph import Agent, Runner, function_tool, input_guardrail, GuardrailFunctionOutput
from agentgraph.program import program_for

@function_tool
def look_up(word: str, limit: int = 3) -> str:
    "Look a word up."
    return word

@input_guardrail
def on_topic(context, agent, message):
    return GuardrailFunctionOutput(None, False)

maths = Agent(name="Maths tutor", instructions="Explain each step.", tools=[look_up])
history = Agent(name="History tutor", instructions="Name the dates.", tools=[look_up])
triage = Agent(
    name="Triage", handoffs=[maths, history], input_guardrails=[on_topic], tools=[look_up]
)
maths.handoffs.append(triage)
times = []
for _ in range(3):
    start = time.perf_counter()
    program_for(triage)
    times.append(time.perf_counter() - start)
print(json.dumps(times))
"""


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor time of some work, in seconds, and its result."""
    gc.collect()
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def apply_checks(chart: Chart, severities: Iterable[Severity]) -> None:
    """Apply the rules of some severities."""
    analysis = Analysis(chart)
    for part in CHECKS:
        if part.RULE.severity in severities:
            for _ in part.check(analysis):
                pass


def measure(shape: Shape, size: int) -> dict[str, float]:
    """Time every stage once, in seconds."""
    times: dict[str, float] = {}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        times[name], result = timed(work)
        return result

    agents = stage("construct the agents", lambda: shape.agents(size))
    program = stage("agentgraph.compile, whole", lambda: agentgraph.compile(agents[0]))
    stage("still current?", lambda: program.current)
    stage("fingerprint", lambda: program.machine.fingerprint)
    text = stage("to_json", program.machine.to_json)
    stage("from_json", lambda: machine_from_json(text))
    chart, _ = stage("lower", lambda: lower(agents[0]))
    stages_of_the_pipeline(chart, stage)
    return times


def stages_of_the_pipeline(chart: Chart, stage: Callable[[str, Callable[[], Any]], Any]) -> None:
    """Time the stages after lowering."""
    stage("verify", lambda: verify(chart))
    stage("checks of a run (errors)", lambda: apply_checks(chart, [Severity.ERROR]))
    stage("checks (all)", lambda: apply_checks(chart, Severity))
    stage("emit", lambda: emit(chart))


def first_compile() -> tuple[float, float, float]:
    """Return how long a fresh process takes to compile a workflow for its first run, for its second
    run, which caches the program, and to find that program current; in seconds."""
    process = subprocess.run(
        [sys.executable, "-c", FIRST_COMPILE], check=True, capture_output=True, text=True
    )
    first, again, current = json.loads(process.stdout)
    return first, again, current


def table(shape: Shape, results: dict[int, dict[str, float]]) -> Table:
    """Make the table of one shape: a row for each stage, a column for each size."""
    largest = max(results)
    quarter = largest // 4
    grid = Table(title=f"compiling {shape.name} (milliseconds)")
    grid.add_column("stage")
    for size in results:
        grid.add_column(f"{size:,} agents", justify="right")
    grid.add_column("growth", justify="right")
    grid.add_column("limit", justify="right")
    for stage in STAGES:
        cells = [f"{results[size][stage] * 1e3:,.1f}" for size in results]
        small = results.get(quarter)
        growth = "–" if small is None else f"{results[largest][stage] / small[stage]:.1f}"
        grid.add_row(stage, *cells, growth, LIMITS.get(stage, ""))
    grid.caption = f"growth: {largest:,} / {quarter:,} agents; 4 is linear"
    return grid


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of agents")
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured")
    options = parser.parse_args()
    console = Console(width=110)
    with Progress(transient=True) as progress:
        task = progress.add_task("", total=len(SHAPES) * options.rounds * sum(options.sizes))
        for shape in SHAPES:
            results: dict[int, dict[str, float]] = {}
            for size in sorted(options.sizes):
                progress.update(task, description=f"{shape.name}: {size:,} agents")
                rounds = []
                for _ in range(options.rounds):
                    rounds.append(measure(shape, size))
                    progress.advance(task, size)
                results[size] = {stage: min(times[stage] for times in rounds) for stage in STAGES}
            console.print(table(shape, results))
    costs = zip(*(first_compile() for _ in range(5)), strict=True)
    first, again, current = (f"{statistics.median(times) * 1e3:.2f} ms" for times in costs)
    console.print(
        f"a workflow of three agents, in a fresh process: first {first} (limit 3 ms), once more"
        f" {again}, found current {current}"
    )


if __name__ == "__main__":
    main()
