"""What an edge costs: a chain of async functions beside the same functions called by hand, and a
chain of agents beside one agent that is run as often. What a join costs: branches of functions
beside one reply that calls as many tools.

usage: python benchmarks/edges.py

CPU time, the least of several rounds; every figure is for one step, or for one branch or call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import cycle, pairwise

from agentgraph import Agent, Runner, Workflow, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call

ROUNDS, FEW, MANY = 7, 100, 1_000
BRANCHES, RUNS = 20, 50
REPLY = [assistant_message("done")]


def step(number: int) -> Callable[[object], Awaitable[int]]:
    async def work(value: object) -> int:
        return number

    work.__name__ = f"work{number}"
    return work


def agent(name: str) -> Agent[None]:
    return Agent(name=name, model=ScriptedModel(lambda _: REPLY, record_calls=False))


def functions(count: int) -> Workflow:
    start, steps = agent("Start"), [step(number) for number in range(count)]
    flow = Workflow("Functions", start=start)
    flow.then(start, steps[0])
    for one, other in pairwise(steps):
        flow.then(one, other)
    return flow


def agents(count: int) -> Workflow:
    steps = [agent(f"A{number}") for number in range(count)]
    flow = Workflow("Agents", start=steps[0])
    for one, other in pairwise(steps):
        flow.then(one, other)
    return flow


async def by_hand(count: int) -> None:
    value: object = ""
    for number in range(count):
        value = await step(number)(value)


async def one_by_one(count: int) -> None:
    clerk = agent("Clerk")
    for _ in range(count):
        await Runner.run(clerk, "go")


def joined(count: int) -> Workflow:
    start = agent("Start")
    flow = Workflow("Joined", start=start)
    flow.then(start, flow.parallel("all", [step(number) for number in range(count)]))
    return flow


def started() -> Workflow:
    start = agent("Start")
    flow = Workflow("Started", start=start)
    flow.then(start, step(0))
    return flow


def calling(count: int) -> Agent[None]:
    @function_tool
    async def look() -> int:
        """Look."""
        return 1

    calls = [function_call("look", {}, call_id=f"c{number}") for number in range(count)]
    replies = cycle([calls, REPLY])
    model = ScriptedModel(lambda _: next(replies), record_calls=False)
    return Agent(name="Caller", tools=[look], model=model)


async def runs(source: Workflow | Agent[None]) -> None:
    for _ in range(RUNS):
        await Runner.run(source, "go")


async def least(work: Callable[[], Awaitable[object]]) -> float:
    """The least CPU time of some rounds, in seconds."""
    await work()
    times = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        await work()
        times.append(time.process_time() - begin)
    return min(times)


async def main() -> None:
    for name, flow_of, hand in (("function", functions, by_hand), ("agent", agents, one_by_one)):
        for count in (FEW, MANY):
            flow = flow_of(count)
            edges = await least(lambda flow=flow: Runner.run(flow, "go"))
            alone = await least(lambda hand=hand, count=count: hand(count))
            print(
                f"{name:8} steps {count:5}: {edges / count * 1e6:7.1f} µs a step,"
                f" by hand {alone / count * 1e6:7.1f} µs"
            )
    together, before = joined(BRANCHES), started()
    many, one = calling(BRANCHES), calling(1)
    join = await least(lambda: runs(together)) - await least(lambda: runs(before))
    calls = await least(lambda: runs(many)) - await least(lambda: runs(one))
    each = RUNS * BRANCHES
    print(
        f"a join of {BRANCHES} branches: {join / each * 1e6:7.1f} µs a branch,"
        f" a tool call {calls / each * 1e6:7.1f} µs"
    )


if __name__ == "__main__":
    asyncio.run(main())
