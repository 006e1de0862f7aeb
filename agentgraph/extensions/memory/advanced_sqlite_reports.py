"""Reports about a branch of an advanced session: turns, tools and tokens.

All functions only read, except `store_usage`, which replaces the usage of one turn.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from typing import TYPE_CHECKING, Any

from agentgraph.extensions.memory.advanced_sqlite_branches import Branch
from agentgraph.extensions.memory.advanced_sqlite_kinds import CALLS, contains_text, content_of
from agentgraph.memory.encoding import decode_item

if TYPE_CHECKING:
    from agentgraph.usage import Usage

__all__ = [
    "conversation_by_turns",
    "session_usage",
    "store_usage",
    "tool_usage",
    "turn_usage",
    "user_turns",
]

_PREVIEW_CHARACTERS = 100
_COUNTERS = ("requests", "input_tokens", "output_tokens", "total_tokens")
_DETAILS = ("input_tokens_details", "output_tokens_details")


def user_turns(
    connection: sqlite3.Connection, branch: Branch, containing: str | None = None
) -> list[dict[str, Any]]:
    """Describe the turns of a branch by their user messages.

    Args:
        connection: The connection.
        branch: The branch.
        containing: Only turns whose user message contains this text, ignoring case. The
            descriptions then have the whole content; otherwise they shorten it.
    """
    rows = connection.execute(
        f"SELECT s.user_turn_number, m.message_data, s.created_at FROM message_structure s "
        f"JOIN {branch.messages} m ON m.id = s.message_id WHERE s.session_id = ? "
        "AND s.branch_id = ? AND s.message_type = 'user' ORDER BY s.sequence_number",
        branch.key,
    )
    turns = []
    for turn, text, created_at in rows:
        item = decode_item(text)
        if item is None or (containing is not None and not contains_text(item, containing)):
            continue
        content = content_of(item)
        preview = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        if containing is None and len(preview) > _PREVIEW_CHARACTERS:
            preview = preview[:_PREVIEW_CHARACTERS] + "..."
        turns.append(
            {
                "turn": turn,
                "content": preview,
                "full_content": content,
                "timestamp": created_at,
                "can_branch": True,
            }
        )
    return turns


def conversation_by_turns(
    connection: sqlite3.Connection, branch: Branch
) -> dict[int, list[dict[str, str | None]]]:
    """Return kind and tool name of every item, by turn."""
    turns: dict[int, list[dict[str, str | None]]] = {}
    rows = connection.execute(
        "SELECT user_turn_number, message_type, tool_name FROM message_structure "
        "WHERE session_id = ? AND branch_id = ? ORDER BY sequence_number",
        branch.key,
    )
    for turn, kind, tool in rows:
        turns.setdefault(turn, []).append({"type": kind, "tool_name": tool})
    return turns


def tool_usage(connection: sqlite3.Connection, branch: Branch) -> list[tuple[str, int, int]]:
    """Return (tool, number of calls, turn) for each tool of each turn."""
    # In a file of the published SDK, every item with a name has it as its tool name, even a user
    # message; and older versions of the SDK gave hosted calls no tool name.
    return connection.execute(
        "SELECT COALESCE(tool_name, message_type) AS tool, COUNT(*), user_turn_number "
        "FROM message_structure WHERE session_id = ? AND branch_id = ? "
        f"AND message_type IN ({', '.join('?' * len(CALLS))}) "
        "GROUP BY user_turn_number, tool ORDER BY user_turn_number, tool",
        (*branch.key, *CALLS),
    ).fetchall()


def session_usage(
    connection: sqlite3.Connection, session_id: str, branch_id: str | None
) -> dict[str, int] | None:
    """Return the sums over a branch, or over all branches; None if there is no usage."""
    condition = "session_id = ?" + ("" if branch_id is None else " AND branch_id = ?")
    values = (session_id,) if branch_id is None else (session_id, branch_id)
    sums = ", ".join(f"COALESCE(SUM({column}), 0)" for column in _COUNTERS)
    row = connection.execute(
        f"SELECT {sums}, COUNT(*) FROM turn_usage WHERE {condition}", values
    ).fetchone()
    return dict(zip((*_COUNTERS, "total_turns"), row, strict=True)) if row[-1] else None


def turn_usage(connection: sqlite3.Connection, branch: Branch) -> list[dict[str, Any]]:
    """Return the usage of every turn of a branch that has one stored."""
    columns = ("user_turn_number", *_COUNTERS, *_DETAILS)
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM turn_usage WHERE session_id = ? AND branch_id = ? "
        "ORDER BY user_turn_number",
        branch.key,
    )
    turns = []
    for row in rows:
        turn = dict(zip(columns, row, strict=True))
        for name in _DETAILS:
            turn[name] = decode_item(turn[name])
        turns.append(turn)
    return turns


def store_usage(connection: sqlite3.Connection, branch: Branch, turn: int, usage: Usage) -> None:
    """Set the usage of a turn, replacing the stored one."""
    columns = (*_COUNTERS, *_DETAILS)
    counters = [getattr(usage, column) for column in _COUNTERS]
    details = [_details(getattr(usage, column)) for column in _DETAILS]
    connection.execute(
        f"INSERT INTO turn_usage (session_id, branch_id, user_turn_number, {', '.join(columns)}) "
        f"VALUES (?, ?, ?, {', '.join('?' * len(columns))}) "
        "ON CONFLICT (session_id, branch_id, user_turn_number) DO UPDATE SET "
        + ", ".join(f"{column} = excluded.{column}" for column in columns),
        (*branch.key, turn, *counters, *details),
    )


def _details(details: object) -> str | None:
    """Return token details, a model of the openai package or a dataclass, as JSON."""
    if details is None:
        return None
    if (dump := getattr(details, "model_dump", None)) is not None:
        return json.dumps(dump())
    if dataclasses.is_dataclass(details) and not isinstance(details, type):
        return json.dumps(dataclasses.asdict(details))
    return json.dumps(details)
