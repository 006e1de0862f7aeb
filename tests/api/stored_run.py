"""A program that does one step of a run in a process of its own: begins it, or decides on the first
call that waits, or says nothing, and goes on. What is left of the run between two processes is the
text of its state.

    python stored_run.py begin|approve|reject|go_on STATE EFFECTS
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agentgraph import Agent, AgentOutputSchema, Runner, RunState, SQLiteSession, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


@dataclass(frozen=True)
class Receipt:
    """What paying gives."""

    amount: Decimal


class Report(BaseModel):
    """What the desk ends with."""

    paid: list[str]


def desk(effects: Path) -> Agent[Any]:
    """An agent that pays, and asks an agent that pays; a person is asked about each payment.

    What the models do next follows from what they are shown, so that a process that takes over
    needs nothing but the text.
    """

    @function_tool(needs_approval=True)
    async def pay(amount: int) -> Receipt:
        with effects.open("a", encoding="utf-8") as file:
            file.write(f"{amount}\n")
        return Receipt(Decimal(amount))

    def outputs(asked: Any) -> list[str]:
        return [
            item["output"] for item in asked.input if item.get("type") == "function_call_output"
        ]

    def assistant(asked: Any) -> list[Any]:
        if not outputs(asked):
            return [function_call("pay", {"amount": 2}, call_id="inside")]
        return [assistant_message("assistant: " + ", ".join(outputs(asked)))]

    def clerk(asked: Any) -> list[Any]:
        if not outputs(asked):
            return [
                function_call("pay", {"amount": 1}, call_id="first"),
                function_call("ask", {"input": "pay"}, call_id="ask"),
            ]
        return [assistant_message(json.dumps({"paid": outputs(asked)}))]

    inner = Agent(name="Assistant", model=ScriptedModel(assistant), tools=[pay])
    return Agent(
        name="Clerk",
        model=ScriptedModel(clerk),
        tools=[pay, inner.as_tool("ask", "Ask the assistant.")],
        output_type=AgentOutputSchema(Report),
    )


async def main(step: str, stored: str | None, effects: Path) -> str:
    """Do one step, say what waits and how the run ended, and give the text of its state."""
    agent = desk(effects)
    session = SQLiteSession("customer", effects.with_suffix(".db"))
    start: str | RunState[Any] = "Pay."
    if stored is not None:
        start = await RunState.from_string(agent, stored)
        if step == "approve":
            start.approve(start.get_interruptions()[0])
        elif step == "reject":
            start.reject(start.get_interruptions()[0], rejection_message="Not today.")
    result = await Runner.run(agent, start, context={"customer": "Ada"}, session=session)
    kinds = [item.get("type", item.get("role")) for item in await session.get_items()]
    output = result.final_output
    print(
        json.dumps(
            {
                "waits": [item.call_id for item in result.interruptions],
                "output": output.paid if isinstance(output, Report) else None,
                "session": kinds,
            }
        )
    )
    session.close()
    return result.to_state().to_string()


if __name__ == "__main__":
    name, text, book = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    row = text.read_text(encoding="utf-8") if name != "begin" else None
    text.write_text(asyncio.run(main(name, row, book)), encoding="utf-8")
