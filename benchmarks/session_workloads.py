"""The measured work on sessions, written once for both packages; ``sessions.py`` runs it in each
one's own environment.

usage: python session_workloads.py agentgraph|agents FOLDER RUNS SIZE...

Each size gets a file of its own, with a conversation of turns with tool calls. After every run what
it stored is taken away again, so that each one meets the same history. Some runs come after a write
of another program, so that nothing that this one remembers of the file is of use to them. Prints
one JSON object: the seconds of every repetition, by size and work.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sqlite3
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

PACKAGE = sys.argv[1]


def load() -> Any:
    sdk = importlib.import_module(PACKAGE)
    if PACKAGE == "agents":
        sdk.set_tracing_disabled(True)
    return sdk


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

    class Free(interface.Model):  # type: ignore[misc]
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


async def timed(work: Awaitable[Any]) -> float:
    start = time.perf_counter()
    await work
    return time.perf_counter() - start


async def measure(folder: Path, size: int, runs: int) -> dict[str, list[float]]:
    """Time every work so often, on a session with so many items."""
    sdk = load()
    file = folder / f"{PACKAGE}-{size}.db"
    session = sdk.SQLiteSession("s", file)
    await session.add_items(history(size))
    agent = sdk.Agent(name="A", model=free_model())
    saved = turn(size)[1:]
    times: dict[str, list[float]] = defaultdict(list)
    await sdk.Runner.run(agent, "warm up", session=session)
    for _ in range(2):
        await session.pop_item()
    other = sqlite3.connect(file, isolation_level=None)
    gc.collect()
    gc.freeze()
    for number in range(runs):
        run = sdk.Runner.run(agent, f"question {number}", session=session)
        times["a run of one turn"].append(await timed(run))
        other.execute("REPLACE INTO agent_sessions VALUES ('other', ?, ?)", (number, number))
        run = sdk.Runner.run(agent, f"question {number} again", session=session)
        times["the same, after another program wrote"].append(await timed(run))
        times["read everything"].append(await timed(session.get_items()))
        times["read the 10 latest"].append(await timed(session.get_items(limit=10)))
        times["save a turn of 3 items"].append(await timed(session.add_items(saved)))
        for _ in range(7):
            await session.pop_item()
    other.close()
    session.close()
    return times


async def main() -> None:
    folder, runs = Path(sys.argv[2]), int(sys.argv[3])
    found = {size: await measure(folder, int(size), runs) for size in sys.argv[4:]}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
