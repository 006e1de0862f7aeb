"""A run that is killed while it pays; the tests start it as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from agentgraph import Agent, Runner, SQLiteJournal, ToolContext, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call


def agent(paid: list[str], *, kill: bool, answered: bool, **options: Any) -> Agent:
    """An agent that pays once.

    Args:
        paid: Receives the key of each payment.
        kill: Whether the process dies in the middle of it.
        answered: Whether the model has asked for the payment already.
        options: Options of the tool.
    """

    @function_tool(**options)
    def pay(context: ToolContext[Any], euros: int) -> str:
        """Pay."""
        paid.append(context.idempotency_key)
        if kill:
            print(context.idempotency_key, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return f"paid {euros}"

    replies = [[function_call("pay", {"euros": 1}, call_id="a")], [assistant_message("done")]]
    return Agent(name="Pay", model=ScriptedModel(replies[answered:]), tools=[pay])


async def main(path: str) -> None:
    await Runner.run(
        agent([], kill=True, answered=False),
        "Pay.",
        journal=SQLiteJournal(path),
        run_id="a",
    )


def killed(path: Path) -> str:
    """Kill a process while it pays; return the key of the payment."""
    done = subprocess.run(
        [sys.executable, __file__, str(path)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.returncode == -9, done.stderr
    return done.stdout.strip()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
