"""What a tool call costs above the function itself: 100 trivial async tools called in one reply.

usage: python benchmarks/tool_calls.py [--rounds N]

The published Agents SDK is measured beside it when AGENTGRAPH_SDK_PYTHON names a Python that has
it. Times are processor time of this process, so that a busy machine disturbs them little; the best
round counts.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

CALLS = 100
TARGET = 60.0
"""Microseconds that one call may cost above the function itself."""


async def trivial() -> str:
    """Do nothing."""
    return "done"


def _model(package: str, calls: int) -> Any:
    """A model that makes `calls` calls in its first reply and answers in its second."""
    interface = importlib.import_module(f"{package}.models.interface")
    items = importlib.import_module(f"{package}.items")
    usage = importlib.import_module(f"{package}.usage")
    testing = importlib.import_module(f"{package}.testing")
    reply = [testing.function_call("trivial", {}, call_id=f"c{n}") for n in range(calls)]
    answer = [testing.assistant_message("done")]

    class TwoTurns(interface.Model):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.asked = False

        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            self.asked = not self.asked
            output = list(reply if self.asked else answer)
            return items.ModelResponse(
                output=output, usage=usage.Usage(requests=1), response_id=None
            )

        def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    return TwoTurns()


async def _best(work: Callable[[], Awaitable[object]], rounds: int) -> float:
    """Processor time of the fastest round, in seconds."""
    for _ in range(3):
        await work()
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        await work()
        best = min(best, time.process_time() - begun)
    return best


async def measure(package: str, rounds: int) -> float:
    """Microseconds that a call costs above the function itself.

    Args:
        package: `agentgraph` or `agents`.
        rounds: Runs of which the fastest counts.
    """
    top = importlib.import_module(package)
    if package == "agents":
        top.set_tracing_disabled(True)

    def runs(calls: int) -> Callable[[], Awaitable[object]]:
        tool = top.function_tool(trivial)
        agent = top.Agent(name="A", model=_model(package, calls), tools=[tool])
        return lambda: top.Runner.run(agent, "go")

    async def bare() -> None:
        await asyncio.gather(*(trivial() for _ in range(CALLS)))

    many, one = await _best(runs(CALLS), rounds), await _best(runs(1), rounds)
    functions = await _best(bare, rounds)
    return (many - one - functions) / (CALLS - 1) * 1e6


def _elsewhere(python: str, rounds: int) -> float:
    """The same measurement of the published SDK, in its own Python."""
    command = [python, __file__, "--package", "agents", "--rounds", str(rounds), "--json"]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(told.stdout)["microseconds"])


def main() -> int:
    """Measure, print a table; 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30, help="runs; the fastest counts")
    parser.add_argument("--package", default="agentgraph", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    cost = asyncio.run(measure(options.package, options.rounds))
    if options.json:
        print(json.dumps({"package": options.package, "microseconds": cost}))
        return 0
    print(f"{'agentgraph':<12}{cost:8.1f} µs a call (target {TARGET:.0f})")
    sdk = os.environ.get("AGENTGRAPH_SDK_PYTHON")
    if sdk:
        print(f"{'agents':<12}{_elsewhere(sdk, options.rounds):8.1f} µs a call")
    return int(cost > TARGET)


if __name__ == "__main__":
    sys.exit(main())
