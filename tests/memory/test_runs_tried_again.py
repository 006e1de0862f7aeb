"""A run that failed is tried again with the same input: asked once, and no work done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, RunConfig, Runner, SessionSettings, SQLiteSession, function_tool
from agentgraph.extensions.memory import AdvancedSQLiteSession
from agentgraph.memory import Session, SessionABC
from agentgraph.memory.errors import SessionError
from agentgraph.memory.transcripts.histories import legal
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.asking import KINDS, ask, author, clerk, kind_of
from tests.memory.stores import Item, Store

# What is stored by the end of a run whose write fails: nothing; one turn and two turns, which the
# save of what a failed run has settled stores after all; two turns, where the last save fails.
KEPT = (0, 5, 7, 7)


class Failing:
    """Fails at one write, counted from 0, and works before and after."""

    def __init__(self, write: int) -> None:
        self.write = write
        self.writes = 0

    def check(self) -> None:
        self.writes += 1
        if self.writes == self.write + 1:
            raise ConnectionError("lost")


def in_blocks(write: int, file: Path) -> Session:
    """A store that keeps the items of a run together."""
    failing = Failing(write)

    class Store(SQLiteSession):
        async def begin_block(self, prior: Any) -> Any:
            failing.check()
            return await super().begin_block(prior)

        async def append_to_block(self, items: list[Any], block: Any = None) -> Any:
            failing.check()
            return await super().append_to_block(items, block)

    return Store("s", file)


def with_branches(write: int, file: Path) -> Session:
    failing = Failing(write)

    class Store(AdvancedSQLiteSession):
        async def begin_block(self, prior: Any) -> Any:
            failing.check()
            return await super().begin_block(prior)

        async def append_to_block(self, items: list[Any], block: Any = None) -> Any:
            failing.check()
            return await super().append_to_block(items, block)

    return Store(session_id="s", db_path=file, create_tables=True)


def plain(write: int, file: Path) -> Session:
    """A store that knows only the four methods of a session."""

    class Store(SessionABC):
        session_id = "s"

        def __init__(self) -> None:
            self.items: list[Item] = []
            self.failing = Failing(write)

        async def get_items(self, limit: int | None = None) -> list[Item]:
            await asyncio.sleep(0)
            return self.items if limit is None else self.items[max(0, len(self.items) - limit) :]

        async def add_items(self, items: list[Item]) -> None:
            await asyncio.sleep(0)
            self.failing.check()
            self.items = [*self.items, *items]

        async def pop_item(self) -> Item | None:
            await asyncio.sleep(0)
            return self.items.pop() if self.items else None

        async def clear_session(self) -> None:
            await asyncio.sleep(0)
            self.items = []

    return Store()


MAKERS = [in_blocks, with_branches, plain]


async def stored_in(session: Session) -> list[Item]:
    return list(await session.get_items())


@pytest.mark.parametrize("limit", [None, 0, 2])
@pytest.mark.parametrize("write", [0, 1, 2, 3])
@pytest.mark.parametrize("make", MAKERS)
async def test_a_run_whose_store_failed_goes_on_where_it_stopped(
    make: Callable[[int, Path], Session], write: int, limit: int | None, tmp_path: Path
) -> None:
    session = make(write, tmp_path / "sessions.db")
    config = RunConfig(session_settings=SessionSettings(limit=limit))
    agent = clerk("first")

    with pytest.raises(SessionError, match="ConnectionError"):
        await Runner.run(agent, "ask first", session=session, run_config=config)
    assert [kind_of(item) for item in await stored_in(session)] == KINDS[: KEPT[write]]
    model: Any = agent.model
    calls_before = len(model.calls)
    await Runner.run(agent, "ask first", session=session, run_config=config)

    stored = await stored_in(session)
    assert legal(stored)
    assert [kind_of(item) for item in stored] == KINDS
    shown = list(model.calls[calls_before].input)
    assert [kind_of(item) for item in shown] == KINDS[: max(1, KEPT[write])]
    # Asked once more it is a new question, because this one has its answer.
    await Runner.run(clerk("second"), "ask first", session=session, run_config=config)
    assert [kind_of(item) for item in await stored_in(session)] == KINDS * 2


@pytest.mark.parametrize("question", ["ask", ["ask", "now"]])
async def test_a_store_that_gives_items_another_form_knows_a_question_again(
    appending_store: Store, question: Any
) -> None:
    session = appending_store.open()
    call = function_call("note", {"text": "a"}, call_id="a")
    answer = assistant_message("done")
    model = ScriptedModel([[call], TimeoutError("first"), TimeoutError("second"), [answer]])
    agent = clerk("any").clone(model=model)

    for _ in range(2):
        with pytest.raises(TimeoutError):
            await Runner.run(agent, question, session=session)
    await Runner.run(agent, question, session=session)

    asked = ["user"] * (1 if isinstance(question, str) else len(question))
    turn = ["function_call", "function_call_output"]
    assert [kind_of(item) for item in await stored_in(session)] == [*asked, *turn, "message"]
    assert [kind_of(item) for item in model.calls[-1].input] == [*asked, *turn]


@pytest.mark.parametrize("make", MAKERS)
async def test_a_run_whose_model_failed_in_a_later_turn_goes_on_where_it_stopped(
    make: Callable[[int, Path], Session], tmp_path: Path
) -> None:
    @function_tool
    async def note(text: str) -> str:
        """Note."""
        return text

    noted = [function_call("note", {"text": "x"}, call_id="n.a")]
    answer = [assistant_message("done", item_id="n.m")]
    model = ScriptedModel([noted, TimeoutError("no answer"), answer])
    agent = Agent(name="Clerk", model=model, tools=[note])
    session = make(99, tmp_path / "sessions.db")
    with pytest.raises(TimeoutError):
        await Runner.run(agent, "ask", session=session)

    result = await Runner.run(agent, "ask", session=session)

    assert result.final_output == "done"
    kinds = ["user", "function_call", "function_call_output"]
    assert [kind_of(item) for item in list(model.calls[-1].input)] == kinds
    assert [kind_of(item) for item in await stored_in(session)] == [*kinds, "message"]


@pytest.mark.parametrize("rewrites", [False, True])
@pytest.mark.parametrize("write", [1, 2, 3])
@pytest.mark.parametrize("make", MAKERS)
async def test_with_a_callback_the_question_stands_once_in_the_form_that_it_gave(
    make: Callable[[int, Path], Session], write: int, rewrites: bool, tmp_path: Path
) -> None:
    def at_first(history: list[Item], new: list[Item]) -> list[Item]:
        return [*history, *({**item, "content": f"please {item['content']}"} for item in new)]

    session = make(write, tmp_path / "sessions.db")
    agent = clerk("first")
    seen: list[list[Item]] = []

    def callback(history: list[Item], new: list[Item]) -> list[Item]:
        seen.append(history)
        return at_first(history, new) if rewrites else [*history, *new]

    config = RunConfig(session_input_callback=callback)
    with pytest.raises(SessionError, match="ConnectionError"):
        await Runner.run(agent, "ask first", session=session, run_config=config)
    kept = [kind_of(item) for item in await stored_in(session)]
    assert kept == KINDS[: KEPT[write]]
    model: Any = agent.model
    calls_before = len(model.calls)

    await Runner.run(agent, "ask first", session=session, run_config=config)

    stored = await stored_in(session)
    assert [kind_of(item) for item in stored] == KINDS
    assert stored[0]["content"] == ("please ask first" if rewrites else "ask first")
    assert seen[-1] == []
    assert [kind_of(item) for item in list(model.calls[calls_before].input)] == kept


@pytest.mark.parametrize("make", MAKERS)
async def test_a_callback_that_rewrites_a_new_question_is_called_once(
    make: Callable[[int, Path], Session], tmp_path: Path
) -> None:
    asked: list[list[Item]] = []

    def callback(history: list[Item], new: list[Item]) -> list[Item]:
        asked.append(new)
        return [*history, *({**item, "content": "please"} for item in new)]

    session, agent = make(99, tmp_path / "sessions.db"), clerk("first")
    config = RunConfig(session_input_callback=callback)
    await Runner.run(agent, "ask first", session=session, run_config=config)

    assert [[item["content"] for item in new] for new in asked] == [["ask first"]]


async def test_a_question_that_a_tool_answered_may_be_asked_again(tmp_path: Path) -> None:
    @function_tool
    async def roll() -> str:
        """Roll a die."""
        return "4"

    replies: list[Any] = [[function_call("roll", {}, call_id=f"d.{n}")] for n in range(2)]
    model = ScriptedModel(replies)
    agent = Agent(name="Dice", model=model, tools=[roll], tool_use_behavior="stop_on_first_tool")
    session = SQLiteSession("s", tmp_path / "sessions.db")

    for _ in range(2):
        result = await Runner.run(agent, "roll", session=session)
        assert result.final_output == "4"

    kinds = ["user", "function_call", "function_call_output"]
    assert [kind_of(item) for item in await stored_in(session)] == kinds * 2


async def test_a_second_try_stays_together_with_what_the_first_one_did(tmp_path: Path) -> None:
    session = in_blocks(1, tmp_path / "sessions.db")
    with pytest.raises(SessionError, match="ConnectionError"):
        await ask("first", session)

    async def ask_another() -> None:
        await Runner.run(clerk("other"), "ask other", session=session)

    await Runner.run(clerk("first", ask_another), "ask first", session=session)

    stored = await stored_in(session)
    assert [kind_of(item) for item in stored] == KINDS * 2
    assert [author(stored[len(KINDS) - 1]), author(stored[-1])] == ["other", "first"]
