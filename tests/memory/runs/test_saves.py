"""A save is keyed by its run and its position: sent again it stores nothing, and a save of another
run under the same key is noticed. The stored texts are the items and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, Runner, RunState, SQLiteSession, function_tool
from agentgraph.extensions.memory import AdvancedSQLiteSession, SQLAlchemySession
from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.runs.blocks import append_to_block, release_block
from agentgraph.memory.runs.saves import Block, ConcurrentWrite, adopted
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.asking import KINDS, ask, kind_of
from tests.memory.stores import Item, Store, call, output, user

MARK = " \t\n\r" * 6
"""White space behind a text, by which an older version of this package knew whose it is."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


def texts_in(file: Path, table: str = "agent_messages") -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [text for (text,) in connection.execute(f"SELECT message_data FROM {table}")]


async def items_in(session: Any) -> list[Item]:
    return list(await session.get_items())


async def test_a_save_that_is_sent_again_stores_nothing(moving_store: Store) -> None:
    session = moving_store.open()
    first = await append_to_block(session, [user("asked")], None)
    for _ in range(2):
        after = await append_to_block(session, [call("1"), output("1")], first)
    await session.add_items([user("other")])
    assert await append_to_block(session, [call("1"), output("1")], first) == after

    assert await items_in(session) == [user("asked"), call("1"), output("1"), user("other")]


async def test_an_equal_save_of_another_run_is_a_concurrent_write(moving_store: Store) -> None:
    session, same = moving_store.open(), [call("1"), output("1")]
    block = await append_to_block(session, [user("asked")], Block.begun("first"))
    assert block is not None
    await append_to_block(session, same, block)

    with pytest.raises(ConcurrentWrite):
        await append_to_block(session, same, block._replace(writer="second"))

    assert await items_in(session) == [user("asked"), *same]


async def test_a_save_that_is_not_the_latest_is_not_taken_for_one_that_is_sent_again(
    moving_store: Store,
) -> None:
    session, turn = moving_store.open(), [call("1"), output("1")]
    block = await append_to_block(session, [user("asked")], None)
    later = await append_to_block(session, turn, block)
    await append_to_block(session, [user("end")], later)

    with pytest.raises(ConcurrentWrite):
        await append_to_block(session, [user("something else")], block)

    assert await items_in(session) == [user("asked"), *turn, user("end")]


async def test_a_block_is_found_again_by_its_key_alone(moving_store: Store) -> None:
    if not moving_store.reopens:
        return
    session = moving_store.open()
    block = await append_to_block(session, [user("mine")], None)
    await session.add_items([user("other")])
    stored = json.loads(json.dumps(block))

    await append_to_block(moving_store.open(), [user("mine, too")], Block(*stored))

    assert await items_in(session) == [user("other"), user("mine"), user("mine, too")]


async def test_a_run_at_work_keeps_its_question_until_it_is_released(moving_store: Store) -> None:
    session = moving_store.open()
    block = await append_to_block(session, [user("asked")], Block.begun("first", "here"))
    assert block is not None
    own = Block.begun("second", "here")

    with pytest.raises(ConcurrentWrite):
        await _adopt(session, [user("asked")], own)
    elsewhere = await _adopt(session, [user("asked")], Block.begun("third", "elsewhere"))
    assert elsewhere == block._replace(writer="third", owner="elsewhere")
    await release_block(session, elsewhere)

    assert await _adopt(session, [user("asked")], own) == block._replace(writer="second")


async def test_a_question_whose_answer_was_popped_is_asked_once_again(moving_store: Store) -> None:
    session = moving_store.open()
    await ask("first", session, "ask the same")
    await session.pop_item()
    await ask("first", session, "ask the same")

    assert [kind_of(item) for item in await items_in(session)] == KINDS


async def _adopt(session: Any, items: list[Item], own: Block) -> Block | None:
    block: Block | None = await session.adopt_block(items, own)
    return block


def test_rows_belong_to_the_run_whose_save_lists_them_last() -> None:
    own = Block.begun("own")
    saves: list[Any] = [("a", 0, "", [1, 2]), ("b", 0, "", [3]), ("a", 1, "", [4])]

    assert adopted(saves, [1, 2, 4], own) == own.continued("a", 2)
    assert adopted(saves, [2, 3], own) is None
    assert adopted(saves, [2, 9], own) is None
    assert adopted([*saves, ("c", 0, "", [1, 2, 4])], [2, 4], own) == own.continued("c", 1)


def test_the_latest_save_of_a_run_tells_whether_it_is_at_work() -> None:
    own = Block.begun("own", "here")
    saves: list[Any] = [("a", 1, "", [2]), ("a", 0, "here", [1])]

    assert adopted(saves, [1, 2], own) == own.continued("a", 2)
    with pytest.raises(ConcurrentWrite):
        adopted([*saves, ("a", 2, "here", [3])], [1, 2], own)


@pytest.mark.parametrize("begin", [Block.begun, lambda run_id: Block(run_id, 0, run_id)])
def test_runs_of_unknown_processes_are_not_taken_for_runs_of_one_process(
    begin: Callable[[str], Block],
) -> None:
    earlier, own = begin("earlier"), begin("own")

    assert adopted([("earlier", 0, earlier.owner, [1])], [1], own) == own.continued("earlier", 1)


async def test_the_texts_of_runs_are_the_items_and_nothing_else(file: Path) -> None:
    other = file.with_name("alchemy.db")
    url = f"sqlite+aiosqlite:///{other}"
    sessions: list[Any] = [
        SQLiteSession("plain", file),
        AdvancedSQLiteSession(session_id="branches", db_path=file, create_tables=True),
        SQLAlchemySession.from_url("alchemy", url=url, create_tables=True),
    ]
    for session in sessions:
        await ask("first", session)
        closing = session.close()
        if closing is not None:
            await closing

    for text in (*texts_in(file), *texts_in(other)):
        assert text == json.dumps(json.loads(text))


async def test_a_run_that_goes_on_in_another_process_takes_its_items_along(file: Path) -> None:
    @function_tool(needs_approval=True)
    async def pay(amount: int) -> str:
        """Pay."""
        return f"paid {amount}"

    replies: list[Any] = [
        [function_call("pay", {"amount": 5}, call_id="p")],
        [assistant_message("done", item_id="m")],
    ]
    agent = Agent(name="Payer", model=ScriptedModel(replies), tools=[pay])
    waiting = await Runner.run(agent, "pay", session=SQLiteSession("s", file))
    await ask("other", SQLiteSession("s", file))
    text = waiting.to_state().to_string()

    state = await RunState.from_string(agent, text)
    state.approve(state.get_interruptions()[0])
    await Runner.run(agent, state, session=SQLiteSession("s", file))

    kinds = [kind_of(item) for item in await items_in(SQLiteSession("s", file))]
    assert kinds[-4:] == ["user", "function_call", "function_call_output", "message"]
    assert kinds.count("user") == 2


class TestAnOlderVersion:
    """A file in which an older version has marked the texts of runs."""

    @pytest.fixture
    def session(self, file: Path) -> Iterator[SQLiteSession]:
        with closing(SQLiteSession("s", file)) as session:
            yield session

    async def _write(self, session: SQLiteSession, file: Path, *items: Item) -> None:
        await session.add_items(list(items))
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(
                "UPDATE agent_messages SET message_data = message_data || ?", (MARK,)
            )

    async def test_is_read_and_not_rewritten(self, session: SQLiteSession, file: Path) -> None:
        await self._write(session, file, user("asked"), call("1"), output("1"))
        before = texts_in(file)

        assert await session.get_items() == [user("asked"), call("1"), output("1")]
        model = ScriptedModel([[assistant_message("yes", item_id="m")]])
        await Runner.run(Agent(name="Desk", model=model), "next", session=session)

        assert texts_in(file)[:3] == before

    async def test_loses_the_marks_of_rows_that_move(
        self, session: SQLiteSession, file: Path
    ) -> None:
        await self._write(session, file, user("asked"))
        block = await session.adopt_block([user("asked")])
        await session.add_items([user("other")])

        await session.append_to_block([user("end")], block)

        assert texts_in(file) == [json.dumps(user(text)) for text in ("other", "asked", "end")]


def test_white_space_behind_an_item_is_no_damage_and_anything_else_is() -> None:
    text = json.dumps(user("x"))

    assert decode_item(text + MARK) == decode_item((text + MARK).encode()) == user("x")
    assert decode_items([text + MARK, text]) == [user("x"), user("x")]
    assert decode_item(f"{text} x") is None
    assert decode_item(f"{text}\x0b") is None
