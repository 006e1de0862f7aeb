"""What tracing costs a run: never used, without processors, and with one that does nothing.

usage: python benchmarks/tracing.py [--package agents] [--repetitions N]

Every figure is the best processor time of a turn that calls one tool. `--package agents` measures
the published SDK in a Python that has it; there a run makes spans although nothing receives them.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
from typing import Any

from free_models import adder, answer, call_of, free_model
from measuring import best

TURNS = 20


def silent(tracing: Any) -> Any:
    """A processor that does nothing."""

    def nothing(self: object, *arguments: object) -> None:
        pass

    told = ("on_trace_start", "on_trace_end", "on_span_start", "on_span_end")
    methods = dict.fromkeys((*told, "shutdown", "force_flush"), nothing)
    return type("Silent", (tracing.TracingProcessor,), methods)()


async def measure(package: str, repetitions: int) -> dict[str, float]:
    """The cost of a turn in microseconds, by the state of tracing."""
    sdk = importlib.import_module(package)
    replies = [[call_of("add", number)] for number in range(TURNS - 1)] + [[answer()]]
    agent = sdk.Agent(name="A", model=free_model(package, replies), tools=[adder(sdk)])

    async def turn() -> float:
        cost = await best(lambda: sdk.Runner.run(agent, "go", max_turns=TURNS + 1), repetitions)
        return cost.cpu / TURNS * 1e6

    costs = {}
    if package != "agents":
        costs["tracing never used"] = await turn()
    tracing = importlib.import_module(f"{package}.tracing")
    tracing.set_trace_processors([])
    costs["no processor"] = await turn()
    tracing.set_trace_processors([silent(tracing)])
    costs["a processor that does nothing"] = await turn()
    tracing.set_tracing_disabled(True)
    costs["disabled for the process"] = await turn()
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", default="agentgraph", choices=("agentgraph", "agents"))
    parser.add_argument("--repetitions", type=int, default=300)
    options = parser.parse_args()
    for state, cost in asyncio.run(measure(options.package, options.repetitions)).items():
        print(f"{options.package:10}  {state:30}  {cost:7.1f} µs a turn")


if __name__ == "__main__":
    main()
