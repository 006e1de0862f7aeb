"""An agent whose runs make ten calls; tests of engines give it to their workers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from agentgraph import Agent, function_tool
from agentgraph.testing import FunctionModel, assistant_message, function_call

STEPS = 10


def agent_of_ten_steps(effects: Path) -> Agent:
    """An agent that makes ten calls, one a turn, and writes each down.

    Args:
        effects: The file that it writes to.
    """

    @function_tool(idempotent=True)
    async def step(run: str, number: int) -> str:
        """Do one step."""
        with effects.open("a") as file:
            file.write(f"{run} {number}\n")
        await asyncio.sleep(0.02)
        return f"step {number}"

    def reply(request: Any) -> list[Any]:
        items = request.input
        if isinstance(items, str):
            items = [{"content": items}]
        done = sum(item.get("type") == "function_call_output" for item in items)
        run = str(items[0]["content"])
        if done == STEPS:
            return [assistant_message(f"{run} is done")]
        return [function_call("step", {"run": run, "number": done}, call_id=f"call_{done}")]

    return Agent(name="Worker", model=FunctionModel(reply), tools=[step])
