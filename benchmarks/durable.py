"""Durable runs, beside what they are built on.

usage: python benchmarks/durable.py [--folder FOLDER] [--outcomes N] [--only NAME ...]

append: storing one outcome in an SQLite journal, beside a bare commit of the same text. turn: a
turn that calls a tool, with a journal and without. run: the same for a run of one turn. resume:
going on with a run of many outcomes. memory: what a finished run leaves behind in the process, and
what a long run needs for each turn.

The sides take turns. CPU time is that of all threads. Every figure is a median.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sqlite3
import tempfile
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import agentgraph
from agentgraph import Agent, Runner, SQLiteJournal
from free_models import adder, answer, call_of, free_model
from measuring import Cost, Work, median, once

ROUNDS, APPENDS, TURNS, RUNS = 7, 200, 200, 50
LINE = '{"index": 1, "path": [], "id": [2, 0, 0], "text": "' + 600 * "x" + '"}'


def agent(turns: int) -> Agent[Any]:
    """An agent that calls its tool in every turn but the last one, at no cost."""
    replies = [[call_of("add", number)] for number in range(turns - 1)] + [[answer()]]
    tool = adder(agentgraph)
    return Agent(name="A", model=free_model("agentgraph", replies), tools=[tool])


async def side_by_side(sides: Mapping[str, Work], units: int) -> dict[str, Cost]:
    """The median cost of one unit of each side, which take turns."""
    for work in sides.values():
        await work()
    costs: dict[str, list[Cost]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, work in sides.items():
            gc.collect()
            costs[name].append(await once(work) / units)
    return {name: median(each) for name, each in costs.items()}


def show(what: str, costs: Mapping[str, Cost]) -> None:
    bare, *others = costs
    for name, cost in costs.items():
        line = f"{what:8} {name:14} {cost.cpu * 1e6:9.1f} µs cpu {cost.wall * 1e6:9.1f} µs wall"
        if name in others:
            more = cost - costs[bare]
            line += f"   {cost.cpu / costs[bare].cpu:5.2f}x cpu, {more.wall * 1e6:+9.1f} µs wall"
        print(line)


async def appends(folder: Path) -> None:
    """One line, durable before the call returns."""
    journal = SQLiteJournal(folder / "appends.db")
    run = iter(range(ROUNDS + 1))
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE lines (run TEXT, place INTEGER, line TEXT)")

    async def bare() -> None:
        for place in range(APPENDS):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO lines VALUES ('a', ?, ?)", (place, LINE))
            connection.execute("COMMIT")

    async def stored() -> None:
        name = f"run {next(run)}"
        await journal.open(name, "{}")
        epoch = await journal.claim(name, "me", 1e6)
        for place in range(APPENDS):
            await journal.append(name, epoch, place, [LINE])

    show("append", await side_by_side({"bare commit": bare, "journal": stored}, APPENDS))
    connection.close()
    await journal.aclose()


def runs_of(folder: Path, turns: int, times: int) -> dict[str, Work]:
    """Runs of some turns without a journal, and with one of each durability."""
    one = agent(turns)

    def of(**options: Any) -> Work:
        async def work() -> None:
            for _ in range(times):
                await Runner.run(one, "go", max_turns=turns + 1, **options)

        return work

    journals: dict[str, Any] = {
        each: SQLiteJournal(folder / f"{each}-{turns}.db", durability=each)  # type: ignore[arg-type]
        for each in ("async", "exit", "sync")
    }
    return {"no journal": of(), **{name: of(journal=one) for name, one in journals.items()}}


async def turns(folder: Path) -> None:
    """A turn of a long run."""
    show("turn", await side_by_side(runs_of(folder, TURNS, 1), TURNS))


async def runs(folder: Path) -> None:
    """A whole run of one turn."""
    show("run", await side_by_side(runs_of(folder, 1, RUNS), RUNS))


async def resumes(folder: Path, outcomes: int) -> None:
    """Going on with a long run, whose last turn is due."""
    journal = SQLiteJournal(folder / "resumes.db", durability="exit")
    many = outcomes // 2 + 1
    await Runner.run(agent(many), "go", max_turns=many + 1, journal=journal, run_id="a")
    forks = [f"fork {number}" for number in range(3)]
    stored = len(await journal.read("a"))
    for fork in forks:
        await Runner.fork("a", journal=journal, at=outcomes, new_run_id=fork)
    one = agent(many)
    costs = []
    for fork in forks:
        gc.collect()
        costs.append(await once(lambda fork=fork: Runner.resume(fork, one, journal=journal)))
    show(f"resume of {outcomes:,} outcomes ({stored:,} lines)", {"": median(costs)})


async def memory(folder: Path) -> None:
    """What runs keep alive: those that are over, and one that goes on."""
    journal = SQLiteJournal(folder / "memory.db", durability="async")
    one = agent(2)

    async def some(count: int) -> None:
        for _ in range(count):
            await Runner.run(one, "go", journal=journal)

    tracemalloc.start()
    await some(RUNS)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    await some(4 * RUNS)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    print(f"memory   a finished run {(after - before) / (4 * RUNS):9.1f} bytes kept")
    sides: dict[str, dict[str, Any]] = {"no journal": {}, "async": {"journal": journal}}
    for name, options in sides.items():
        long = agent(1_001)
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        result = await Runner.run(long, "go", max_turns=1_002, **options)
        peak = tracemalloc.get_traced_memory()[1]
        print(
            f"memory   1,000 turns, {name:12} {(peak - before) / 1_000:9.1f} bytes a turn at most"
        )
        del result
    tracemalloc.stop()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the files are written")
    parser.add_argument("--outcomes", type=int, default=10_000, help="outcomes of the long run")
    parser.add_argument("--only", nargs="*", help="names of the measures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        place = Path(folder)
        measures: dict[str, Callable[[], Awaitable[None]]] = {
            "append": lambda: appends(place),
            "turn": lambda: turns(place),
            "run": lambda: runs(place),
            "resume": lambda: resumes(place, options.outcomes),
            "memory": lambda: memory(place),
        }
        for name, measure in measures.items():
            if not options.only or name in options.only:
                await measure()


if __name__ == "__main__":
    asyncio.run(main())
