"""Processes that race for one run; the tests start them."""

from __future__ import annotations

import asyncio
import os
from multiprocessing.connection import Connection
from pathlib import Path

from agentgraph import Agent, RunInProgress, Runner, function_tool
from agentgraph.testing import FunctionModel, ModelCall, assistant_message, function_call
from tests.durable.killed_program import Place


def agent(effects: Path) -> Agent:
    """An agent that pays once in each run, and writes each payment down."""

    @function_tool
    async def pay(run: str) -> str:
        """Pay."""
        file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{run}\n".encode())
        os.close(file)
        return "paid"

    def reply(call: ModelCall) -> list[object]:
        first, *later = call.input
        if later:
            return [assistant_message("done")]
        return [function_call("pay", {"run": first["content"]}, call_id="pay")]  # type: ignore[index]

    return Agent(name="Pay", model=FunctionModel(reply, record_calls=False), tools=[pay])


def race(place: Place, receiver: Connection, sender: Connection) -> None:
    """Begin each run that is named, and tell its end; every second one is not waited for."""

    async def main() -> None:
        journal, payer = place.journal(), agent(place.effects)
        sender.send("ready")
        while run := receiver.recv():
            try:
                result = await Runner.run(
                    payer,
                    run,
                    journal=journal,
                    run_id=run,
                    if_running="raise" if run.endswith("!") else "wait",
                )
                sender.send(result.final_output)
            except RunInProgress:
                sender.send("in progress")
        await journal.aclose()

    asyncio.run(main())
