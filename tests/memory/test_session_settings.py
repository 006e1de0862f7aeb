"""Settings of a session, and who wins when several say something."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph.memory import Session, SessionABC, is_openai_responses_compaction_aware_session
from agentgraph.memory.errors import InvalidSessionInput
from agentgraph.memory.session_settings import (
    SessionSettings,
    coerce_session_settings,
    resolve_session_limit,
)
from agentgraph.memory.sqlite_session import SQLiteSession


@pytest.mark.parametrize(
    ("explicit", "settings", "limit"),
    [
        (None, None, None),
        (2, None, 2),
        (2, SessionSettings(limit=3), 2),
        (0, SessionSettings(limit=3), 0),
        (None, SessionSettings(limit=3), 3),
        (None, {"limit": 4}, 4),
        (None, SessionSettings(), None),
    ],
)
def test_an_explicit_limit_wins_over_the_settings(
    explicit: int | None, settings: Any, limit: int | None
) -> None:
    assert resolve_session_limit(explicit, settings) == limit


@pytest.mark.parametrize(
    ("override", "limit"),
    [(None, 3), ({}, 3), ({"limit": 5}, 5), (SessionSettings(), 3), (SessionSettings(0), 0)],
)
def test_what_an_override_sets_replaces_what_was_set(override: Any, limit: int) -> None:
    assert SessionSettings(limit=3).resolve(override) == SessionSettings(limit=limit)


def test_settings_are_given_as_such_or_as_a_dict() -> None:
    settings = SessionSettings(limit=3)

    assert coerce_session_settings(settings) is settings
    assert coerce_session_settings({"limit": 3}) == settings
    assert settings.to_dict() == {"limit": 3}


@pytest.mark.parametrize("value", [None, 5, {"nope": 1}])
def test_what_is_no_settings_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="session settings"):
        coerce_session_settings(value)


@pytest.mark.parametrize("limit", [-1, "3", True, 1.5])
def test_a_limit_that_is_no_count_is_refused(limit: Any) -> None:
    with pytest.raises(InvalidSessionInput, match="limit of a session must be"):
        SessionSettings(limit=limit)


class Own:
    """A session that inherits nothing."""

    session_id = "own"
    session_settings: SessionSettings | None = None

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return []

    async def add_items(self, items: list[Any]) -> None: ...

    async def pop_item(self) -> Any:
        return None

    async def clear_session(self) -> None: ...


class OwnCompacting(Own):
    async def run_compaction(self, args: Any = None) -> None: ...


def test_a_session_needs_no_base_class() -> None:
    assert isinstance(Own(), Session)
    assert not isinstance(Own(), SessionABC)


def test_only_a_session_with_run_compaction_is_aware_of_compaction() -> None:
    assert is_openai_responses_compaction_aware_session(OwnCompacting())
    assert not is_openai_responses_compaction_aware_session(Own())
    assert not is_openai_responses_compaction_aware_session(SQLiteSession("s"))
    assert not is_openai_responses_compaction_aware_session(None)
