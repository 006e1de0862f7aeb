"""Whole runs on a session file: many at once, in two processes, cancelled anywhere, on a full disk.

Two runs on one session take turns in it: what one of them writes at a time, which is its input or
one turn, stays together; the history is legal whoever comes first.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, HostedMCPTool, Runner, SQLiteSession, function_tool
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcript import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.stores import Item
from tests.memory.test_sqlite_session import use_connections


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@function_tool
async def note(text: str) -> str:
    """Note a text."""
    await asyncio.sleep(0)
    return f"noted {text}"


def clerk(name: str) -> Agent[Any]:
    """An agent that calls a tool twice in one turn, then answers; every id contains the name."""
    replies: list[Any] = [
        [
            function_call("note", {"text": name}, call_id=f"{name}.a"),
            function_call("note", {"text": name}, call_id=f"{name}.b"),
        ],
        [assistant_message(f"done {name}", item_id=f"{name}.m")],
    ]
    return Agent(name="Clerk", model=ScriptedModel(replies), tools=[note])


async def ask(name: str, session: SQLiteSession) -> None:
    result = await Runner.run(clerk(name), f"ask {name}", session=session)
    assert result.final_output == f"done {name}"


def author(item: Item) -> str:
    """Which run wrote an item."""
    if item.get("role") == "user":
        return str(item["content"].split()[1])
    return str(item.get("call_id") or item["id"]).partition(".")[0]


KINDS = ["user", *["function_call"] * 2, *["function_call_output"] * 2, "message"]


def check_shared(stored: list[Item], names: list[str]) -> None:
    """The runs are all there, each in order, and no write of one is cut by a write of another."""
    assert legal(stored)
    of_run: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for position, item in enumerate(stored):
        kind = "user" if item.get("role") == "user" else item["type"]
        of_run[author(item)].append((position, kind))
    assert sorted(of_run) == sorted(names)
    for entries in of_run.values():
        assert [kind for _, kind in entries] == KINDS
        turn = [position for position, _ in entries[1:5]]
        assert turn == list(range(turn[0], turn[0] + 4))


async def stored_in(session: SQLiteSession) -> list[Item]:
    return list(await session.get_items())


async def test_two_hundred_runs_at_once_on_sessions_of_their_own_finish(file: Path) -> None:
    names = [f"r{number}" for number in range(200)]

    await asyncio.gather(*(ask(name, SQLiteSession(name, file)) for name in names))

    for name in names:
        check_shared(await stored_in(SQLiteSession(name, file)), [name])


async def test_two_hundred_runs_at_once_on_one_session_finish_and_keep_their_turns_together(
    file: Path,
) -> None:
    names = [f"r{number}" for number in range(200)]
    one = SQLiteSession("shared", file)

    await asyncio.gather(
        *(
            ask(name, one if number % 2 else SQLiteSession("shared", file))
            for number, name in enumerate(names)
        )
    )

    check_shared(await stored_in(one), names)


ASKER = """
import asyncio, sys
from agentgraph.memory import SQLiteSession
from tests.memory.test_runs_on_a_file import ask

async def main(process, file):
    session = SQLiteSession("shared", file)
    print("ready", flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(ask(f"{process}{number}", session) for number in range(25)))

asyncio.run(main(*sys.argv[1:]))
"""


def test_runs_in_two_processes_on_one_session_keep_their_turns_together(file: Path) -> None:
    pipe = subprocess.PIPE
    environment = {"PYTHONPATH": ":".join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASKER, name, str(file)],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=environment,
        )
        for name in "xy"
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", process.communicate()[1].decode()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()

    names = [f"{process}{number}" for process in "xy" for number in range(25)]
    check_shared(asyncio.run(stored_in(SQLiteSession("shared", file))), names)


async def test_a_run_cancelled_after_any_event_leaves_a_legal_history_that_the_next_continues(
    file: Path,
) -> None:
    after, cancelled_at = 0, []
    while True:
        session = SQLiteSession(f"after-{after}", file)
        result = Runner.run_streamed(clerk("first"), "ask first", session=session)
        seen = 0
        if after == 0:
            result.cancel()
        async for _ in result.stream_events():
            seen += 1
            if seen == after:
                result.cancel()
        stored = await stored_in(session)

        assert legal(stored)
        assert [kind_of(item) for item in stored] in ([], KINDS[:1], KINDS[:5], KINDS)
        await ask("second", session)
        assert legal(await stored_in(session))
        session.close()
        if seen < after:  # the run was over before it could be cancelled
            break
        cancelled_at.append([kind_of(item) for item in stored])
        after += 1

    assert len(cancelled_at) > 10
    assert KINDS[:1] in cancelled_at
    assert KINDS[:5] in cancelled_at


def kind_of(item: Item) -> str:
    return "user" if item.get("role") == "user" else str(item["type"])


async def test_a_run_that_is_cancelled_while_it_writes_leaves_whole_writes(file: Path) -> None:
    for pauses in range(60):
        session = SQLiteSession(f"after-{pauses}", file)
        run = asyncio.create_task(ask("first", session))
        for _ in range(pauses):
            await asyncio.sleep(0)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)

        stored = await stored_in(session)
        assert legal(stored)
        assert [kind_of(item) for item in stored] in ([], KINDS[:1], KINDS[:5], KINDS)
        session.close()


async def test_a_full_disk_ends_the_run_with_its_data_and_the_run_can_be_tried_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_connections(monkeypatch, lambda connection: connection.execute("PRAGMA max_page_count=12"))
    session = SQLiteSession("s", file)

    @function_tool
    async def report(size: int) -> str:
        """Write a report."""
        return "x" * size

    def reporter(size: int) -> Agent[Any]:
        replies: list[Any] = [
            [function_call("report", {"size": size}, call_id="c1")],
            [assistant_message("done", item_id="m1")],
        ]
        return Agent(name="Reporter", model=ScriptedModel(replies), tools=[report])

    with pytest.raises(SessionError, match="the disk or a quota is full") as ended:
        await Runner.run(reporter(200_000), "report", session=session)
    run_data = ended.value.run_data
    assert run_data is not None
    assert [item.type for item in run_data.new_items] == ["tool_call_item", "tool_call_output_item"]
    assert [kind_of(item) for item in await stored_in(session)] == ["user"]

    result = await Runner.run(reporter(10), "report", session=session)

    assert result.final_output == "done"
    stored = await stored_in(session)
    assert [kind_of(item) for item in stored] == [
        "user",
        "function_call",
        "function_call_output",
        "message",
    ]
    session.close()


@pytest.mark.parametrize("write", [0, 1, 2])
async def test_what_was_written_before_a_write_failed_stays_and_is_not_written_again(
    file: Path, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    session = SQLiteSession("s", file)
    add_items, writes = session.add_items, 0

    async def failing(items: list[Any]) -> None:
        nonlocal writes
        writes += 1
        if writes == write + 1:
            raise ConnectionError("lost")
        await add_items(items)

    with monkeypatch.context() as broken:
        broken.setattr(session, "add_items", failing)
        with pytest.raises(ConnectionError, match="lost"):
            await ask("first", session)
    kept = await stored_in(session)
    assert [kind_of(item) for item in kept] == KINDS[: (0, 1, 5)[write]]

    await ask("first" if write < 2 else "second", session)

    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored] == (KINDS if write < 2 else KINDS[:5] + KINDS)
    session.close()


async def test_a_store_that_fails_while_a_failure_is_settled_says_both(file: Path) -> None:
    class Full(SQLiteSession):
        async def add_items(self, items: list[Any]) -> None:
            if any(item.get("type") == "function_call" for item in items):
                raise SessionError("disk full")
            await super().add_items(items)

    @function_tool(failure_error_function=None)
    async def breaks() -> str:
        """Break."""
        await asyncio.sleep(0)
        raise ZeroDivisionError("the tool's own failure")

    replies: list[Any] = [
        [
            function_call("note", {"text": "x"}, call_id="a"),
            function_call("breaks", {}, call_id="b"),
        ]
    ]
    agent = Agent(name="Clerk", model=ScriptedModel(replies), tools=[note, breaks])

    with pytest.raises(SessionError, match="disk full") as ended:
        await Runner.run(agent, "go", session=Full("s", file))

    assert "the tool's own failure" in str(ended.value.__context__)


async def test_a_request_for_approval_is_stored_and_the_next_input_may_answer_it(
    file: Path,
) -> None:
    request: Any = {
        "type": "mcp_approval_request",
        "id": "m1",
        "server_label": "wiki",
        "name": "search",
        "arguments": "{}",
    }
    answer: Any = {"type": "mcp_approval_response", "approval_request_id": "m1", "approve": True}
    model = ScriptedModel([[request], [assistant_message("done", item_id="x")]])
    tool = HostedMCPTool(
        tool_config={
            "type": "mcp",
            "server_label": "wiki",
            "server_url": "https://mcp.invalid",
            "require_approval": "always",
        }
    )
    agent = Agent(name="Clerk", model=model, tools=[tool])
    session = SQLiteSession("s", file)
    waiting = await Runner.run(agent, "search", session=session)
    assert len(waiting.interruptions) == 1
    assert [kind_of(item) for item in await stored_in(session)] == ["user", "mcp_approval_request"]

    result = await Runner.run(agent, [answer], session=session)

    assert result.final_output == "done"
    assert [kind_of(item) for item in list(model.calls[1].input)] == [
        "user",
        "mcp_approval_request",
        "mcp_approval_response",
    ]
    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored][2:] == ["mcp_approval_response", "message"]
    session.close()


async def test_an_approval_through_the_state_stores_nothing_twice(file: Path) -> None:
    @function_tool(needs_approval=True)
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    replies: list[Any] = [
        [
            function_call("note", {"text": "x"}, call_id="a"),
            function_call("pay", {"amount": 5}, call_id="b"),
        ],
        [assistant_message("done", item_id="m")],
    ]
    agent = Agent(name="Clerk", model=ScriptedModel(replies), tools=[note, pay])
    session = SQLiteSession("s", file)
    waiting = await Runner.run(agent, "go", session=session)
    # A call of this side is not stored before it has its output: its run's state holds it.
    assert [kind_of(item) for item in await stored_in(session)] == ["user"]
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])

    result = await Runner.run(agent, state, session=session)

    assert result.final_output == "done"
    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored] == KINDS
    session.close()


async def test_reasoning_that_nothing_follows_is_not_stored(file: Path) -> None:
    reasoning: Any = {"type": "reasoning", "id": "r1", "summary": []}
    session = SQLiteSession("s", file)
    agent = Agent(name="Clerk", model=ScriptedModel([[reasoning]]))

    await Runner.run(agent, "think", session=session)

    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored] == ["user"]
    session.close()
