"""A service with runs that wait for a person, for days if need be, and continue in whatever process
receives the decision.

    AGENTGRAPH_MODEL=rehearsal python examples/approval_service.py
    curl localhost:8000/runs -H 'content-type: application/json' \\
        -d '{"request": "Refund order 1042 with 40 euros"}'
    curl localhost:8000/runs/ID
    curl localhost:8000/runs/ID/decisions -H 'content-type: application/json' \\
        -d '{"call": 0, "approve": true}'

Between two requests a run is a row of an SQLite file: the text of its state. You may kill the
service at any moment and start it again. (If you kill it during a refund, it cannot know whether
the money is gone; ask the bank for the order's number.) Without OPENAI_API_KEY the embedded
rehearsal model answers. Needs the extra: pip install "agentgraph-workflows[examples]"
"""

import os
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from agentgraph import Agent, Runner, RunState, function_tool
from agentgraph.result import RunResult

FILE = Path(os.environ.get("APPROVALS_FILE", "approvals.db"))

TABLES = """
create table if not exists runs (id text primary key, version integer, state text, output text);
create table if not exists refunds (order_number integer, euros integer);
"""


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """The service's file, in a transaction."""
    connection = sqlite3.connect(FILE, timeout=30)
    try:
        with connection:
            connection.executescript(TABLES)
            yield connection
    finally:
        connection.close()


@function_tool(needs_approval=True)
def refund(order_number: int, euros: int) -> str:
    """Pay money back to the customer.

    Args:
        order_number: The number of the order.
        euros: How much.
    """
    with database() as rows:
        rows.execute("insert into refunds values (?, ?)", (order_number, euros))
    return f"{euros} euros are on their way."


clerk = Agent(
    name="Refunds",
    instructions="Refund what the customer asks for, then say what you did.",
    tools=[refund],
)


class Question(BaseModel):
    """What a customer asks for."""

    request: str


class Decision(BaseModel):
    """A person's decision about a waiting call; `call` is its index in `waits_for`."""

    call: int
    approve: bool
    reason: str | None = None
    version: int | None = None


app = FastAPI(title="Approvals")


@app.post("/runs")
async def begin(question: Question) -> dict[str, Any]:
    """Start a run; return when it is over or needs a person."""
    return store(uuid.uuid4().hex, 0, await Runner.run(clerk, question.request))


@app.get("/runs/{run_id}")
async def show(run_id: str) -> dict[str, Any]:
    """Return the calls that wait for a decision, or the output of the run."""
    version, text, output = load(run_id)
    return summary(run_id, version, await RunState.from_string(clerk, text), output)


@app.post("/runs/{run_id}/decisions")
async def decide(run_id: str, decision: Decision) -> dict[str, Any]:
    """Apply a decision and continue the run."""
    version, text, output = load(run_id)
    state = await RunState.from_string(clerk, text)
    waiting = state.get_interruptions()
    # A decision counts only for the version of the run that the person saw.
    if decision.version not in (None, version) or not 0 <= decision.call < len(waiting):
        raise HTTPException(409, detail=summary(run_id, version, state, output))
    if decision.approve:
        state.approve(waiting[decision.call])
    else:
        state.reject(waiting[decision.call], rejection_message=decision.reason)
    # The request that updates the row continues the run; a second click finds another version.
    with database() as rows:
        update = rows.execute(
            "update runs set version = ?, state = ? where id = ? and version = ?",
            (version + 1, state.to_string(), run_id, version),
        )
        if not update.rowcount:
            raise HTTPException(409, detail="Another decision came first.")
    return store(run_id, version + 1, await Runner.run(clerk, state))


def store(run_id: str, version: int, result: RunResult) -> dict[str, Any]:
    """Store the state and the output of a run."""
    state = result.to_state()
    output = None if result.interruptions else str(result.final_output)
    with database() as rows:
        rows.execute(
            "insert or replace into runs values (?, ?, ?, ?)",
            (run_id, version + 1, state.to_string(), output),
        )
    return summary(run_id, version + 1, state, output)


def load(run_id: str) -> tuple[int, str, str | None]:
    """Return the version of a run, the text of its state, and its output if it is over."""
    with database() as rows:
        row = rows.execute(
            "select version, state, output from runs where id = ?", (run_id,)
        ).fetchone()
    if row is None:
        raise HTTPException(404, detail="There is no such run.")
    version, text, output = row
    return version, text, output


def summary(run_id: str, version: int, state: RunState[Any], output: str | None) -> dict[str, Any]:
    """Return a run in the form that the requests answer with."""
    waiting = [
        {"call": place, "tool": item.name, "arguments": item.arguments}
        for place, item in enumerate(state.get_interruptions())
    ]
    return {"run": run_id, "version": version, "waits_for": waiting, "output": output}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
