"""What a one-turn run costs in a session: one read of the history and two writes.

    python benchmarks/sessions.py [--runs N]

With `AGENTGRAPH_SDK_PYTHON` naming a Python that has the published Agents SDK, the same work is
timed there, and the table shows how many times cheaper agentgraph is. Every number is the median
over the runs, in milliseconds; both sides work on files of their own with the same content.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile

SIZES = (10, 400, 1_000, 10_000)

# One script for both sides: they differ in the module that the class comes from.
MEASURED = """
import asyncio, json, statistics, sys, time
module, folder, runs, sizes = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
SQLiteSession = getattr(__import__(module, fromlist=["SQLiteSession"]), "SQLiteSession")

def user(number):
    return {"role": "user", "content": f"question number {number} of a conversation"}

def answer(number):
    return [
        {"type": "function_call", "call_id": f"c{number}", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": f"c{number}", "output": "42"},
        {"type": "message", "role": "assistant", "content": "It is forty-two."},
    ]

async def timed(work):
    start = time.perf_counter()
    await work
    return (time.perf_counter() - start) * 1_000

async def measure(size):
    file = f"{folder}/{module.split('.')[0]}-{size}.db"
    first = SQLiteSession("s", file)
    await first.add_items([user(number) for number in range(size)])
    session = SQLiteSession("s", file)

    async def run(session, number):
        await session.get_items()
        await session.add_items([user(number)])
        await session.add_items(answer(number))

    async def fresh(number):
        await run(SQLiteSession("s", file), number)

    figures = {"run": [], "run, new object": [], "read 10 latest": [], "save a turn": []}
    for number in range(runs):
        figures["run"].append(await timed(run(session, number)))
        figures["run, new object"].append(await timed(fresh(number)))
        figures["read 10 latest"].append(await timed(session.get_items(limit=10)))
        figures["save a turn"].append(await timed(session.add_items(answer(number))))
        for _ in range(11):
            await session.pop_item()
    first.close()
    session.close()
    return {name: statistics.median(values) for name, values in figures.items()}

print(json.dumps({size: asyncio.run(measure(size)) for size in sizes}))
"""


def measured(python: str, module: str, folder: str, runs: int) -> dict[str, dict[str, float]]:
    """Run the measured script with a Python and return median milliseconds by size and work."""
    arguments = [python, "-c", MEASURED, module, folder, str(runs), json.dumps(SIZES)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    figures: dict[str, dict[str, float]] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=30, help="how often each size is measured")
    runs = parser.parse_args().runs
    sdk = os.environ.get("AGENTGRAPH_SDK_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        ours = measured(sys.executable, "agentgraph.memory", folder, runs)
        theirs = measured(sdk, "agents", folder, runs) if sdk else None
    print(f"{'items':>7}  {'work':<16}  {'agentgraph':>11}", end="")
    print(f"  {'SDK':>11}  {'SDK / agentgraph':>16}" if theirs else "")
    for size, figures in ours.items():
        for work, value in figures.items():
            print(f"{size:>7}  {work:<16}  {value:8.2f} ms", end="")
            if theirs:
                other = theirs[size][work]
                print(f"  {other:8.2f} ms  {other / value:15.1f}x", end="")
            print()
    if not theirs:
        print("Set AGENTGRAPH_SDK_PYTHON to a Python with the published SDK to compare.")


if __name__ == "__main__":
    main()
