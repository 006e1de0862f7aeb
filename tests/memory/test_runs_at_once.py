"""Several runs with tools on one session, in one process and in two: each stays together, whole and
in order, and the history is legal at every moment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, Runner, SQLiteSession, function_tool
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory import Session
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.asking import (
    ASKERS,
    KINDS,
    ask,
    author,
    check_answered,
    check_finished,
    check_whole_turns,
    clerk,
    kind_of,
    runs_in,
)
from tests.memory.conftest import postgresql_url
from tests.memory.stores import Item, Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def stored_in(session: Session) -> list[Item]:
    return list(await session.get_items())


def payer(ends: int = 1) -> Agent[Any]:
    """An agent that notes something, asks a person about a payment, and ends so many runs."""

    @function_tool(needs_approval=True)
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    @function_tool
    async def note(text: str) -> str:
        """Note."""
        return text

    replies: list[Any] = [
        [function_call("note", {"text": "x"}, call_id="payer.a")],
        [function_call("pay", {"amount": 5}, call_id="payer.b")],
        *([assistant_message("done", item_id=f"payer.{end}")] for end in range(ends)),
    ]
    return Agent(name="Payer", model=ScriptedModel(replies), tools=[note, pay])


async def test_runs_at_once_on_one_session_each_stay_together(moving_store: Store) -> None:
    session = moving_store.open()
    other = moving_store.open() if moving_store.reopens else session
    names = [f"r{number}" for number in range(6)]

    await asyncio.gather(*(ask(name, (session, other)[n % 2]) for n, name in enumerate(names)))

    check_finished(await stored_in(session), names)


async def test_the_same_question_asked_at_once_is_answered_each_time(moving_store: Store) -> None:
    session = moving_store.open()
    other = moving_store.open() if moving_store.reopens else session
    names = [f"r{number}" for number in range(6)]

    await asyncio.gather(
        *(ask(name, (session, other)[n % 2], "ask the same") for n, name in enumerate(names))
    )

    check_finished(await stored_in(session), names)


async def test_two_hundred_runs_at_once_on_sessions_of_their_own_finish(file: Path) -> None:
    names = [f"r{number}" for number in range(200)]

    await asyncio.gather(*(ask(name, SQLiteSession(name, file)) for name in names))

    for name in names:
        check_finished(await stored_in(SQLiteSession(name, file)), [name])


async def test_two_hundred_runs_at_once_on_one_session_finish_and_each_stay_together(
    file: Path,
) -> None:
    names = [f"r{number}" for number in range(200)]
    one = SQLiteSession("shared", file)

    async def run(number: int, name: str) -> None:
        session = one if number % 2 else SQLiteSession("shared", file)
        result = await Runner.run(clerk(name), f"ask {name}", session=session)
        assert result.final_output == f"done {name}"

    await asyncio.gather(*(run(number, name) for number, name in enumerate(names)))

    check_finished(await stored_in(one), names)


def ask_in_two_processes(place: str, count: int, question: str = "") -> list[str]:
    """Run clerks on one session in two processes at once; return their names."""
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ASKERS, name, place, str(count), question],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env={"PYTHONPATH": ":".join(sys.path)},
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
    return [f"{process}{number}" for process in "xy" for number in range(count)]


def test_runs_in_two_processes_on_one_file_each_stay_together(file: Path) -> None:
    names = ask_in_two_processes(str(file), 20)

    check_finished(asyncio.run(stored_in(SQLiteSession("shared", file))), names)


async def test_runs_in_two_processes_on_postgresql_each_stay_together(postgresql: Path) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url = postgresql_url("asyncpg", postgresql)
    session = SQLAlchemySession.from_url("shared", url=url, create_tables=True)
    await session.clear_session()

    names = await asyncio.to_thread(ask_in_two_processes, url, 10)

    check_finished(await stored_in(session), names)
    await session.close()


def test_the_same_question_in_two_processes_is_answered_each_time(file: Path) -> None:
    names = ask_in_two_processes(str(file), 20, "the same")

    check_answered(asyncio.run(stored_in(SQLiteSession("shared", file))), names)


async def test_the_same_question_in_two_processes_on_postgresql_is_answered_each_time(
    postgresql: Path,
) -> None:
    pytest.importorskip("asyncpg", reason="pip install asyncpg brings the driver")
    url = postgresql_url("asyncpg", postgresql)
    session = SQLAlchemySession.from_url("shared", url=url, create_tables=True)
    await session.clear_session()

    names = await asyncio.to_thread(ask_in_two_processes, url, 10, "the same")

    check_answered(await stored_in(session), names)
    await session.close()


async def test_a_question_asked_again_while_its_run_waits_for_a_person_is_a_question_of_its_own(
    moving_store: Store,
) -> None:
    session = moving_store.open()
    agent = payer()
    waiting = await Runner.run(agent, "pay", session=session)
    other = Agent(name="Other", model=ScriptedModel([[assistant_message("no", item_id="o.m")]]))

    await Runner.run(other, "pay", session=session)
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])
    await Runner.run(agent, state, session=session)

    noted = ["function_call", "function_call_output"]
    one, two = runs_in(await stored_in(session))
    assert [kind_of(item) for item in one] == ["user", *noted, "message"]
    assert [kind_of(item) for item in two] == ["user", *noted, *noted, "message"]
    assert [author(one[-1]), author(two[-1])] == ["o", "payer"]
    assert legal([*one, *two])


async def test_a_state_that_is_resumed_twice_gives_two_whole_runs(moving_store: Store) -> None:
    session = moving_store.open()
    agent = payer(ends=2)
    waiting = await Runner.run(agent, "pay", session=session)
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])

    for _ in range(2):
        await Runner.run(agent, state, session=session)

    stored = await stored_in(session)
    noted = ["function_call", "function_call_output"]
    for run in runs_in(stored):
        assert [kind_of(item) for item in run] == ["user", *noted, *noted, "message"]
    assert legal(stored)


async def test_a_run_in_a_tool_of_another_on_the_same_session_works(moving_store: Store) -> None:
    session = moving_store.open()

    asked = False

    async def ask_another() -> None:
        nonlocal asked
        if not asked:
            asked = True
            await ask("inner", session)

    result = await Runner.run(clerk("outer", ask_another), "ask outer", session=session)

    assert result.final_output == "done outer"
    stored = await stored_in(session)
    check_whole_turns(stored)
    assert {author(run[-1]) for run in runs_in(stored)} == {"inner", "outer"}
    assert author(stored[-1]) == "outer"


async def test_an_agent_as_a_tool_may_share_the_session_of_its_caller(moving_store: Store) -> None:
    session = moving_store.open()
    tool = clerk("inner").as_tool("helper", "Helps.", session=session)
    replies: list[Any] = [
        [function_call("helper", {"input": "ask inner"}, call_id="outer.a")],
        [assistant_message("done outer", item_id="outer.m")],
    ]
    outer = Agent(name="Outer", model=ScriptedModel(replies), tools=[tool])

    result = await Runner.run(outer, "ask outer", session=session)

    assert result.final_output == "done outer"
    inner_run, outer_run = runs_in(await stored_in(session))
    assert [kind_of(item) for item in inner_run] == KINDS
    assert [kind_of(item) for item in outer_run] == [
        *("user", "function_call", "function_call_output", "message")
    ]


async def test_a_run_whose_items_were_cleared_goes_on_and_brings_nothing_back(
    moving_store: Store,
) -> None:
    session = moving_store.open()
    tool_calls = 0

    async def clear_once() -> None:
        nonlocal tool_calls
        tool_calls += 1
        if tool_calls == 3:
            await session.clear_session()
            await ask("other", session)

    await Runner.run(clerk("first", clear_once), "ask first", session=session)

    stored = await stored_in(session)
    assert [kind_of(item) for item in stored] == [*KINDS, *KINDS[5:]]
    assert [author(item) for item in stored[1:]] == ["other"] * 7 + ["first"] * 3


async def test_a_resumed_run_takes_its_items_along(moving_store: Store) -> None:
    session = moving_store.open()

    agent = payer()
    waiting = await Runner.run(agent, "ask payer", session=session)
    await Runner.run(clerk("other"), "ask other", session=session)
    state = waiting.to_state()
    state.approve(waiting.interruptions[0])

    await Runner.run(agent, state, session=session)

    stored = await stored_in(session)
    assert [kind_of(item) for item in stored] == [
        *KINDS,
        *("user", "function_call", "function_call_output"),
        *("function_call", "function_call_output", "message"),
    ]
    assert {author(item) for item in stored[len(KINDS) + 1 :]} == {"payer"}
