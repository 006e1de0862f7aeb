"""`SQLAlchemySession`: engines, tables, lost connections, unreachable and foreign databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("sqlalchemy", reason="pip install sqlalchemy[asyncio] brings it")

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agentgraph import Agent, Runner, SQLiteSession
from agentgraph.extensions.memory import SQLAlchemySession
from agentgraph.memory.errors import InvalidSessionInput, SessionError
from agentgraph.testing import ScriptedModel, assistant_message
from tests.memory.conftest import postgresql_url
from tests.memory.servers import TcpProxy
from tests.memory.stores import call, output, user
from tests.memory.test_sqlite_session import delete

DRIVERS = ("asyncpg", "psycopg")


@pytest.fixture(params=DRIVERS)
async def engine(request: pytest.FixtureRequest, postgresql: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(postgresql_url(request.param, postgresql))
    yield engine
    await engine.dispose()


async def run_sql(engine: AsyncEngine, *statements: str) -> list[Any]:
    async with engine.begin() as connection:
        for statement in statements:
            result = await connection.execute(text(statement))
        return list(result) if result.returns_rows else []


async def test_sessions_that_share_an_engine_make_the_tables_once_under_concurrency(
    engine: AsyncEngine,
) -> None:
    suffix = uuid4().hex[:8]
    sessions = [
        SQLAlchemySession(
            f"s{number}",
            engine=engine,
            create_tables=True,
            sessions_table=f"sessions_{suffix}",
            messages_table=f"messages_{suffix}",
        )
        for number in range(8)
    ]

    await asyncio.gather(*(session.add_items([user("x")]) for session in sessions))

    assert await run_sql(engine, f"SELECT COUNT(*) FROM messages_{suffix}") == [(8,)]
    assert sessions[0].engine is engine


async def test_writers_on_several_connections_keep_their_items_together(
    engine: AsyncEngine,
) -> None:
    name = uuid4().hex
    sessions = [SQLAlchemySession(name, engine=engine, create_tables=True) for _ in range(5)]
    turns = [[user(f"{n}.{part}") for part in range(4)] for n in range(40)]

    await asyncio.gather(*(sessions[n % 5].add_items(turn) for n, turn in enumerate(turns)))

    stored = await sessions[0].get_items()
    blocks = [stored[start : start + 4] for start in range(0, len(stored), 4)]
    assert sorted(blocks, key=turns.index) == turns


async def test_items_stored_while_others_clear_the_session_are_no_error(
    engine: AsyncEngine,
) -> None:
    name = uuid4().hex
    sessions = [SQLAlchemySession(name, engine=engine, create_tables=True) for _ in range(4)]

    async def write(session: SQLAlchemySession) -> None:
        block = None
        for part in range(12):
            turn = [call(f"{part}"), output(f"{part}")]
            block = await session.append_to_block(turn, block)

    async def clear(session: SQLAlchemySession) -> None:
        for _ in range(12):
            await session.clear_session()

    await asyncio.gather(*(use(session) for session in sessions for use in (write, clear, write)))

    await sessions[0].clear_session()
    assert await sessions[1].get_items() == []
    mine = f"session_id = '{name}'"
    assert await run_sql(engine, f"SELECT * FROM agent_sessions WHERE {mine}") == []


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "REPEATABLE READ", "SERIALIZABLE"])
async def test_writers_on_an_engine_with_transactions_of_its_own_kind_wait_for_each_other(
    engine: AsyncEngine, level: str
) -> None:
    own = create_async_engine(engine.url, isolation_level=level)
    name = uuid4().hex
    sessions = [SQLAlchemySession(name, engine=own, create_tables=True) for _ in range(4)]

    async def write(session: SQLAlchemySession, run: int) -> None:
        block = None
        for part in range(4):
            turn = [call(f"{run}.{part}"), output(f"{run}.{part}")]
            block = await session.append_to_block(turn, block)

    await asyncio.gather(*(write(session, n) for n, session in enumerate(sessions * 2)))

    stored: list[Any] = list(await sessions[0].get_items())
    runs = [stored[start : start + 8] for start in range(0, 64, 8)]
    assert len(stored) == 64
    for run in runs:
        number = run[0]["call_id"][0]
        assert [item["call_id"] for item in run[::2]] == [f"{number}.{part}" for part in range(4)]
    await own.dispose()


async def test_popping_from_a_session_that_nobody_has_made_makes_none(engine: AsyncEngine) -> None:
    session = SQLAlchemySession(uuid4().hex, engine=engine, create_tables=True)

    assert await session.pop_item() is None

    mine = f"session_id = '{session.session_id}'"
    assert await run_sql(engine, f"SELECT * FROM agent_sessions WHERE {mine}") == []


async def test_tables_that_are_missing_are_an_error_that_says_how_to_make_them(
    engine: AsyncEngine,
) -> None:
    session = SQLAlchemySession("s", engine=engine, messages_table="missing")

    with pytest.raises(SessionError, match=r"'s' in postgresql.*create_tables=True creates them"):
        await session.add_items([user("x")])


async def test_a_table_of_another_program_is_refused_and_left_alone(engine: AsyncEngine) -> None:
    await run_sql(
        engine,
        "DROP TABLE IF EXISTS foreign_table",
        "CREATE TABLE foreign_table (subject TEXT)",
        "INSERT INTO foreign_table VALUES ('hello')",
    )
    session = SQLAlchemySession(
        "s", engine=engine, create_tables=True, messages_table="foreign_table"
    )

    with pytest.raises(SessionError, match="'s' in postgresql"):
        await session.add_items([user("x")])

    assert await run_sql(engine, "SELECT * FROM foreign_table") == [("hello",)]


async def test_damaged_rows_take_no_place_of_an_item(engine: AsyncEngine) -> None:
    name = uuid4().hex
    session = SQLAlchemySession(name, engine=engine, create_tables=True)
    await session.add_items([user("1"), user("2"), user("3")])
    await run_sql(
        engine,
        f"INSERT INTO agent_messages (session_id, message_data) VALUES ('{name}', 'broken')",
        f"INSERT INTO agent_messages (session_id, message_data) VALUES ('{name}', '[]')",
    )

    assert await session.get_items() == [user("1"), user("2"), user("3")]
    assert await session.get_items(2) == [user("2"), user("3")]
    assert await session.pop_item() == user("3")


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("after_sending", [False, True], ids=["request-lost", "answer-lost"])
async def test_a_connection_lost_in_a_write_stores_all_of_the_call_or_nothing(
    driver: str, after_sending: bool, postgresql: Path
) -> None:
    name = uuid4().hex
    async with TcpProxy(postgresql / ".s.PGSQL.5432").running() as proxy:
        session = SQLAlchemySession.from_url(
            name,
            url=f"postgresql+{driver}://postgres@127.0.0.1:{proxy.port}/postgres",
            create_tables=True,
        )
        await session.add_items([user("before")])
        # It begins with READ COMMITTED.
        ends = (b"COMMIT;", b"COMMIT\0")
        proxy.cut_when(lambda it: any(end in it for end in ends), after_sending=after_sending)

        turn = [call("c"), output("c"), user("after")]
        with pytest.raises(SessionError, match="stored all of its items or none"):
            await session.add_items(turn)

        expected = [user("before"), *turn] if after_sending else [user("before")]
        assert await session.get_items() == expected
        await session.add_items([user("again")])
        assert await session.get_items() == [*expected, user("again")]
        await session.close()


async def test_sessions_on_one_engine_in_memory_do_not_mix_their_transactions() -> None:
    engine = create_async_engine("sqlite+aiosqlite://")
    sessions = [SQLAlchemySession(f"{n}", engine=engine, create_tables=True) for n in range(10)]

    await asyncio.gather(*(session.add_items([user("x")]) for session in sessions))

    assert [await session.get_items() for session in sessions] == [[user("x")]] * 10
    await engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        *("not a url", "nodatabase://host/x", "postgresql+nodriver://host/x", "sqlite:///plain.db"),
        "postgresql+asyncpg://host:port/x",
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidSessionInput, match="'s': no database can be reached"):
        SQLAlchemySession.from_url("s", url=url)


def test_the_url_that_leads_nowhere_is_named_without_its_password() -> None:
    with pytest.raises(
        InvalidSessionInput, match=r"'s': .*nodatabase://me:\*\*\*@host/x"
    ) as caught:
        SQLAlchemySession.from_url("s", url="nodatabase://me:hunter2@host/x")

    assert "hunter2" not in str(caught.value)


def test_a_password_with_an_at_sign_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidSessionInput, match=r"'s': the URL has an @ too many") as caught:
        SQLAlchemySession.from_url("s", url="postgresql+asyncpg://me:hun@ter2@host/x")

    assert "ter2" not in str(caught.value)


def test_an_argument_that_no_engine_has_is_named() -> None:
    with pytest.raises(InvalidSessionInput, match=r"'s': .*'bogus'"):
        SQLAlchemySession.from_url(
            "s", url="postgresql+asyncpg://host/x", engine_kwargs={"bogus": 1}
        )


@pytest.mark.parametrize("rest", ["1/x?bogus=1", "99999/x"])
async def test_what_a_driver_refuses_when_it_connects_is_an_error_of_the_session(rest: str) -> None:
    url = f"postgresql+asyncpg://me@127.0.0.1:{rest}&password=hunter2".replace("x&", "x?")
    session = SQLAlchemySession.from_url("s", url=url)

    with pytest.raises(SessionError, match=r"'s' in postgresql.*(bogus|port)") as failure:
        await session.get_items()

    assert "hunter2" not in str(failure.value)
    await session.close()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_unreachable_server_is_an_error_that_hides_the_password(driver: str) -> None:
    url = f"postgresql+{driver}://someone:hunter2@127.0.0.1:1/database"
    session = SQLAlchemySession.from_url("s", url=url, create_tables=True)

    with pytest.raises(SessionError, match=r"'s' in postgresql.*someone") as failure:
        await session.get_items()

    assert "hunter2" not in str(failure.value)
    await session.close()


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_database_that_does_not_exist_is_an_error_of_the_session(
    driver: str, postgresql: Path
) -> None:
    url = f"postgresql+{driver}://postgres@/nowhere?host={postgresql}"
    session = SQLAlchemySession.from_url("s", url=url, create_tables=True)

    with pytest.raises(SessionError, match='"nowhere" does not exist'):
        await session.get_items()
    await session.close()


async def test_a_full_sqlite_database_stores_nothing_of_the_call(tmp_path: Path) -> None:
    session = SQLAlchemySession.from_url(
        "s", url=f"sqlite+aiosqlite:///{tmp_path / 'full.db'}", create_tables=True
    )
    await session.add_items([user("small")])
    async with session.engine.begin() as connection:
        await connection.execute(text("PRAGMA max_page_count=12"))

    with pytest.raises(SessionError, match="full"):
        await session.add_items([user("first"), user("x" * 200_000)])

    assert await session.get_items() == [user("small")]
    await session.close()


async def test_items_stand_in_the_order_of_their_times_when_a_block_was_moved(
    engine: AsyncEngine,
) -> None:
    name = f"times-{uuid4().hex}"
    mine = f"agent_messages WHERE session_id = '{name}'"
    session = SQLAlchemySession(name, engine=engine, create_tables=True)
    block = await session.append_to_block([user("1")])
    await session.add_items([user("other")])
    age = "UPDATE agent_messages SET created_at = created_at - INTERVAL '1 day'"
    await run_sql(engine, f"{age} WHERE session_id = '{name}'")

    await session.append_to_block([user("2")], block)

    assert await session.get_items() == [user("other"), user("1"), user("2")]
    by_time = await run_sql(engine, f"SELECT id FROM {mine} ORDER BY created_at, id")
    assert by_time == await run_sql(engine, f"SELECT id FROM {mine} ORDER BY id")


@pytest.mark.parametrize("statement", ["UPDATE", "INSERT INTO agent_messages", "DELETE"])
async def test_a_cancelled_call_on_an_sqlite_file_keeps_no_lock_and_is_done_whole(
    tmp_path: Path, statement: str
) -> None:
    file = tmp_path / "sessions.db"
    url = f"sqlite+aiosqlite:///{file}"
    session = SQLAlchemySession.from_url("s", url=url, create_tables=True)
    await session.add_items([user("a"), user("b")])
    deleting = statement == "DELETE"
    task = asyncio.create_task(
        session.clear_session() if deleting else session.add_items([user("c"), user("d")])
    )

    @event.listens_for(session.engine.sync_engine, "before_cursor_execute")
    def cancel(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        if sql.startswith(statement) and not task.cancelling():
            task.cancel()

    # Held here, so that the garbage collector does not come to help.
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task

    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    assert cancelled.value is not None
    assert len(await session.get_items()) == (0 if deleting else 4)
    await session.close()


async def test_without_the_table_of_saves_runs_work_and_a_warning_says_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "sessions.db"
    with closing(SQLiteSession("s", file)) as made:
        await made.add_items([user("before")])  # makes the tables of the SDK, and no others
    session = SQLAlchemySession.from_url("s", url=f"sqlite+aiosqlite:///{file}")

    for question in ("first", "second"):
        model = ScriptedModel([TimeoutError("no answer"), [assistant_message("yes")]])
        agent = Agent(name="Desk", model=model)
        with pytest.raises(TimeoutError):
            await Runner.run(agent, question, session=session)
        await Runner.run(agent, question, session=session)

    kinds = [item["role"] for item in await session.get_items()]
    assert kinds == ["user", *["user", "assistant"] * 2]
    assert caplog.text.count("there is no table 'agentgraph_agent_messages'") == 1
    await session.clear_session()
    assert await session.get_items() == []
    await session.close()


@pytest.mark.parametrize(("ensure_ascii", "stored"), [(True, "\\u00fc"), (False, "ü")])
async def test_stored_text_is_ascii_unless_told_otherwise(
    tmp_path: Path, ensure_ascii: bool, stored: str
) -> None:
    session = SQLAlchemySession.from_url(
        "s",
        url=f"sqlite+aiosqlite:///{tmp_path / 'text.db'}",
        create_tables=True,
        ensure_ascii=ensure_ascii,
    )
    await session.add_items([user("ü")])

    ((content,),) = await run_sql(session.engine, "SELECT message_data FROM agent_messages")

    assert stored in content
    assert await session.get_items() == [user("ü")]
    await session.close()


async def test_a_file_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "s.db"
    url = f"sqlite+aiosqlite:///{file}"
    session = SQLAlchemySession.from_url("s", url=url, create_tables=True)
    await session.add_items([user("lost with its file")])
    delete(file)

    await session.add_items([user("kept")])

    assert await session.get_items() == [user("kept")]
    await session.close()
    again = SQLAlchemySession.from_url("s", url=url)
    assert await again.get_items() == [user("kept")]
    await again.close()


async def test_a_file_that_took_the_place_of_another_keeps_what_it_holds(tmp_path: Path) -> None:
    file, other = tmp_path / "s.db", tmp_path / "backup.db"
    backup = SQLAlchemySession.from_url("s", url=f"sqlite+aiosqlite:///{other}", create_tables=True)
    await backup.add_items([user("from the backup")])
    await backup.close()
    session = SQLAlchemySession.from_url("s", url=f"sqlite+aiosqlite:///{file}", create_tables=True)
    # Several connections of the pool are open to the old file.
    await asyncio.gather(*(session.add_items([user(f"{number}")]) for number in range(4)))

    other.replace(file)
    await asyncio.gather(*(session.add_items([user("later")]) for _ in range(4)))
    await session.close()

    again = SQLAlchemySession.from_url("s", url=f"sqlite+aiosqlite:///{file}")
    assert await again.get_items() == [user("from the backup"), *[user("later")] * 4]
    await again.close()
