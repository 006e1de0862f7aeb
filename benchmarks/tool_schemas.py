"""The cost of making a tool from a function: signature, docstring, validation, JSON schema.

usage: python benchmarks/tool_schemas.py [--rounds N]

If AGENTGRAPH_SDK_PYTHON names a Python with the published Agents SDK, the SDK is measured as well.
Times are processor time of this process, which a busy machine disturbs little; the best round
counts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

TARGET = 1000.0
"""How long the schema of a typical tool may take, in microseconds."""


class Address(BaseModel):
    """Where an order goes."""

    street: str
    city: str
    code: int = 0


def order(
    customer: str, address: Address, amount: float, tags: list[str], express: bool = False
) -> str:
    """Place an order.

    Args:
        customer: Who orders.
        address: Where it goes.
        amount: How much it costs, in euros.
        tags: Labels of the order.
        express: Whether it is urgent.
    """
    return f"{customer} {address} {amount} {tags} {express}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


TOOLS: dict[str, Callable[..., Any]] = {
    "five arguments, a model, a docstring": order,
    "two numbers": add,
}


def measure(package: str, rounds: int) -> dict[str, float]:
    """Return how long it takes to make each tool, in microseconds.

    Args:
        package: `agentgraph` or `agents`.
        rounds: How often to make each tool; the fastest time counts.
    """
    function_tool = importlib.import_module(package).function_tool
    return {name: _best(function_tool, function, rounds) for name, function in TOOLS.items()}


def _best(function_tool: Any, function: Callable[..., Any], rounds: int) -> float:
    for _ in range(10):
        function_tool(function)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        function_tool(function)
        best = min(best, time.process_time() - start)
    return best * 1e6


def _elsewhere(python: str, rounds: int) -> dict[str, float]:
    """Measure the published SDK in the same way, in its own Python."""
    command = [python, __file__, "--package", "agents", "--rounds", str(rounds), "--json"]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(process.stdout))


def main() -> None:
    """Measure and print a table, which marks a tool that misses the target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300, help="times; the fastest counts")
    parser.add_argument("--package", default="agentgraph", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    ours = measure(options.package, options.rounds)
    if options.json:
        print(json.dumps(ours))
        return
    sdk = os.environ.get("AGENTGRAPH_SDK_PYTHON")
    theirs = _elsewhere(sdk, options.rounds) if sdk else {}
    for name, cost in ours.items():
        beside = f"{theirs[name]:8.0f} µs{theirs[name] / cost:8.2f} x" if theirs else ""
        missed = f"  over the target of {TARGET:.0f} µs" if cost > TARGET else ""
        print(f"{name:<40}{cost:8.0f} µs{beside}{missed}")


if __name__ == "__main__":
    main()
