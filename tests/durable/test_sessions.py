"""Durable runs with sessions: a retry is the same run id, so no other run is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import Agent, InMemoryJournal, Runner, Session, SQLiteSession
from agentgraph.testing import ScriptedModel, assistant_message


class Cut(Exception):
    """Where a process dies."""


class DyingJournal(InMemoryJournal):
    """A journal whose process dies before its next append."""

    dies = True

    async def append(self, run_id: str, epoch: int, first: int, lines: Any) -> None:
        if self.dies:
            raise Cut
        await super().append(run_id, epoch, first, lines)


class PlainSession:
    """A session with no more than the protocol asks for."""

    session_id = "plain"
    session_settings = None

    def __init__(self) -> None:
        self.items: list[Any] = []

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self.items[-limit:] if limit else list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


@pytest.fixture(params=["sqlite", "plain"])
def session(request: pytest.FixtureRequest) -> Session:
    return SQLiteSession("a") if request.param == "sqlite" else PlainSession()


def desk(*texts: str) -> Agent:
    return Agent(name="Desk", model=ScriptedModel([[assistant_message(text)] for text in texts]))


def words(items: list[Any]) -> list[str]:
    return [
        item["content"] if item["role"] == "user" else item["content"][0]["text"] for item in items
    ]


async def test_an_input_stored_before_the_process_died_is_stored_once(session: Session) -> None:
    journal = DyingJournal()
    with pytest.raises(Cut):
        await Runner.run(desk("yes"), "Really?", journal=journal, run_id="a", session=session)
    assert words(await session.get_items()) == ["Really?"]
    journal.dies = False
    result = await Runner.resume("a", desk("yes"), journal=journal, session=session)
    assert result.final_output == "yes"
    assert words(await session.get_items()) == ["Really?", "yes"]


async def test_an_equal_question_of_another_run_is_a_question_of_its_own(session: Session) -> None:
    await session.add_items([{"role": "user", "content": "Really?"}])  # it was never answered
    journal = InMemoryJournal()
    model = desk("yes")
    result = await Runner.run(model, "Really?", journal=journal, run_id="a", session=session)
    assert result.final_output == "yes"
    assert words(await session.get_items()) == ["Really?", "Really?", "yes"]


async def test_without_a_journal_a_second_try_continues_the_first_one() -> None:
    session = SQLiteSession("a")
    await session.add_items([{"role": "user", "content": "Really?"}])
    await Runner.run(desk("yes"), "Really?", session=session)
    assert words(await session.get_items()) == ["Really?", "yes"]


async def test_two_durable_runs_that_died_with_one_question_stay_apart() -> None:
    session, journal = SQLiteSession("a"), DyingJournal()
    for run_id in ("a", "b"):
        with pytest.raises(Cut):
            await Runner.run(desk(), "Really?", journal=journal, run_id=run_id, session=session)
    journal.dies = False
    for run_id in ("b", "a"):
        await Runner.resume(run_id, desk(f"yes, {run_id}"), journal=journal, session=session)
    assert words(await session.get_items()) == ["Really?", "yes, b", "Really?", "yes, a"]
