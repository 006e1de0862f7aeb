"""Branches, turns, usage and queries of `AdvancedSQLiteSession`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentgraph.extensions.memory import AdvancedSQLiteSession
from agentgraph.memory import SQLiteSession
from agentgraph.memory.errors import InvalidSessionInput, SessionError
from agentgraph.usage import Usage
from tests.memory.stores import Item, call, output, user

TURNS: list[list[Item]] = [
    [
        {"role": "user", "content": "one"},
        call("c"),
        output("c"),
        _ := {"role": "assistant", "content": "1"},
    ],
    [{"role": "user", "content": "TWO " + "x" * 200}, {"role": "assistant", "content": "2"}],
    [{"role": "user", "content": [{"type": "input_text", "text": "drei"}]}],
]
ITEMS: list[Item] = [item for turn in TURNS for item in turn]


@pytest.fixture
async def session() -> Any:
    session = AdvancedSQLiteSession(session_id="s", create_tables=True)
    for turn in TURNS:
        await session.add_items(turn)
    yield session
    session.close()


def result(total: int) -> Any:
    usage = Usage(requests=1, input_tokens=total - 1, output_tokens=1, total_tokens=total)
    return SimpleNamespace(context_wrapper=SimpleNamespace(usage=usage))


async def test_a_branch_holds_what_came_before_its_turn_and_goes_its_own_way(
    session: AdvancedSQLiteSession,
) -> None:
    name = await session.create_branch_from_turn(2)
    await session.add_items([{"role": "user", "content": "other two"}])

    assert name.startswith("branch_from_turn_2_")
    assert await session.get_items() == [*TURNS[0], {"role": "user", "content": "other two"}]
    assert await session.get_items(branch_id="main") == ITEMS
    assert await session.get_items(1, branch_id="main") == ITEMS[-1:]
    turns = await session.get_conversation_turns()
    assert [(turn["turn"], turn["content"]) for turn in turns] == [(1, "one"), (2, "other two")]


async def test_branches_are_listed_with_their_counts_and_which_is_current(
    session: AdvancedSQLiteSession,
) -> None:
    await session.create_branch_from_turn(2, "b")

    listed = [
        (b["branch_id"], b["message_count"], b["user_turns"], b["is_current"])
        for b in await session.list_branches()
    ]

    assert listed == [("main", 7, 3, False), ("b", 4, 1, True)]


async def test_switching_leads_to_a_branch_that_exists(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(2, "b")

    await session.switch_to_branch("main")

    assert await session.get_items() == ITEMS
    for name in ("nowhere", ""):
        with pytest.raises(InvalidSessionInput, match=f"no branch '{name}'"):
            await session.switch_to_branch(name)
    assert await session.get_items() == ITEMS
    assert await session.get_items(branch_id="") == []


async def test_a_run_on_a_branch_that_another_object_has_cleared_goes_on_in_main(
    tmp_path: Path,
) -> None:
    file = tmp_path / "s.db"
    one, other = (
        AdvancedSQLiteSession(session_id="s", db_path=file, create_tables=True) for _ in "12"
    )
    await one.add_items([user("1"), user("2")])
    await one.create_branch_from_turn(2, "aside")
    block = await one.append_to_block([user("3")])

    await other.clear_session()
    await one.append_to_block([user("4")], block)

    assert [branch["branch_id"] for branch in await other.list_branches()] == ["main"]
    assert await other.get_items() == [user("4")]
    one.close()
    other.close()


async def test_a_deleted_branch_takes_only_its_own_items_along(tmp_path: Path) -> None:
    session = AdvancedSQLiteSession(session_id="s", db_path=tmp_path / "a.db", create_tables=True)
    for turn in TURNS:
        await session.add_items(turn)
    await session.create_branch_from_turn(2, "b")
    await session.add_items([{"role": "user", "content": "only here"}])
    await session.store_run_usage(result(9))

    with pytest.raises(InvalidSessionInput, match="is the current one"):
        await session.delete_branch("b")
    await session.delete_branch("b", force=True)

    assert await session.get_items() == ITEMS
    assert await session.get_session_usage("b") is None
    plain = SQLiteSession("s", tmp_path / "a.db")
    assert await plain.get_items() == ITEMS
    plain.close()
    session.close()


@pytest.mark.parametrize(
    ("branch", "complaint"),
    [("main", "cannot be deleted"), ("", "must not be empty"), ("nowhere", "no branch")],
)
async def test_a_branch_that_cannot_be_deleted_is_an_error(
    session: AdvancedSQLiteSession, branch: str, complaint: str
) -> None:
    with pytest.raises(InvalidSessionInput, match=complaint):
        await session.delete_branch(branch, force=True)


@pytest.mark.parametrize("turn", [0, 4, -1])
async def test_a_branch_needs_a_turn_of_the_user(session: AdvancedSQLiteSession, turn: int) -> None:
    with pytest.raises(InvalidSessionInput, match=f"has no turn {turn}"):
        await session.create_branch_from_turn(turn)


async def test_a_branch_name_is_used_once(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(2, "b")
    await session.delete_branch("b", force=True)

    for name in ("b", "main"):
        with pytest.raises(InvalidSessionInput, match="was used before"):
            await session.create_branch_from_turn(2, name)
    with pytest.raises(InvalidSessionInput, match="must not be empty"):
        await session.create_branch_from_turn(2, " ")
    first = await session.create_branch_from_turn(1)
    await session.switch_to_branch("main")
    second = await session.create_branch_from_turn(1)
    assert first != second


async def test_a_branch_can_start_where_the_user_said_something(
    session: AdvancedSQLiteSession,
) -> None:
    await session.create_branch_from_content("two x", "b")

    assert await session.get_items() == TURNS[0]
    with pytest.raises(InvalidSessionInput, match="contains 'never said'"):
        await session.create_branch_from_content("never said")


async def test_popping_in_a_branch_leaves_the_item_to_the_others(
    session: AdvancedSQLiteSession,
) -> None:
    await session.create_branch_from_turn(3, "b")

    assert await session.pop_item() == TURNS[1][-1]

    assert await session.get_items() == ITEMS[:5]
    assert await session.get_items(branch_id="main") == ITEMS


async def test_turns_are_shortened_in_the_list_and_whole_when_found(
    session: AdvancedSQLiteSession,
) -> None:
    turns = await session.get_conversation_turns()
    found = await session.find_turns_by_content("two")

    assert [len(turn["content"]) for turn in turns] == [3, 103, 40]
    assert [turn["full_content"] for turn in turns] == [turn[0]["content"] for turn in TURNS]
    assert [(turn["turn"], turn["content"]) for turn in found] == [(2, TURNS[1][0]["content"])]


async def test_items_and_tools_are_counted_by_turn(session: AdvancedSQLiteSession) -> None:
    hosted: list[Item] = [
        {"type": "web_search_call", "id": "w"},
        {"type": "mcp_call", "id": "m", "name": "ask", "server_label": "docs"},
    ]
    await session.add_items([call("d"), call("e"), *hosted, output("d"), output("e")])

    by_turns = await session.get_conversation_by_turns()

    assert [item["type"] for item in by_turns[1]] == [
        "user",
        "function_call",
        "function_call_output",
        "assistant",
    ]
    assert await session.get_tool_usage() == [
        ("f", 1, 1),
        ("docs.ask", 1, 3),
        ("f", 2, 3),
        ("web_search_call", 1, 3),
    ]


@pytest.mark.parametrize(
    ("item", "tool"),
    [
        ({"type": "function_call", "name": "f", "namespace": "crm"}, "crm.f"),
        ({"type": "function_call", "name": "f", "namespace": "f"}, "f"),
        ({"type": "custom_tool_call", "name": "sql"}, "sql"),
        ({"type": "mcp_call", "server_label": "docs"}, "docs"),
        ({"type": "tool_search_call"}, "tool_search"),
    ],
)
async def test_a_tool_is_counted_under_its_whole_name(
    session: AdvancedSQLiteSession, item: Item, tool: str
) -> None:
    await session.add_items([item])

    assert (tool, 1, 3) in await session.get_tool_usage()


async def test_only_calls_count_as_tools_whatever_else_has_a_name(tmp_path: Path) -> None:
    session = AdvancedSQLiteSession(session_id="s", db_path=tmp_path / "a.db", create_tables=True)
    await session.add_items(
        [
            {"role": "user", "content": "hi", "name": "bob"},
            {"type": "tool_search_call", "id": "t"},
            {"type": "tool_search_output", "id": "o"},
            {"type": "shell_call", "id": "s"},
        ]
    )
    # As versions of the published SDK have written these rows.
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection, connection:
        update = "UPDATE message_structure SET tool_name = ? WHERE message_type = ?"
        connection.execute(update, ("bob", "user"))
        connection.execute(update, (None, "shell_call"))

    assert await session.get_tool_usage() == [("shell_call", 1, 1), ("tool_search", 1, 1)]
    session.close()


async def test_a_turn_is_found_by_what_its_parts_say_and_not_by_how_they_are_stored(
    session: AdvancedSQLiteSession,
) -> None:
    parts = [{"type": "input_image", "image_url": "u"}, {"type": "input_text", "text": '"Ä"\n'}]
    await session.add_items([{"role": "user", "content": parts}])

    assert [turn["turn"] for turn in await session.find_turns_by_content('"ä"\n')] == [4]
    assert await session.find_turns_by_content("input_text") == []


async def test_what_a_turn_cost_goes_with_its_last_item(session: AdvancedSQLiteSession) -> None:
    await session.store_run_usage(result(10))
    await session.add_items([{"role": "assistant", "content": "3"}])

    await session.pop_item()
    assert await session.get_session_usage() is not None
    await session.pop_item()

    assert await session.get_session_usage() is None


async def test_a_run_whose_session_was_cleared_since_has_no_turn_to_cost_anything(
    session: AdvancedSQLiteSession,
) -> None:
    await session.clear_session()

    await session.store_run_usage(result(10))

    assert await session.get_session_usage() is None
    await session.add_items([{"role": "assistant", "content": "Welcome."}])
    await session.store_run_usage(result(10))
    assert await session.get_session_usage() is not None


async def test_usage_is_kept_per_branch_and_turn_and_replaced_for_the_same_turn(
    session: AdvancedSQLiteSession,
) -> None:
    assert await session.get_session_usage() is None
    await session.store_run_usage(result(10))
    await session.store_run_usage(result(20))
    await session.create_branch_from_turn(2, "b")
    await session.store_run_usage(result(5))

    assert await session.get_session_usage("main") == {
        "requests": 1,
        "input_tokens": 19,
        "output_tokens": 1,
        "total_tokens": 20,
        "total_turns": 1,
    }
    whole = await session.get_session_usage()
    assert whole is not None
    assert (whole["total_tokens"], whole["total_turns"]) == (25, 2)
    turn = await session.get_turn_usage(3, "main")
    assert isinstance(turn, dict)
    assert turn["total_tokens"] == 20
    assert await session.get_turn_usage(7) == {}
    every = await session.get_turn_usage()
    assert isinstance(every, list)
    assert [entry["user_turn_number"] for entry in every] == [1]


async def test_clearing_removes_every_branch_also_for_other_objects(tmp_path: Path) -> None:
    first = AdvancedSQLiteSession(session_id="s", db_path=tmp_path / "a.db", create_tables=True)
    second = AdvancedSQLiteSession(session_id="s", db_path=tmp_path / "a.db")
    for turn in TURNS:
        await first.add_items(turn)
    await second.create_branch_from_turn(2, "b")

    await first.clear_session()

    assert await second.get_items() == []
    await second.add_items(TURNS[0])
    assert await first.get_items() == TURNS[0]
    first.close()
    second.close()


async def test_a_plain_session_file_becomes_an_advanced_one(tmp_path: Path) -> None:
    plain = SQLiteSession("s", tmp_path / "plain.db")
    await plain.add_items(ITEMS)
    plain.close()

    session = AdvancedSQLiteSession(
        session_id="s", db_path=tmp_path / "plain.db", create_tables=True
    )

    assert await session.get_items() == ITEMS
    assert [turn["turn"] for turn in await session.get_conversation_turns()] == [1, 2, 3]
    session.close()


async def test_missing_tables_are_an_error_that_says_how_to_make_them(tmp_path: Path) -> None:
    session = AdvancedSQLiteSession(session_id="s", db_path=tmp_path / "a.db")

    with pytest.raises(SessionError, match="give create_tables=True"):
        await session.add_items(ITEMS)
    session.close()


async def test_a_failing_write_leaves_neither_item_nor_structure(
    session: AdvancedSQLiteSession,
) -> None:
    with pytest.raises(InvalidSessionInput):
        await session.add_items([{"role": "user", "content": "kept?"}, "no item"])  # type: ignore[list-item]

    assert await session.get_items() == ITEMS
    assert len(await session.get_conversation_turns()) == 3
