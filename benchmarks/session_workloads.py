"""The measured work on sessions, written once for both packages; ``sessions.py`` runs it in each
one's own environment.

usage: python session_workloads.py agentgraph|agents RUNS,SIZE,SIZE...

Each size gets a file of its own, with a conversation of turns with tool calls. After every run what
it stored is taken away again, so that each one meets the same history. Some runs come after a write
of another program, so that nothing that this one remembers of the file is of use to them. Prints
one line of JSON: the median cost of each work at each size.
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
    """A conversation of so many items, an even number, each with an id of its own as the API gives
    them. It ends with a turn without a call where there is no room for one."""
    items: list[dict[str, Any]] = []
    number = 0
    while len(items) < size:
        items += turn(number) if size - len(items) >= 4 else turn(number)[::3]
        number += 1
    return items


def turn(number: int) -> list[dict[str, Any]]:
    """A question, a call with its output, and an answer."""
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
    """A model that costs nothing and gives every answer an id of its own."""
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
    """Every work, on a session with so many items, as the median of some repetitions."""
    sdk = sdk_of(PACKAGE)
    file = folder / f"{PACKAGE}-{size}.db"
    session = sdk.SQLiteSession("s", file)
    await session.add_items(history(size))
    agent = sdk.Agent(name="A", model=free_model())
    saved = turn(size)[1:]
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
        await measured("save a turn of 3 items", lambda: session.add_items(saved))
        for _ in range(7):
            await session.pop_item()
    other.close()
    session.close()
    return {name: median(found) for name, found in costs.items()}


async def new_sessions(folder: Path, runs: int) -> Figures:
    """Runs of which each begins a conversation, in a file that has others."""
    sdk = sdk_of(PACKAGE)
    file = folder / f"{PACKAGE}-new.db"
    agent = sdk.Agent(name="A", model=free_model())
    kept = sdk.SQLiteSession("kept", file)
    await sdk.Runner.run(agent, "warm up", session=kept)
    costs = []
    for number in range(runs):
        with closing(sdk.SQLiteSession(f"new {number}", file)) as session:
            costs.append(await once(partial(sdk.Runner.run, agent, "question", session=session)))
    kept.close()
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
