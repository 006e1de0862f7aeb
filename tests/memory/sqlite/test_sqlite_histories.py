"""What an SQLite session remembers of a history is what the file holds, whoever wrote to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, Runner
from agentgraph.extensions.memory import AdvancedSQLiteSession
from agentgraph.memory import SQLiteSession
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs import session_input
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.memory.sqlite.histories import Histories
from agentgraph.testing import ScriptedModel, assistant_message
from tests.memory.stores import Item, call, output, user
from tests.memory.test_sqlite_session import use_connections


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements of every session made in the test."""
    texts: list[str] = []
    use_connections(monkeypatch, lambda connection: connection.set_trace_callback(texts.append))
    return texts


@pytest.fixture
def session(file: Path, statements: list[str]) -> Iterator[SQLiteSession]:
    with closing(SQLiteSession("s", file)) as opened:
        yield opened


def reads(statements: list[str]) -> int:
    """How often all rows were read."""
    return sum("ORDER BY id" in text and "DESC" not in text for text in statements)


async def test_a_history_is_read_once_however_often_it_is_asked_for_and_appended_to(
    session: SQLiteSession, statements: list[str]
) -> None:
    expected: list[Item] = [user("0")]
    await session.add_items(expected)
    for number in range(1, 100):
        assert await session.get_items() == expected
        await session.add_items([user(f"{number}")])
        expected.append(user(f"{number}"))

    assert await session.get_items() == expected
    assert reads(statements) == 1


async def test_what_is_popped_is_popped_from_what_is_remembered(
    session: SQLiteSession, statements: list[str]
) -> None:
    expected: list[Item] = []
    assert await session.get_items() == expected
    for number in range(40):
        await session.add_items([user(f"{number}"), user(f"{number} too")])
        expected.append(user(f"{number}"))
        assert await session.pop_item() == user(f"{number} too")
        assert await session.get_items() == expected
    while expected:
        assert await session.pop_item() == expected.pop()
        assert await session.get_items() == expected
    assert await session.pop_item() is None

    await session.add_items([user("again")])
    assert await session.get_items() == [user("again")]
    assert reads(statements) == 1


async def test_what_one_reader_does_with_its_items_no_other_sees(session: SQLiteSession) -> None:
    await session.add_items([user("as stored")])

    for _ in range(3):
        items: Any = await session.get_items()
        assert items == [user("as stored")]
        items[0]["content"][0]["text"] = "changed"
        items.append(user("more"))


async def test_items_are_what_they_are_after_json_also_before_they_are_read(
    session: SQLiteSession,
) -> None:
    given: Any = {"type": "x", "pair": (1, 2), "numbers": {1: 1.5, 2: 10**30}, "none": None}
    await session.get_items()

    await session.add_items([given])

    assert await session.get_items() == [json.loads(json.dumps(given))]


async def test_another_program_that_writes_is_noticed(session: SQLiteSession, file: Path) -> None:
    await session.add_items([user("1"), user("2")])
    await session.get_items()

    with closing(sqlite3.connect(file)) as other, other:
        other.execute("DELETE FROM agent_messages WHERE id = 1")
    assert await session.get_items() == [user("2")]

    with closing(sqlite3.connect(file)) as other, other:
        other.execute(
            "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', ?)",
            (json.dumps(user("3")),),
        )
    # Appending to what is remembered would leave out the row in between.
    await session.add_items([user("4")])
    assert await session.get_items() == [user("2"), user("3"), user("4")]


async def test_other_objects_of_this_process_that_write_are_noticed(
    session: SQLiteSession, file: Path
) -> None:
    advanced = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
    await session.add_items([user("1")])
    for one, other in ((session, advanced), (advanced, session)):
        before = await one.get_items()
        assert await other.get_items() == before or one is advanced
        await other.pop_item()
        await other.add_items([user("new")])
        assert (await session.get_items())[-1] == user("new")
    advanced.close()


async def test_every_branch_has_its_own_history(file: Path) -> None:
    session = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
    await session.add_items([user("1"), user("2")])
    await session.get_items()
    await session.create_branch_from_turn(2, "other")
    for _ in range(2):
        assert await session.get_items() == [user("1")]
        assert await session.get_items(branch_id="main") == [user("1"), user("2")]
    await session.add_items([user("3")])
    await session.switch_to_branch("main")
    assert await session.get_items() == [user("1"), user("2")]
    assert await session.get_items(branch_id="other") == [user("1"), user("3")]
    session.close()


async def test_what_a_failed_write_would_have_stored_is_not_remembered(
    session: SQLiteSession,
) -> None:
    def refuse(action: int, name: str | None, *_: object) -> int:
        commit = action == sqlite3.SQLITE_TRANSACTION and name == "COMMIT"
        return sqlite3.SQLITE_DENY if commit else sqlite3.SQLITE_OK

    await session.add_items([user("1")])
    await session.get_items()

    await session._run(lambda connection: connection.set_authorizer(refuse))
    with pytest.raises(SessionError):
        await session.add_items([user("2")])
    await session._run(lambda connection: connection.set_authorizer(None))

    assert await session.get_items() == [user("1")]


async def test_a_remembered_history_is_mended_on_its_way_to_the_model_as_long_as_it_needs_that(
    session: SQLiteSession, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[list[str]] = []

    def reply(asked: Any) -> list[Any]:
        seen.append([item.get("type") or item["role"] for item in asked.input])
        return [assistant_message("yes", item_id=f"m{len(seen)}")]

    agent = Agent(name="Desk", model=ScriptedModel(reply))
    for question in ("1", "2"):
        await Runner.run(agent, question, session=session)
    await session.add_items([call("never answered")])
    for question in ("3", "4"):
        await Runner.run(agent, question, session=session)
    await session.add_items([output("never answered")])
    assert caplog.text.count("session 's' is damaged") == 2
    assert "(call-without-output: 1); repair the stored history" in caplog.text
    await Runner.run(agent, "5", session=session)
    assert caplog.text.count("is damaged") == 2

    said = ["user", "message"]
    assert seen == [
        ["user"],
        [*said, "user"],
        [*said, *said, "user"],
        [*said, *said, *said, "user"],
        [*said, *said, "function_call", *said, *said, "function_call_output", "user"],
    ]


async def test_a_plain_history_is_judged_once_and_not_by_the_event_loop(
    session: SQLiteSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await session.add_items([user("1"), {"role": "assistant", "content": "yes"}])
    monkeypatch.setattr(session_input, "repair", None)

    prior = PriorAttempt([user("2")])
    await session.begin_block(prior)

    assert prior.legal
    combined = await session_input.combine(prior.history, prior.new, legal=prior.legal)
    assert combined.model_input == await session.get_items()


def test_items_nested_too_deep_to_be_remembered_are_read_again() -> None:
    deep: Any = user("x")
    for _ in range(2_000):
        deep = {"type": "x", "y": [deep]}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x)")
        histories = Histories(connection)
        assert histories.items("s", None) is None
        histories.keep("s", None, [deep])
        assert histories.items("s", None) is None
        histories.keep("s", None, [user("1")])

        changes = connection.total_changes
        connection.execute("INSERT INTO t VALUES (1)")
        histories.extend("s", None, [deep])
        histories.settle("s", changes)

        assert histories.items("s", None) is None


def test_the_histories_used_longest_ago_are_forgotten_first_and_long_ones_are_not_kept() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        histories = Histories(connection, most=10_000)
        for name in "abc":
            assert histories.items(name, None) is None
            histories.keep(name, None, [user("x" * 1_500)])
        assert histories.items("a", None) == [user("x" * 1_500)]
        histories.extend("c", None, [user("y" * 4_000)])
        assert [name for name in "abc" if histories.items(name, None)] == ["a", "c"]
        histories.keep("d", None, [user("x" * 9_000)])
        assert histories.items("d", None) is None
        histories.extend("c", None, [user("y" * 11_000)])
        assert not any(histories.items(name, None) for name in "abcd")
