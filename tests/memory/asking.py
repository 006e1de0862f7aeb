"""Runs with tools for session tests: three turns each, every item named after its run.

What the model does next follows from what it is shown, so a second try goes on where it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from agentgraph import Agent, Runner, function_tool
from agentgraph.memory import Session
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.stores import Item

TWO_CALLS = [*["function_call"] * 2, *["function_call_output"] * 2]
KINDS = ["user", *TWO_CALLS, "function_call", "function_call_output", "message"]
"""A whole run: its input and three turns."""

BEGINNINGS = [KINDS[:length] for length in (1, 5, 7, 8)]
"""What a session may hold of a run: its input and whole turns."""


def kind_of(item: Item) -> str:
    return "user" if item.get("role") == "user" else str(item["type"])


def author(item: Item) -> str:
    """Which run wrote an item that is no question."""
    return str(item.get("call_id") or item["id"]).partition(".")[0]


def clerk(
    name: str, meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None
) -> Agent[Any]:
    """An agent that calls a tool twice, then once, then answers.

    Args:
        name: What the ids begin with.
        meanwhile: What the tool does.
    """

    @function_tool(failure_error_function=None)
    async def note(text: str) -> str:
        """Note a text."""
        await (asyncio.sleep(0) if meanwhile is None else meanwhile())
        return f"noted {text}"

    def reply(asked: Any) -> list[Any]:
        match len(
            [item for item in asked.input if str(item.get("call_id")).startswith(f"{name}.")]
        ):
            case 0:
                return [_note(name, "a"), _note(name, "b")]
            case 4:
                return [_note(name, "c")]
            case _:
                return [assistant_message(f"done {name}", item_id=f"{name}.m")]

    return Agent(name="Clerk", model=ScriptedModel(reply), tools=[note])


def _note(name: str, place: str) -> Any:
    return function_call("note", {"text": name}, call_id=f"{name}.{place}")


async def ask(name: str, session: Session, question: str | None = None) -> None:
    """Run a clerk on a session; while its tools run, the session is whole at every moment."""

    async def look() -> None:
        check_whole_turns(list(await session.get_items()))

    result = await Runner.run(clerk(name, look), question or f"ask {name}", session=session)
    assert result.final_output == f"done {name}"


def runs_in(stored: list[Item]) -> list[list[Item]]:
    """The items of each run, which begins with a question."""
    starts = [at for at, item in enumerate(stored) if kind_of(item) == "user"]
    return [
        stored[start:end] for start, end in zip(starts, [*starts[1:], len(stored)], strict=True)
    ]


def check_whole_turns(stored: list[Item]) -> None:
    """The history is legal; every run in it is together, in order and cut only between turns."""
    assert legal(stored)
    runs = runs_in(stored)
    assert sum(map(len, runs)) == len(stored)
    for question, *items in runs:
        kinds = [kind_of(item) for item in (question, *items)]
        assert kinds in BEGINNINGS
        names = {author(item) for item in items}
        assert len(names) <= 1
        assert (
            question["content"] in ("ask the same", *(f"ask {name}" for name in names)) or not names
        )


def check_finished(stored: list[Item], names: list[str]) -> None:
    """These runs are there, whole, and nothing else is."""
    check_whole_turns(stored)
    assert [[kind_of(item) for item in run] for run in runs_in(stored)] == [KINDS] * len(names)
    assert sorted(author(run[-1]) for run in runs_in(stored)) == sorted(names)


def check_answered(stored: list[Item], names: list[str]) -> None:
    """Each of these runs is there, with a question and its answer."""
    assert legal(stored)
    assert [kind_of(item) for item in stored] == ["user", "message"] * len(names)
    assert sorted(map(author, stored[1::2])) == sorted(names)


ASKERS = """
import asyncio, sys
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import SQLiteSession
from agentgraph import Agent, Runner
from agentgraph.testing import ScriptedModel, assistant_message
from tests.memory.asking import ask

def opened(place):
    if "://" in place:
        return SQLAlchemySession.from_url("shared", url=place, create_tables=True)
    return SQLiteSession("shared", place)

async def answer(name, session, question):
    model = ScriptedModel([[assistant_message("yes", item_id=f"{name}.m")]])
    await Runner.run(Agent(name="Answers", model=model), question, session=session)

async def main(process, place, count, question):
    session = opened(place)
    await session.get_items()
    print("ready", flush=True)
    sys.stdin.readline()
    names = [f"{process}{number}" for number in range(int(count))]
    if question:
        await asyncio.gather(*(answer(name, session, question) for name in names))
    else:
        await asyncio.gather(*(ask(name, session) for name in names))
    closing = session.close()
    if closing is not None:
        await closing

asyncio.run(main(*sys.argv[1:]))
"""
"""A program that runs so many clerks at once on one session, once it is told to begin; with a
question, agents that only answer that."""
