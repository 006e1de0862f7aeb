"""Whole runs on a session file: cancelled anywhere, on a full disk, waiting for approval."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, HostedMCPTool, Runner, SQLiteSession, function_tool
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.asking import BEGINNINGS, KINDS, ask, clerk, kind_of
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


async def stored_in(session: SQLiteSession) -> list[Item]:
    return list(await session.get_items())


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
        assert [kind_of(item) for item in stored] in ([], *BEGINNINGS)
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
        # A call that had its output when its sibling was cut short happened, so it stays.
        one_of_two = [*KINDS[:1], "function_call", "function_call_output"]
        assert [kind_of(item) for item in stored] in ([], one_of_two, *BEGINNINGS)
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
    # A call of this side is stored with its output; one that waits stays in its run's state.
    answered = ["user", "function_call", "function_call_output"]
    assert [kind_of(item) for item in await stored_in(session)] == answered
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])

    result = await Runner.run(agent, state, session=session)

    assert result.final_output == "done"
    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored] == [*answered, *answered[1:], "message"]
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
