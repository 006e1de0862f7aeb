"""A stored row that holds no item is reported, in the log and where a caller asks; not its text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agentgraph import Agent, Runner
from agentgraph.extensions.memory import (
    AdvancedSQLiteSession,
    AsyncSQLiteSession,
    DaprSession,
    MongoDBSession,
    RedisSession,
    SQLAlchemySession,
)
from agentgraph.memory import SessionABC, SQLiteSession
from agentgraph.memory.encoding import decode_item, decode_items
from agentgraph.memory.errors import SessionError
from agentgraph.testing import ScriptedModel, assistant_message
from tests.memory.servers import DaprStateStore, mongodb_uri
from tests.memory.stores import user

DAMAGED = '{"a secret'
ITEMS = [user("1"), user("2")]


def insert(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO agent_messages (session_id, message_data) VALUES ('s', ?)", (DAMAGED,)
        )
        query = "SELECT 1 FROM sqlite_master WHERE name = 'message_structure'"
        if connection.execute(query).fetchone() is not None:
            connection.execute(
                "INSERT INTO message_structure "
                "(session_id, message_id, message_type, sequence_number) "
                "SELECT 's', MAX(id), 'user', 99 FROM agent_messages"
            )


@asynccontextmanager
async def damaged(name: str, request: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Any]:
    """A session with two items and, behind them, a row that holds none."""
    async with AsyncExitStack() as stack:
        session = await _damaged(name, request, folder, stack)
        yield session
        closing_it = session.close()
        if closing_it is not None:
            await closing_it


async def _damaged(
    name: str, request: pytest.FixtureRequest, folder: Path, stack: AsyncExitStack
) -> Any:
    file = folder / "sessions.db"
    session: Any
    match name:
        case "sqlite":
            session = SQLiteSession("s", file)
        case "async-sqlite":
            session = AsyncSQLiteSession("s", file)
        case "advanced-sqlite":
            session = AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True)
        case "aiosqlite":
            url = f"sqlite+aiosqlite:///{file}"
            session = SQLAlchemySession.from_url("s", url=url, create_tables=True)
        case "redis":
            address = f"unix://{request.getfixturevalue('redis_socket')}"
            session = RedisSession.from_url(uuid4().hex, url=address)
        case "mongodb":
            uri = mongodb_uri(request.getfixturevalue("mongodb_port"))
            session = MongoDBSession.from_uri(uuid4().hex, uri=uri)
        case _:
            request.getfixturevalue("sidecar_health")
            server = await stack.enter_async_context(DaprStateStore().running())
            session = DaprSession.from_address(
                "s", state_store_name="state", dapr_address=f"127.0.0.1:{server.port}"
            )
    await session.add_items(ITEMS)
    match name:
        case "redis":
            await session._redis.rpush(session._messages_key, DAMAGED)
        case "mongodb":
            messages = session._blocks._messages
            mine = {"session_id": session.session_id}
            await messages.update_one(mine, {"$push": {"message_data": DAMAGED}})
        case "dapr":
            texts = [*map(json.dumps, ITEMS), DAMAGED]
            server.values["s:messages"] = (json.dumps(texts).encode(), "99")
        case _:
            insert(file)
    return session


STORES = ["sqlite", "async-sqlite", "advanced-sqlite", "aiosqlite", "redis", "mongodb", "dapr"]


@pytest.mark.parametrize("name", STORES)
async def test_every_read_and_pop_that_passes_over_a_damaged_row_reports_it(
    name: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with damaged(name, request, tmp_path) as session:
        warning = f"{type(session).__name__} {session.session_id!r}: 1 damaged rows were left out"
        for read in (session.get_items(), session.get_items(), session.get_items(2)):
            caplog.clear()
            assert await read == ITEMS
            assert warning in caplog.text
            assert "secret" not in caplog.text
        assert await session.damaged_rows() == [2]

        caplog.clear()
        assert await session.pop_item() == ITEMS[1]
        assert warning in caplog.text
        assert await session.damaged_rows() == [1]


async def test_a_run_reports_a_damaged_row_and_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with damaged("sqlite", request, tmp_path) as session:
        model = ScriptedModel([[assistant_message("yes", item_id="m")]])
        await Runner.run(Agent(name="Desk", model=model), "next", session=session)

        assert caplog.text.count("1 damaged rows were left out") == 1
        assert "secret" not in caplog.text


async def test_the_message_of_an_error_about_a_damaged_file_quotes_no_text(tmp_path: Path) -> None:
    file = tmp_path / "sessions.db"
    with closing(SQLiteSession("s", file)) as session:
        await session.add_items([user("a secret" * 500) for _ in range(50)])
    content = file.read_bytes()
    file.write_bytes(content[: 4096 * 3] + b"a secret" * ((len(content) - 4096 * 3) // 8))

    with closing(SQLiteSession("s", file)) as session, pytest.raises(SessionError) as failure:
        await session.get_items()

    assert "secret" not in str(failure.value)


HALF = {"role": "user", "content": [{"type": "input_text", "text": "fi\ud800ne \U0001f600"}]}
WHOLE = {"role": "user", "content": [{"type": "input_text", "text": "fi\ufffdne \U0001f600"}]}


class Kept(SessionABC):
    """A store of the user's, which returns what it took."""

    session_id = "kept"
    session_settings = None

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return list(self.items if limit is None else self.items[-limit:])

    async def add_items(self, items: list[Any]) -> None:
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop()

    async def clear_session(self) -> None:
        self.items.clear()


@pytest.mark.parametrize("own", [False, True])
async def test_half_a_surrogate_pair_that_was_stored_before_is_mended(
    own: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session: Any = Kept([HALF]) if own else SQLiteSession("s", tmp_path / "sessions.db")
    if not own:
        await session.add_items([HALF])
        assert await session.get_items() == [WHOLE]
    model = ScriptedModel([[assistant_message("One")], [assistant_message("Two")]])
    agent = Agent(name="A", model=model)

    for _ in range(2):
        await Runner.run(agent, "go", session=session)

    assert [call.input[0] for call in model.calls] == [WHOLE, WHOLE]
    assert len(await session.get_items()) == 5
    assert "surrogate" in caplog.text
    assert "fi" not in caplog.text
    if not own:
        session.close()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r'{"role": "\uD83D\uDE00"}', "\U0001f600"),
        (r'{"role": "\uDE00\uD83D"}', "\ufffd\ufffd"),
        (r'{"role": "a\udfffb"}', "a\ufffdb"),
        (r'{"role": "\\ud800"}', r"\ud800"),
    ],
)
def test_only_a_half_without_its_other_half_is_replaced(text: str, read: str) -> None:
    assert decode_item(text) == {"role": read}
    assert decode_items([text, "{}"]) == [{"role": read}, {}]
