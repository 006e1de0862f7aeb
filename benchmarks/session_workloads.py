"""The workloads on sessions, written once for both packages; ``sessions.py`` runs them in the
environment of each package.

usage: python session_workloads.py agentgraph|agents RUNS,SIZE,SIZE...

Each size has a file of its own, with a conversation of turns with tool calls. After every run the
items that it stored are removed, so that each run meets the same history. Some runs come after a
write of another program, which makes this program's caches of the file useless. The script prints
one line of JSON: the median cost of each workload at each size.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import sqlite3
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from free_models import sdk_of
from measuring import Cost, Figures, Work, median, once, print_figures

PACKAGE = sys.argv[1]


def history(size: int) -> list[dict[str, Any]]:
    """Return a conversation of `size` items, an even number. Each item of a model has an id of its
    own, as in the API. If there is no room for a call, the last turn has none."""
    items: list[dict[str, Any]] = []
    number = 0
    while len(items) < size:
        items += turn(number) if size - len(items) >= 4 else turn(number)[::3]
        number += 1
    return items


def turn(number: int) -> list[dict[str, Any]]:
    """Return a question, a call with its output, and an answer."""
    return [
        {"role": "user", "content": f"question number {number} of a conversation"},
        {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": f"call_{number}",
            "name": "look_up",
            "arguments": '{"word": "forty-two"}',
        },
        {"type": "function_call_output", "call_id": f"call_{number}", "output": "42"},
        {
            "type": "message",
            "id": f"msg_{number}",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "It is forty-two.", "annotations": []}],
        },
    ]


def free_model() -> Any:
    """Make a model that costs nothing and gives every answer an id of its own."""
    interface = importlib.import_module(f"{PACKAGE}.models.interface")
    items = importlib.import_module(f"{PACKAGE}.items")
    usage = importlib.import_module(f"{PACKAGE}.usage")
    types = importlib.import_module("openai.types.responses")
    text = types.ResponseOutputText(type="output_text", text="done", annotations=[])

    class Free(interface.Model):  # type: ignore[misc, name-defined]
        answers = 0

        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            self.answers += 1
            answer = types.ResponseOutputMessage(
                id=f"answer_{self.answers}",
                type="message",
                role="assistant",
                status="completed",
                content=[text],
            )
            return items.ModelResponse([answer], usage.Usage(), None)

        def stream_response(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    return Free()


async def measure(folder: Path, size: int, runs: int) -> Figures:
    """Measure every workload on a session with `size` items; return the medians of `runs` runs."""
    sdk = sdk_of(PACKAGE)
    file = folder / f"{PACKAGE}-{size}.db"
    session = sdk.SQLiteSession("s", file)
    await session.add_items(history(size))
    agent = sdk.Agent(name="A", model=free_model())
    items = turn(size)[1:]
    costs: dict[str, list[Cost]] = defaultdict(list)
    await sdk.Runner.run(agent, "warm up", session=session)
    for _ in range(2):
        await session.pop_item()
    other = sqlite3.connect(file, isolation_level=None)
    gc.collect()
    gc.freeze()

    async def measured(name: str, work: Work) -> None:
        costs[f"{size:,} items: {name}"].append(await once(work))

    for number in range(runs):
        run = partial(sdk.Runner.run, agent, session=session)
        await measured("run of one turn", partial(run, f"question {number}"))
        other.execute("REPLACE INTO agent_sessions VALUES ('other', ?, ?)", (number, number))
        again = partial(run, f"question {number} again")
        await measured("run after another program wrote", again)
        await measured("read everything", session.get_items)
        await measured("read the 10 latest", lambda: session.get_items(limit=10))
        await measured("save a turn of 3 items", lambda: session.add_items(items))
        for _ in range(7):
            await session.pop_item()
    other.close()
    session.close()
    return {name: median(repetitions) for name, repetitions in costs.items()}


async def new_sessions(folder: Path, runs: int) -> Figures:
    """Measure runs that each begin a conversation, in a file that has others."""
    sdk = sdk_of(PACKAGE)
    file = folder / f"{PACKAGE}-new.db"
    agent = sdk.Agent(name="A", model=free_model())
    first = sdk.SQLiteSession("first", file)
    await sdk.Runner.run(agent, "warm up", session=first)
    costs = []
    for number in range(runs):
        with closing(sdk.SQLiteSession(f"new {number}", file)) as session:
            costs.append(await once(partial(sdk.Runner.run, agent, "question", session=session)))
    first.close()
    return {"new session: run of one turn": median(costs)}


async def main() -> None:
    runs, *sizes = map(int, sys.argv[2].split(","))
    with tempfile.TemporaryDirectory() as name:
        figures = dict(await new_sessions(Path(name), runs))
        for size in sizes:
            figures.update(await measure(Path(name), size, runs))
    print_figures(figures)


if __name__ == "__main__":
    asyncio.run(main())
