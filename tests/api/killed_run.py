"""A process that runs an agent with tools on a session file until it is killed, and reports each
run that it saw finished."""

from __future__ import annotations

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from agentgraph import Agent, Runner, SQLiteSession, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@function_tool
async def note(number: int) -> str:
    """Note a number down."""
    await asyncio.sleep(0)
    return f"noted {number}"


def agents() -> Agent[Any]:
    """Two agents: the first calls two tools and hands over, the second calls one and answers.

    What the model does next follows from what it is shown last, so that a process that takes over
    needs nothing but the history.
    """
    count = 0

    def reply(asked: Any) -> list[Any]:
        nonlocal count
        count += 1
        question = [item for item in asked.input if item.get("role") == "user"][-1]
        number = int(question["content"].split()[-1])
        since = asked.input[len(asked.input) - 1 - asked.input[::-1].index(question) :]
        # A history that was cut between two runs may hold two questions: only the last one counts.
        match sum(item.get("type") == "function_call_output" for item in since):
            case 0:
                return [_note(number, "a"), _note(number, "b")]
            case 2:
                return [function_call("transfer_to_second", {}, call_id=f"{number}.h")]
            case 3:
                return [_note(number, "c")]
            case _:
                return [assistant_message(f"answer {number}", item_id=f"{number}.m")]

    model = ScriptedModel(reply, record_calls=False)
    second = Agent(name="Second", model=model, tools=[note])
    return Agent(name="First", model=model, tools=[note], handoffs=[second])


def _note(number: int, place: str) -> Any:
    return function_call("note", {"number": number}, call_id=f"{number}.{place}")


def run_until_killed(file: Path, session_id: str, first: int, finished: Connection) -> None:
    """Run questions, starting with number `first`, every second one streamed."""
    asyncio.run(_run(SQLiteSession(session_id, file), first, finished))


async def _run(session: SQLiteSession, first: int, finished: Connection) -> None:
    agent, number = agents(), first
    while True:
        if number % 2:
            await Runner.run(agent, f"question {number}", session=session)
        else:
            result = Runner.run_streamed(agent, f"question {number}", session=session)
            async for _ in result.stream_events():
                pass
        finished.send(number)
        number += 1
