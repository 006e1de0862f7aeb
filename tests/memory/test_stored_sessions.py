"""What `agentgraph sessions` does in PostgreSQL; its own tests are about files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from agentgraph.extensions.memory import SQLAlchemySession, SQLAlchemyStoredSessions
from agentgraph.memory.errors import SessionError
from agentgraph.memory.stored_sessions import NoSuchSession
from tests.memory.conftest import postgresql_url
from tests.memory.stores import Item, call, output, user

ANSWER: Item = {"type": "message", "role": "assistant", "id": "m", "content": "yes"}
LEGAL: list[Item] = [user("one"), call("c"), output("c")]
BROKEN: list[Item] = [user("one"), call("c"), user("two"), ANSWER, user("three"), ANSWER]


@pytest.fixture(params=["asyncpg", "psycopg"])
async def url(request: pytest.FixtureRequest, postgresql: Path) -> str:
    url = postgresql_url(request.param, postgresql)
    for session_id, items in (("fine", LEGAL), ("broken", BROKEN)):
        session = _session(url, session_id)
        await session.clear_session()
        await session.add_items(items)
        await session.close()
    return url


def _session(url: str, session_id: str) -> SQLAlchemySession:
    return SQLAlchemySession.from_url(
        session_id,
        url=url,
        create_tables=True,
        sessions_table="looked_at",
        messages_table="looked_at_items",
    )


def _stored(url: str) -> SQLAlchemyStoredSessions:
    return SQLAlchemyStoredSessions(url, "looked_at", "looked_at_items")


async def _items(url: str, session_id: str) -> list[Item]:
    session = _session(url, session_id)
    items: list[Item] = list(await session.get_items())
    await session.close()
    return items


async def test_sessions_are_listed_and_mended_where_they_are(url: str) -> None:
    stored = _stored(url)
    listed = {session.session_id: session async for session in stored.sessions()}
    broken = listed["broken"]

    assert [len(listed[name].mendings) for name in ("fine", "broken")] == [0, 1]
    assert broken.updated[:2] == "20"
    await stored.mend(broken)

    without_id = {key: value for key, value in ANSWER.items() if key != "id"}
    mended = [user("one"), user("two"), ANSWER, user("three"), without_id]
    assert await _items(url, "broken") == mended
    assert await _items(url, "fine") == LEGAL
    assert (await stored.session("broken")).mendings == ()
    await stored.close()


async def test_marks_of_an_older_version_are_read_over_until_a_mending_removes_them(
    url: str,
) -> None:
    stored = _stored(url)
    texts = "SELECT message_data FROM looked_at_items WHERE session_id = 'fine'"
    async with stored._engine.begin() as connection:
        await connection.execute(
            text("UPDATE looked_at_items SET message_data = message_data || :mark"),
            {"mark": " \t\n\r" * 6},
        )
    assert await _items(url, "fine") == LEGAL
    fine = await stored.session("fine")
    assert (fine.mendings, fine.marked) == ((), 3)

    await stored.mend(fine)

    async with stored._engine.begin() as connection:
        for one in await connection.scalars(text(texts)):
            assert one == one.rstrip()
    assert (await stored.session("fine")).marked == 0
    assert await _items(url, "fine") == LEGAL
    await stored.close()


async def test_a_session_that_was_changed_in_the_meantime_is_not_mended(url: str) -> None:
    stored = _stored(url)
    broken = await stored.session("broken")
    session = _session(url, "broken")
    await session.add_items([output("c")])
    await session.close()

    with pytest.raises(SessionError, match="was changed by another program in the meantime"):
        await stored.mend(broken)

    assert await _items(url, "broken") == [*BROKEN, output("c")]
    await stored.close()


async def test_a_session_is_deleted_alone(url: str) -> None:
    stored = _stored(url)
    await stored.delete("broken")

    with pytest.raises(NoSuchSession, match="there is no session 'broken' in postgresql"):
        await stored.delete("broken")
    assert await _items(url, "fine") == LEGAL
    await stored.close()


async def test_a_database_without_sessions_is_refused_and_left_alone(url: str) -> None:
    stored = SQLAlchemyStoredSessions(url, "nowhere", "nothing")

    with pytest.raises(SessionError, match="it has no table 'nowhere', only"):
        await stored.session("s")

    async with stored._engine.connect() as connection:
        found = await connection.execute(text("SELECT to_regclass('nowhere')"))
        assert found.scalar_one() is None
    await stored.close()
