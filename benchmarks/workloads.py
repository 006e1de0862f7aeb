"""The workloads with the API of the Agents SDK, written once for agentgraph and the SDK.

usage: python workloads.py agentgraph|agents WORKLOAD

``compare.py`` runs each workload in a process of its own and gives every side the same number of
repetitions. The script prints one line of JSON: the cost of one unit, by the name of the row.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

from free_models import adder, answer, call_of, free_model, sdk_of, streaming_model
from loopback import over_loopback
from measuring import Figures, best, bytes_a_unit, print_figures

PACKAGE = sys.argv[1]

CONCURRENT = 500
WAITING = 100
SPECIALISTS = ("billing", "delivery", "refunds", "warranty", "accounts", "sales")


async def tool_turns() -> Figures:
    """Measure a model's turn that calls one tool, in a run of 25 turns and one of 100."""
    return {
        f"tool turn, run of {turns}": await best(_run_of(turns), 400 // turns) / turns
        for turns in (25, 100)
    }


async def long_run() -> Figures:
    """Measure the same turn in a run of 1,000 turns."""
    run = _run_of(1_000)
    return {"tool turn, run of 1,000": await best(run, 1) / 1_000}


def _run_of(turns: int) -> Callable[[], Awaitable[object]]:
    sdk = sdk_of(PACKAGE)
    replies = [[call_of("add", number)] for number in range(turns - 1)] + [[answer()]]
    agent = sdk.Agent(name="A", model=free_model(PACKAGE, replies), tools=[adder(sdk)])
    return lambda: sdk.Runner.run(agent, "go", max_turns=turns + 1)


async def handoffs() -> Figures:
    """Measure a handoff, of a hundred back and forth in one run."""
    sdk, number = sdk_of(PACKAGE), 100
    replies = [[call_of(f"transfer_to_{'ba'[i % 2]}", i, "{}")] for i in range(number)]
    model = free_model(PACKAGE, [*replies, [answer()]])
    first, second = sdk.Agent(name="A", model=model), sdk.Agent(name="B", model=model)
    first.handoffs, second.handoffs = [second], [first]

    async def run() -> None:
        await sdk.Runner.run(first, "go", max_turns=number + 2)

    await run()
    return {"handoff, run of 100": await best(run, 4) / number}


async def first_run() -> Figures:
    """Measure the first run of a chain of fifty agents, which goes through all of them."""
    sdk, number = sdk_of(PACKAGE), 50
    replies = [[call_of(f"transfer_to_agent_{i + 1}", i, "{}")] for i in range(number - 1)]
    model = free_model(PACKAGE, [*replies, [answer()]])
    start: list[Any] = []

    def make() -> None:
        agents = [sdk.Agent(name=f"agent_{i}", model=model) for i in range(number)]
        for agent, following in pairwise(agents):
            agent.handoffs = [following]
        start[:] = agents[:1]

    async def run() -> None:
        await sdk.Runner.run(start[0], "go", max_turns=number + 1)

    return {"first run of 50 agents, an agent": await best(run, 8, make) / number}


async def made_anew() -> Figures:
    """Compare agents made for each request, as in a web handler, with agents that are reused."""
    sdk, batch, repetitions = sdk_of(PACKAGE), 20, 10
    tool, model = adder(sdk), free_model(PACKAGE, [[answer()]])
    transfer = [call_of("transfer_to_warranty", 1, "{}")]
    desk_model = free_model(PACKAGE, [transfer, [answer()]])

    def one() -> Any:
        return sdk.Agent(name="A", instructions="Answer.", model=model, tools=[tool])

    def desk() -> Any:
        specialists = [
            sdk.Agent(
                name=name,
                instructions=f"You answer questions about {name}.",
                handoff_description=f"Knows about {name}",
                model=desk_model,
                tools=[tool],
            )
            for name in SPECIALISTS
        ]
        return sdk.Agent(
            name="triage", instructions="Hand over.", model=desk_model, handoffs=specialists
        )

    async def runs_of(make: Callable[[], Any]) -> Any:
        async def run() -> None:
            for _ in range(batch):
                await sdk.Runner.run(make(), "go")

        await run()
        return await best(run, repetitions) / batch

    agent, one_desk = one(), desk()
    reused, anew = await runs_of(lambda: agent), await runs_of(one)
    reused_desk, anew_desk = await runs_of(lambda: one_desk), await runs_of(desk)
    agents = len(SPECIALISTS) + 1
    return {
        "one-turn run, kept agent": reused,
        "one-turn run, agent made anew": anew,
        "agent made anew, above a kept one": anew - reused,
        "two-turn run, kept desk of seven": reused_desk,
        "two-turn run, desk of seven made anew": anew_desk,
        "desk of seven made anew, an agent": (anew_desk - reused_desk) / agents,
    }


async def concurrent() -> Figures:
    """Measure five hundred concurrent runs of three turns, with one agent for all and one each."""
    sdk = sdk_of(PACKAGE)
    make = _agents_of_three_turns(sdk)
    shared = make()
    figures = {}
    for name, agent_of in (("one agent", lambda: shared), ("own agents", make)):

        async def run(agent_of: Callable[[], Any] = agent_of) -> None:
            await asyncio.gather(*(sdk.Runner.run(agent_of(), "go") for _ in range(CONCURRENT)))

        await run()
        figures[f"500 runs of 3 turns, {name}, a run"] = await best(run, 2) / CONCURRENT
    return figures


def _agents_of_three_turns(
    sdk: Any, before_last: Callable[[], Awaitable[object]] | None = None
) -> Callable[[], Any]:
    replies = [[call_of("add", 1)], [call_of("add", 2)], [answer()]]
    tool, model = adder(sdk), free_model(PACKAGE, replies, before_last)
    return lambda: sdk.Agent(name="A", instructions="Answer.", model=model, tools=[tool])


async def waiting() -> Figures:
    """Measure the memory of a hundred runs that wait for the third reply of their model."""
    figures = {}
    for name, own in (("one agent", False), ("own agents", True)):
        figures[f"memory of a waiting run, {name}"] = await _bytes_of_waiting_runs(own=own)
    return figures


async def _bytes_of_waiting_runs(*, own: bool) -> float:
    """Return the bytes of one run. The replies are shared, so they do not count."""
    sdk, opened, arrived = sdk_of(PACKAGE), asyncio.Event(), asyncio.Semaphore(0)

    async def wait() -> None:
        arrived.release()
        await opened.wait()

    make = _agents_of_three_turns(sdk, wait)
    shared = make()

    async def runs(number: int) -> list[asyncio.Task[Any]]:
        tasks = [
            asyncio.create_task(sdk.Runner.run(make() if own else shared, "go"))
            for _ in range(number)
        ]
        for _ in tasks:
            await arrived.acquire()
        return tasks

    # The first runs fill caches, which are not a cost of each run.
    early = await runs(2)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    late = await runs(WAITING)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    opened.set()
    await asyncio.gather(*early, *late)
    return bytes_a_unit(before, after, WAITING)


async def parallel_calls() -> Figures:
    """Measure calls of a trivial tool, all in one reply."""
    sdk = sdk_of(PACKAGE)
    figures = {}
    for number, repetitions in ((100, 6), (2_000, 2)):
        calls = [call_of("add", i) for i in range(number)]
        model = free_model(PACKAGE, [calls, [answer()]])
        agent = sdk.Agent(name="A", model=model, tools=[adder(sdk)])

        async def run(agent: Any = agent) -> None:
            await sdk.Runner.run(agent, "go")

        await run()
        figures[f"call, {number:,} in one reply"] = await best(run, repetitions) / number
    return figures


async def deltas() -> Figures:
    """Measure a streamed answer in 5,000 pieces."""
    sdk, number = sdk_of(PACKAGE), 5_000
    agent = sdk.Agent(name="A", model=streaming_model(PACKAGE, number))

    async def run() -> None:
        async for _ in sdk.Runner.run_streamed(agent, "go").stream_events():
            pass

    await run()
    return {"streamed delta": await best(run, 4) / number}


async def loopback() -> Figures:
    """Measure one request to a server on this machine, by the bare client and by a run."""
    sdk = sdk_of(PACKAGE)

    def runs(client: Any) -> Callable[[], Awaitable[object]]:
        model = sdk.OpenAIResponsesModel(model="gpt-4.1", openai_client=client)
        agent = sdk.Agent(name="A", instructions="Answer.", model=model)
        return lambda: sdk.Runner.run(agent, "go")

    return await over_loopback(runs)


WORKLOADS = {
    "tool_turns": tool_turns,
    "long_run": long_run,
    "handoffs": handoffs,
    "first_run": first_run,
    "made_anew": made_anew,
    "concurrent": concurrent,
    "waiting": waiting,
    "parallel_calls": parallel_calls,
    "deltas": deltas,
    "loopback": loopback,
}

if __name__ == "__main__":
    print_figures(asyncio.run(WORKLOADS[sys.argv[2]]()))
