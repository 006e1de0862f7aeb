"""A workflow with every kind of work, which the tests of kills cut anywhere.

Its model answers by what it is shown, so a process that goes on needs nothing but the journal. Each
call writes its key to a file outside as soon as it has its effect.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from agentgraph import (
    Agent,
    JournalStore,
    Runner,
    SQLiteJournal,
    SQLiteSession,
    ToolContext,
    Workflow,
    function_tool,
)
from agentgraph.testing import FunctionModel, assistant_message, function_call

INPUT = "Do everything."


class Place(NamedTuple):
    """Where a run, its session and its effects are stored.

    Args:
        folder: The folder of the files.
        durability: That of the journal.
        url: The database of the journal; none for a file in the folder.
    """

    folder: Path
    durability: Any = "sync"
    url: str = ""

    @property
    def effects(self) -> Path:
        """The file with a line for each effect; the key of the call stands last."""
        return self.folder / "effects.txt"

    def journal(self) -> JournalStore:
        """Open the journal."""
        if not self.url:
            return SQLiteJournal(self.folder / "runs.db", durability=self.durability)
        from agentgraph.extensions.journals import PostgresJournal

        return PostgresJournal(self.url, durability=self.durability)

    def session(self, run_id: str) -> SQLiteSession:
        """Open the session of a run."""
        return SQLiteSession(run_id, self.folder / "sessions.db")


def says(*replies: tuple[int, list[Any]]) -> FunctionModel:
    """A model whose reply follows from the number of outputs that it sees."""
    by_outputs = dict(replies)

    async def reply(request: Any) -> list[Any]:
        await asyncio.sleep(0.002)
        items = request.input if isinstance(request.input, list) else []
        return by_outputs[sum(item.get("type") == "function_call_output" for item in items)]

    return FunctionModel(reply, record_calls=False)


def program(effects: Path) -> Workflow:
    """The workflow: parallel calls, a nested agent, approvals, a handoff, branches, a question."""

    async def have_effect(context: ToolContext[Any], name: str, number: int) -> str:
        at_work = getattr(context.agent, "name", "")
        call = f"{name} {number} in {at_work} {context.idempotency_key}"
        file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{call}\n".encode())
        os.close(file)
        await asyncio.sleep(0.002)
        return call

    @function_tool(read_only=True)
    async def look(context: ToolContext[Any], number: int) -> str:
        """Look."""
        return await have_effect(context, "look", number)

    @function_tool(on_interrupted="fail")
    async def send(context: ToolContext[Any], number: int) -> str:
        """Send."""
        return await have_effect(context, "send", number)

    @function_tool(needs_approval=True)
    async def pay(context: ToolContext[Any], number: int) -> str:
        """Pay."""
        return await have_effect(context, "pay", number)

    def call(name: str, number: int) -> Any:
        return function_call(name, {"number": number}, call_id=f"{name}-{number}")

    def message(text: str) -> list[Any]:
        return [assistant_message(text, item_id=f"message {text}")]

    expert = Agent(
        name="Expert",
        model=says((0, [call("look", 3), call("pay", 3)]), (2, message("expert"))),
        tools=[look, pay],
    )
    closer = Agent(
        name="Closer", model=says((7, [call("send", 7)]), (8, message("closed"))), tools=[send]
    )
    desk = Agent(
        name="Desk",
        model=says(
            (0, [call("look", 1), call("look", 2), call("send", 1)]),
            (3, [function_call("expert", {"input": "Help."}, call_id="expert")]),
            (4, [call("pay", 4), call("pay", 5)]),
            (6, [function_call("transfer_to_closer", {}, call_id="handoff")]),
        ),
        tools=[look, send, pay, expert.as_tool("expert", "Ask an expert.")],
        handoffs=[closer],
    )
    members = [
        Agent(
            name=name,
            model=says((0, [call("look", at), call("send", at)]), (2, message(name))),
            tools=[look, send],
        )
        for at, name in enumerate(("Legal", "Finance"))
    ]
    writer = Agent(name="Writer", model=says((0, message("written"))))
    flow = Workflow("Everything", start=desk)
    board = flow.parallel("board", members)
    person = flow.ask("person", "Is it good?", answer=bool)
    flow.then(desk, board)
    flow.then(board, person)
    flow.then(person, writer)
    return flow


async def work(place: Place, run_id: str, *, streamed: bool = False) -> Any:
    """Go on with a run until it is over, and decide whatever it asks.

    Returns:
        The result.
    """
    flow, journal, session = program(place.effects), place.journal(), place.session(run_id)
    options: dict[str, Any] = {"journal": journal, "run_id": run_id, "session": session}
    source: Any = INPUT
    try:
        while True:
            if streamed:
                result: Any = Runner.run_streamed(flow, source, **options)
                async for _ in result.stream_events():
                    pass
            else:
                result = await Runner.run(flow, source, **options)
            if not result.interruptions:
                return result
            source = result.to_state()
            options = {"session": session}
            decide(source, result.interruptions)
    finally:
        session.close()
        await journal.aclose()


def decide(state: Any, interruptions: Sequence[Any]) -> None:
    """Approve calls, answer questions, and let calls that were interrupted be made again."""
    for item in interruptions:
        if item.type == "question_item":
            state.answer(item, True)
        else:
            state.approve(item)


def work_in_a_process(place: Place, run_id: str, streamed: bool, sender: Connection) -> None:
    """Go on with a run; tell the moments at which it begins and ends."""
    sender.send("ready")
    asyncio.run(work(place, run_id, streamed=streamed))
    sender.send("done")
