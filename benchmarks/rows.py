"""The rows that every side measures in the same way.

A side passes how it makes and runs an agent; the numbers of agents and runs, the repetitions and
the names of the rows are here, so they are the same on every side. This file runs in the
environment of each side, so it imports only the standard library.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from measuring import Figures, Work, best, bytes_a_unit, print_figures

__all__ = [
    "SPECIALISTS",
    "Make",
    "Run",
    "Workload",
    "concurrent",
    "long_run",
    "made_anew",
    "parallel_calls",
    "print_workload",
    "tool_turns",
    "waiting",
]

CONCURRENT = 500
WAITING = 100
SPECIALISTS = ("billing", "delivery", "refunds", "warranty", "accounts", "sales")

Make = Callable[[], Any]
"""Makes an agent."""

Run = Callable[[Any], Awaitable[object]]
"""Runs an agent once."""

Workload = Callable[[], Coroutine[Any, Any, Figures]]
"""Measures some rows."""


async def tool_turns(run_of: Callable[[int], Work]) -> Figures:
    """Measure a model's turn that calls one tool, in a run of 25 turns and one of 100.

    Args:
        run_of: Receives a number of turns; returns the work of such a run.
    """
    return {
        f"tool turn, run of {turns}": await best(run_of(turns), 400 // turns) / turns
        for turns in (25, 100)
    }


async def long_run(run_of: Callable[[int], Work]) -> Figures:
    """Measure the same turn in one run of 1,000 turns, after a short run that loads the types."""
    await run_of(2)()
    return {"tool turn, run of 1,000": await best(run_of(1_000), 1) / 1_000}


async def made_anew(run: Run, make_agent: Make, make_desk: Make) -> Figures:
    """Compare agents made for each request, as in a web handler, with agents that are reused.

    Args:
        run: Runs an agent.
        make_agent: Makes an agent that answers at once.
        make_desk: Makes an agent that hands over to one of `SPECIALISTS`, which answers.
    """
    batch, repetitions = 20, 10

    async def runs_of(make: Make) -> Any:
        async def several() -> None:
            for _ in range(batch):
                await run(make())

        await several()
        return await best(several, repetitions) / batch

    agent, desk = make_agent(), make_desk()
    reused, anew = await runs_of(lambda: agent), await runs_of(make_agent)
    reused_desk, anew_desk = await runs_of(lambda: desk), await runs_of(make_desk)
    agents = len(SPECIALISTS) + 1
    return {
        "one-turn run, kept agent": reused,
        "one-turn run, agent made anew": anew,
        "agent made anew, above a kept one": anew - reused,
        "two-turn run, kept desk of seven": reused_desk,
        "two-turn run, desk of seven made anew": anew_desk,
        "desk of seven made anew, an agent": (anew_desk - reused_desk) / agents,
    }


async def concurrent(run: Run, make: Make) -> Figures:
    """Measure five hundred concurrent runs of three turns, with one agent for all and one each.

    Args:
        run: Runs an agent.
        make: Makes an agent that calls a tool in two turns and answers in the third.
    """
    shared = make()
    figures = {}
    for name, agent_of in (("one agent", lambda: shared), ("own agents", make)):

        async def runs(agent_of: Make = agent_of) -> None:
            await asyncio.gather(*(run(agent_of()) for _ in range(CONCURRENT)))

        await runs()
        figures[f"500 runs of 3 turns, {name}, a run"] = await best(runs, 2) / CONCURRENT
    return figures


async def waiting(run: Run, maker: Callable[[Work], Make]) -> Figures:
    """Measure the memory of a hundred runs that wait for the third reply of their model.

    Args:
        run: Runs an agent.
        maker: Receives what the model awaits before its last reply; returns a function that makes
            an agent as for `concurrent`.
    """
    return {
        f"memory of a waiting run, {name}": await _bytes_of_waiting_runs(run, maker, own=own)
        for name, own in (("one agent", False), ("own agents", True))
    }


async def _bytes_of_waiting_runs(run: Run, maker: Callable[[Work], Make], *, own: bool) -> float:
    """Return the bytes of one run. The replies are shared, so they do not count."""
    opened, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def wait() -> None:
        arrived.release()
        await opened.wait()

    make = maker(wait)
    shared = make()

    async def runs(number: int) -> list[asyncio.Future[object]]:
        tasks: list[asyncio.Future[object]] = [
            asyncio.ensure_future(run(make() if own else shared)) for _ in range(number)
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


async def parallel_calls(run: Run, make: Callable[[int], Any]) -> Figures:
    """Measure calls of a trivial tool, all in one reply.

    Args:
        run: Runs an agent.
        make: Receives a number; returns an agent whose model makes so many calls and then answers.
    """
    figures = {}
    for number, repetitions in ((100, 6), (2_000, 2)):
        agent = make(number)

        async def once(agent: Any = agent) -> None:
            await run(agent)

        await once()
        figures[f"call, {number:,} in one reply"] = await best(once, repetitions) / number
    return figures


def print_workload(workload: Workload | None) -> None:
    """Measure a workload and print its rows; print no rows if the side cannot do it."""
    print_figures({} if workload is None else asyncio.run(workload()))
