"""Tables of other names than the usual ones: any two will do, and one file has them apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentgraph.extensions.memory import (
    AdvancedSQLiteSession,
    AsyncSQLiteSession,
    SQLAlchemySession,
)
from agentgraph.memory import SessionABC, SQLiteSession
from agentgraph.memory.errors import InvalidSessionInput, SessionError
from tests.memory.stores import user


def sqlite(sessions: str, messages: str) -> SessionABC:
    return SQLiteSession("s", sessions_table=sessions, messages_table=messages)


def advanced(sessions: str, messages: str) -> SessionABC:
    return AdvancedSQLiteSession(
        session_id="s", create_tables=True, sessions_table=sessions, messages_table=messages
    )


def sqlalchemy(sessions: str, messages: str) -> SessionABC:
    return SQLAlchemySession.from_url(
        "s",
        url="sqlite+aiosqlite://",
        create_tables=True,
        sessions_table=sessions,
        messages_table=messages,
    )


every_store = pytest.mark.parametrize("make", [sqlite, advanced, sqlalchemy])


@every_store
@pytest.mark.parametrize("name", ["my table", 'quo"te', "quo'te", "select", "a.b", "a;b", "[x]"])
async def test_a_table_may_have_any_name(make: Callable[[str, str], SessionABC], name: str) -> None:
    session = make(f"{name} 1", f"{name} 2")

    await session.add_items([user("a"), user("b")])

    assert await session.get_items(1) == [user("b")]
    assert await session.pop_item() == user("b")
    await session.clear_session()
    assert await session.get_items() == []
    if isinstance(session, SQLAlchemySession):
        await session.close()


@every_store
@pytest.mark.parametrize("names", [("t", "t"), ("t", "T"), ("", "t"), ("t", "")])
def test_two_tables_need_two_names(
    make: Callable[[str, str], SessionABC], names: tuple[str, str]
) -> None:
    with pytest.raises(InvalidSessionInput, match="two tables of different names"):
        make(*names)


async def test_branches_of_one_pair_of_tables_are_not_mixed_with_those_of_another(
    tmp_path: Path,
) -> None:
    def session(messages: str) -> AdvancedSQLiteSession:
        return AdvancedSQLiteSession(
            session_id="s",
            db_path=tmp_path / "a.db",
            create_tables=True,
            sessions_table=f"of_{messages}",
            messages_table=messages,
        )

    one, other, again = session("one"), session("other"), session("ONE")
    await one.add_items([user("mine")])

    with pytest.raises(SessionError, match=r"session in 'one', not in 'other'.*another file"):
        await other.add_items([user("theirs")])

    assert await again.get_items() == await one.get_items() == [user("mine")]
    for opened in (one, other, again):
        opened.close()


def test_a_session_says_in_which_tables_it_is() -> None:
    session = AsyncSQLiteSession("s", sessions_table="one", messages_table="two")

    assert (session.sessions_table, session.messages_table) == ("one", "two")
