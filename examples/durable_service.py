"""A service whose runs survive it: kill it at any moment, start it again, and every run goes on.

    AGENTGRAPH_MODEL=rehearsal python examples/durable_service.py
    curl -X PUT localhost:8000/runs/order-1042 -H 'content-type: application/json' \\
        -d '{"request": "Refund order 1042 with 40 euros"}'
    curl localhost:8000/runs/order-1042/events
    curl localhost:8000/runs/order-1042/decisions -H 'content-type: application/json' \\
        -d '{"call": 0, "approve": true}'

A run is named by the caller, so a request that is sent twice begins one run. The bank takes one
refund for one key, and the key of a call stays the same, so no refund is made twice. RUNS_JOURNAL
names the journal: an SQLite file, or the URL of a PostgreSQL server. Without OPENAI_API_KEY the
embedded rehearsal model answers. Needs: pip install "agentgraph-workflows[examples,postgres]"
"""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from agentgraph import (
    Agent,
    AgentsException,
    JournalStore,
    RunInProgress,
    Runner,
    SQLiteJournal,
    ToolContext,
    UnknownRun,
    function_tool,
)
from agentgraph.extensions.journals import PostgresJournal
from agentgraph.result import RunResult

BANK = os.environ.get("BANK_FILE", "bank.db")
BANK_SECONDS = float(os.environ.get("BANK_SECONDS", "0"))


def journal_at(place: str) -> JournalStore:
    """The journal in a file, or on a PostgreSQL server."""
    return PostgresJournal(place) if place.startswith("postgresql") else SQLiteJournal(place)


journal = journal_at(os.environ.get("RUNS_JOURNAL", "runs.db"))


@function_tool(needs_approval=True, idempotent=True)
async def refund(bank: ToolContext[Any], order_number: int, euros: int) -> str:
    """Pay money back to the customer.

    Args:
        order_number: The number of the order.
        euros: How much.
    """
    with sqlite3.connect(BANK, timeout=30) as rows:
        rows.execute("create table if not exists refunds (key primary key, number, euros)")
        refund = (bank.idempotency_key, order_number, euros)
        rows.execute("insert or ignore into refunds values (?, ?, ?)", refund)
    await asyncio.sleep(BANK_SECONDS)
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


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Go on with the runs that were at work when the last process ended."""
    left = [run.run_id for run in await journal.runs(["running"])]
    work = [asyncio.create_task(go_on(run_id)) for run_id in left]
    yield
    for task in work:
        task.cancel()


async def go_on(run_id: str) -> None:
    """Go on with a run; what becomes of it stands in the journal."""
    try:
        await Runner.resume(run_id, clerk, journal=journal)
    except AgentsException as error:
        print(f"{run_id}: {type(error).__name__}", file=sys.stderr)


app = FastAPI(title="Durable runs", lifespan=lifespan)


@app.put("/runs/{run_id}")
async def begin(run_id: str, question: Question) -> dict[str, Any]:
    """Begin a run, or answer again; return when it is over or needs a person."""
    return summary(await Runner.run(clerk, question.request, journal=journal, run_id=run_id))


@app.get("/runs/{run_id}")
async def show(run_id: str) -> dict[str, Any]:
    """Return the calls that wait for a decision, or the output of the run."""
    return summary(await rested(run_id))


@app.get("/runs/{run_id}/events")
async def events(run_id: str) -> StreamingResponse:
    """Stream what the run did and does, as server-sent events."""
    question = (await rested(run_id)).input

    async def lines() -> AsyncIterator[str]:
        result = Runner.run_streamed(
            clerk, question, journal=journal, run_id=run_id, replay_events=True
        )
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                yield f"data: {json.dumps({'event': event.name})}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


@app.post("/runs/{run_id}/decisions")
async def decide(run_id: str, decision: Decision) -> dict[str, Any]:
    """Apply a decision and go on with the run."""
    result = await rested(run_id, "wait")
    if not 0 <= decision.call < len(result.interruptions):
        raise HTTPException(409, detail=summary(result))
    state = result.to_state()
    call = result.interruptions[decision.call]
    if decision.approve:
        state.approve(call)
    else:
        state.reject(call)
    return summary(await Runner.run(clerk, state))


async def rested(run_id: str, if_running: Literal["wait", "raise"] = "raise") -> RunResult:
    """The result of a run that rests."""
    try:
        return await Runner.resume(run_id, clerk, journal=journal, if_running=if_running)
    except UnknownRun:
        raise HTTPException(404, detail="There is no such run.") from None
    except RunInProgress:
        raise HTTPException(409, detail="The run is at work.") from None


def summary(result: RunResult) -> dict[str, Any]:
    """Return a run in the form that the requests answer with."""
    waiting = [
        {"call": place, "tool": item.name, "arguments": item.arguments}
        for place, item in enumerate(result.interruptions)
    ]
    output = None if result.interruptions else str(result.final_output)
    return {"waits_for": waiting, "output": output}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
