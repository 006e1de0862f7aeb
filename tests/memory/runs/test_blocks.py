"""The items of a run stay together in a session, whoever else writes to it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agentgraph import Agent, Runner, function_tool
from agentgraph.extensions.memory import AdvancedSQLiteSession, EncryptedSession
from agentgraph.memory import Session, SQLiteSession
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs.blocks import ConcurrentWrite, adopt_block, append_to_block, begin_block
from agentgraph.memory.runs.prior_attempt import PriorAttempt
from agentgraph.testing import ScriptedModel, assistant_message, function_call
from tests.memory.stores import Item, Store, call, output, user
from tests.memory.test_sqlite_session import use_connections


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


async def test_what_a_run_writes_goes_on_where_it_stopped_or_all_of_it_to_the_end(
    moving_store: Store,
) -> None:
    session = moving_store.open()
    one, two = [call("1"), output("1")], [call("2"), output("2")]

    first = await append_to_block(session, [user("one")], None)
    assert await session.get_items() == [user("one")]
    second = await append_to_block(session, [user("two")], None)
    assert await session.get_items() == [user("one"), user("two")]
    first = await append_to_block(session, one, first)
    assert await session.get_items() == [user("two"), user("one"), *one]
    second = await append_to_block(session, two, second)
    assert await session.get_items() == [user("one"), *one, user("two"), *two]
    await append_to_block(session, [user("more")], second)
    assert await session.get_items() == [user("one"), *one, user("two"), *two, user("more")]


async def test_equal_items_of_two_runs_are_not_mistaken_for_each_other(moving_store: Store) -> None:
    session, same = moving_store.open(), [user("same"), user("same")]
    first = await append_to_block(session, same, None)
    second = await append_to_block(session, same, None)

    second = await append_to_block(session, [call("2"), output("2")], second)
    first = await append_to_block(session, [call("1"), output("1")], first)
    await append_to_block(session, [user("end of 2")], second)

    assert await session.get_items() == [
        *(*same, call("1"), output("1")),
        *(*same, call("2"), output("2"), user("end of 2")),
    ]


async def test_items_of_others_stay_where_they_are_and_in_their_order(moving_store: Store) -> None:
    session = moving_store.open()
    await session.add_items([user("before")])
    block = await append_to_block(session, [user("mine")], None)
    await session.add_items([user("x"), user("y")])

    await append_to_block(session, [user("mine too")], block)

    texts = [item["content"][0]["text"] for item in await _items(session)]
    assert texts == ["before", "x", "y", "mine", "mine too"]


@pytest.mark.parametrize("taken", [1, 2, 3])
async def test_what_was_popped_in_between_stays_away(moving_store: Store, taken: int) -> None:
    session = moving_store.open()
    block = await append_to_block(session, [user("1"), user("2")], None)
    for _ in range(taken):
        await session.pop_item()
    left = [user("1"), user("2")][: max(0, 2 - taken)]
    await session.add_items([user("other")])

    await append_to_block(session, [user("3")], block)

    assert await session.get_items() == [user("other"), *left, user("3")]


async def test_what_was_cleared_in_between_stays_away(moving_store: Store) -> None:
    session = moving_store.open()
    block = await append_to_block(session, [user("1")], None)
    await session.clear_session()
    other = await append_to_block(session, [user("other")], None)

    block = await append_to_block(session, [user("2")], block)
    await append_to_block(session, [user("other too")], other)

    assert await session.get_items() == [user("2"), user("other"), user("other too")]


async def test_a_session_of_the_same_store_with_another_id_is_untouched(
    moving_store: Store,
) -> None:
    session, neighbour = moving_store.open("one"), moving_store.open("two")
    block = await append_to_block(session, [user("1")], None)
    beside = await append_to_block(neighbour, [user("n1")], None)
    await session.add_items([user("other")])

    await append_to_block(session, [user("2")], block)
    await append_to_block(neighbour, [user("n2")], beside)

    assert await session.get_items() == [user("other"), user("1"), user("2")]
    assert await neighbour.get_items() == [user("n1"), user("n2")]


async def test_the_input_of_a_failed_run_is_not_stored_again_and_its_items_are_taken_over(
    moving_store: Store,
) -> None:
    session, asked, turn = moving_store.open(), [user("asked")], [call("1"), output("1")]
    await session.add_items([user("before"), {"role": "assistant", "content": "yes"}])
    block = await begin_block(session, PriorAttempt(asked))
    await append_to_block(session, turn, block)

    prior = PriorAttempt(asked)
    block = await begin_block(session, prior)
    assert (prior.done, len(prior.history)) == (turn, 2)
    await session.add_items([user("other")])
    await append_to_block(session, [user("end")], block)

    stored = await _items(session)
    assert stored[2:] == [user("other"), *asked, *turn, user("end")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the first", "the second"])
@pytest.mark.parametrize("stored_by", ["a run", "somebody else"])
async def test_of_two_tries_that_are_both_alive_the_one_that_writes_first_has_the_block(
    moving_store: Store, order: tuple[int, int], stored_by: str
) -> None:
    session, asked = moving_store.open(), [user("asked")]
    if stored_by == "a run":
        await begin_block(session, PriorAttempt(asked))
    else:
        await session.add_items(asked)
    tries = [await begin_block(session, PriorAttempt(asked)) for _ in range(2)]
    now, later = (tries[index] for index in order)
    now = await append_to_block(session, [call("1"), output("1")], now)
    with pytest.raises(ConcurrentWrite):
        await append_to_block(session, [user("of the other")], later)
    await append_to_block(session, [user("end")], now)

    assert await session.get_items() == [*asked, call("1"), output("1"), user("end")]


@pytest.mark.parametrize("by", ["popping", "clearing"])
async def test_of_two_runs_with_a_block_one_writes_also_where_what_both_had_is_gone(
    moving_store: Store, by: str
) -> None:
    session, asked = moving_store.open(), [user("asked"), user("now")]
    first = await begin_block(session, PriorAttempt(asked))
    second = await begin_block(session, PriorAttempt(asked))
    for _ in asked:
        await session.pop_item()
    if by == "clearing":
        await session.clear_session()

    await append_to_block(session, [user("answered")], second)
    with pytest.raises(ConcurrentWrite):
        await append_to_block(session, [user("answered too")], first)

    assert await session.get_items() == [user("answered")]


async def test_of_two_runs_with_a_block_one_writes_also_where_others_have_written_in_between(
    moving_store: Store,
) -> None:
    session, asked = moving_store.open(), [user("asked")]
    first = await begin_block(session, PriorAttempt(asked))
    second = await begin_block(session, PriorAttempt(asked))
    await session.add_items([user("other")])

    await append_to_block(session, [user("answered")], second)
    await session.add_items([user("other")])
    with pytest.raises(ConcurrentWrite):
        await append_to_block(session, [user("answered too")], first)

    texts = [item["content"][0]["text"] for item in await _items(session)]
    assert texts == ["other", "asked", "answered", "other"]


async def test_only_the_latest_items_are_adopted_and_only_if_they_are_these(
    moving_store: Store,
) -> None:
    session = moving_store.open()
    await append_to_block(session, [user("1"), user("2")], None)

    assert await adopt_block(session, [user("1"), user("2")]) is not None
    assert await adopt_block(session, [user("1")]) is None
    assert await adopt_block(session, [user("0"), user("1"), user("2")]) is None


async def test_many_writers_at_once_each_keep_their_items_together_at_every_moment(
    moving_store: Store,
) -> None:
    session = moving_store.open()
    other = moving_store.open() if moving_store.reopens else session

    async def write(name: str, through: Session) -> None:
        block = await append_to_block(through, [user(f"{name} 0")], None)
        for part in range(1, 4):
            block = await append_to_block(through, [user(f"{name} {part}")], block)
            _check_together(await _items(through))

    await asyncio.gather(*(write(f"{n}", (session, other)[n % 2]) for n in range(10)))

    stored = await _items(session)
    assert len(stored) == 40
    _check_together(stored)


def _check_together(stored: list[Item]) -> None:
    words = [item["content"][0]["text"].split() for item in stored]
    runs = dict.fromkeys(name for name, _ in words)
    together = [[name, str(part)] for name in runs for part in range(_count(words, name))]
    assert words == together


def _count(words: list[list[str]], name: str) -> int:
    return sum(word[0] == name for word in words)


async def _items(session: Session) -> list[Item]:
    return list(await session.get_items())


async def test_a_store_that_only_appends_keeps_each_write_together(appending_store: Store) -> None:
    session = appending_store.open()
    block = await append_to_block(session, [user("1")], None)
    await append_to_block(session, [user("other")], None)
    await append_to_block(session, [user("2"), user("3")], block)

    stored = appending_store.plain(await _items(session))
    assert stored == [user("1"), user("other"), user("2"), user("3")]


async def test_beginning_is_one_transaction_in_a_file_that_syncs_with_the_next(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    use_connections(
        monkeypatch, lambda connection: connection.set_trace_callback(statements.append)
    )
    session = SQLiteSession("s", file)
    await session.get_items()
    statements.clear()

    block = await begin_block(session, PriorAttempt([user("question")]))
    await append_to_block(session, [user("acknowledged")], block)

    told = [
        text
        for text in statements
        if "synchronous =" in text or text in ("BEGIN IMMEDIATE", "COMMIT")
    ]
    assert told == [
        "PRAGMA synchronous = NORMAL",
        *("BEGIN IMMEDIATE", "COMMIT"),
        "PRAGMA synchronous = 2",
        *("BEGIN IMMEDIATE", "COMMIT"),
    ]
    session.close()


@pytest.mark.parametrize("ends", ["well", "badly", "waiting"])
async def test_when_a_run_has_ended_all_that_it_stored_is_sure_of_the_disk(
    file: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    statements: list[str] = []
    use_connections(
        monkeypatch, lambda connection: connection.set_trace_callback(statements.append)
    )

    @function_tool(needs_approval=True)
    def pay() -> str:
        """Pay."""
        return "paid"

    replies: dict[str, Any] = {
        "well": [assistant_message("yes")],
        "badly": TimeoutError("no answer"),
        "waiting": [function_call("pay", {}, call_id="c")],
    }
    agent = Agent(name="Desk", model=ScriptedModel([replies[ends]]), tools=[pay])
    session = SQLiteSession("s", file)

    with suppress(TimeoutError):
        await Runner.run(agent, "hello", session=session)

    # Written in full, or synced afterwards: never both, because either takes its time.
    told = [text for text in statements if text == "COMMIT" or "checkpoint" in text][-2:]
    assert told == ["COMMIT", "COMMIT" if ends == "well" else "PRAGMA wal_checkpoint(PASSIVE)"]
    session.close()


async def test_a_moved_item_keeps_the_time_at_which_it_was_stored(file: Path) -> None:
    session = SQLiteSession("s", file)
    block = await append_to_block(session, [user("1")], None)
    await session.add_items([user("other")])
    await session._run(
        lambda connection: connection.execute(
            "UPDATE agent_messages SET created_at = '2001-01-01' WHERE id = 1"
        )
    )

    await append_to_block(session, [user("2")], block)

    times = await session._run(
        lambda connection: connection.execute(
            "SELECT created_at FROM agent_messages ORDER BY id"
        ).fetchall()
    )
    assert [time == ("2001-01-01",) for time in times] == [False, True, False]
    session.close()


async def test_a_class_that_reads_or_stores_in_its_own_way_is_asked_in_no_other_way(
    file: Path,
) -> None:
    class Shouting(SQLiteSession):
        async def add_items(self, items: list[Any]) -> None:
            await super().add_items([user(item["content"].upper()) for item in items])

    new: list[Any] = [{"role": "user", "content": "quiet"}]

    assert await begin_block(Shouting("s", file), PriorAttempt(new)) is None
    assert await SQLiteSession("s", file).get_items() == [user("QUIET")]
    around = EncryptedSession("e", Shouting("e", file), "key")
    # It stores envelopes, which have no content to shout.
    with pytest.raises(SessionError, match="KeyError"):
        await append_to_block(around, new, None)
    encrypted = EncryptedSession("e", SQLiteSession("e", file), "key")
    await begin_block(encrypted, PriorAttempt(new))
    assert await encrypted.get_items() == new
    assert b"quiet" not in b"".join(path.read_bytes() for path in file.parent.iterdir())


async def test_turns_and_their_usage_are_numbered_in_the_order_in_which_they_then_stand(
    file: Path,
) -> None:
    session = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
    await session.add_items([user("before")])
    first = await append_to_block(session, [user("first")], None)
    await session.store_run_usage(_used(1))
    second = await append_to_block(session, [user("second")], None)
    await session.store_run_usage(_used(2))
    await session.create_branch_from_turn(3, "other")
    await session.switch_to_branch("main")

    first = await append_to_block(session, [call("1"), output("1")], first)

    assert [(turn["turn"], turn["content"]) for turn in await _turns(session)] == [
        (1, "before"),
        (2, "second"),
        (3, "first"),
    ]
    usage = {turn["user_turn_number"]: turn["requests"] for turn in await _usage(session)}
    assert usage == {2: 2, 3: 1}
    # The other branch lists the same items as before.
    assert [turn["content"] for turn in await _turns(session, "other")] == ["before", "first"]
    # A run whose session is switched to another branch writes there, and moves nothing.
    await session.switch_to_branch("other")
    await append_to_block(session, [call("2"), output("2")], second)
    assert await session.get_items() == [
        *(user("before"), user("first")),
        *(call("2"), output("2")),
    ]
    session.close()


def _used(requests: int) -> Any:
    from types import SimpleNamespace

    from agentgraph import Usage

    return SimpleNamespace(context_wrapper=SimpleNamespace(usage=Usage(requests=requests)))


async def _turns(session: AdvancedSQLiteSession, branch: str | None = None) -> list[Any]:
    turns = await session.get_conversation_turns(branch)
    return [{**turn, "content": turn["full_content"][0]["text"]} for turn in turns]


async def _usage(session: AdvancedSQLiteSession) -> list[Any]:
    usage: Any = await session.get_turn_usage()
    return list(usage)
