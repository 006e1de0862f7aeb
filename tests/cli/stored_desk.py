"""A journal with durable runs of a refund desk, for the tests of `agentgraph runs`.

The module is also the program of these runs: `stored_desk.py:desk`.
"""

from __future__ import annotations

from pathlib import Path

from agentgraph import Agent, Runner, SQLiteJournal, function_tool
from agentgraph.testing import ScriptedModel, assistant_message, function_call

SECRET = "order-of-ada"
PAID: list[str] = []


@function_tool(needs_approval=True)
def refund(order: str) -> str:
    """Pay an order back."""
    PAID.append(order)
    return f"{order} is paid back"


@function_tool
def look_up(order: str) -> str:
    """Look an order up."""
    return f"{order} was delivered"


def desk_of(*replies: list[object]) -> Agent:
    return Agent(name="Desk", tools=[refund, look_up], model=ScriptedModel(list(replies)))


desk = desk_of([assistant_message("You have your money back.")])
LOOKS = [function_call("look_up", {"order": SECRET}, call_id="call_0")]
ASKS = [
    function_call("refund", {"order": SECRET}, call_id="call_1"),
    function_call("refund", {"order": "17"}, call_id="call_2"),
]


async def stored_runs(path: Path) -> None:
    """Store a run that waits, one that is done, one inside an agent tool, and one not begun."""
    journal = SQLiteJournal(path)
    await Runner.begin("later", "Refund nothing.", journal=journal)
    done = desk_of(LOOKS, [assistant_message(f"{SECRET} is there.")])
    await Runner.run(done, "Where is it?", journal=journal, run_id="done-1")
    inner = Agent(name="Payer", tools=[refund], model=ScriptedModel([ASKS[:1]]))
    pay = function_call("pay", {"input": "Pay."}, call_id="call_3")
    boss = Agent(name="Boss", tools=[inner.as_tool("pay", "Pays.")], model=ScriptedModel([[pay]]))
    await Runner.run(boss, "Let them pay.", journal=journal, run_id="nested-1")
    await Runner.run(desk_of(LOOKS, ASKS), "Refund both.", journal=journal, run_id="order-17")
    await journal.aclose()
