"""Stored sessions as text for a person: a line for each session, a conversation item by item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from agentgraph.cli.terminal import print_hanging, printable
from agentgraph.cli.wording import shortened, written_call
from agentgraph.memory.encoding import ENVELOPE_MARK
from agentgraph.memory.stored_sessions import History, StoredSession
from agentgraph.memory.transcripts.automaton import ANSWERED_BY

__all__ = ["print_changes", "print_history", "print_sessions", "state_of"]

_ITEM_LIMIT: Final = 2_000
"""The most characters of one item to show; `export` writes all of them."""

_OUTPUTS: Final = frozenset(ANSWERED_BY.values())


def print_sessions(console: Console, sessions: Iterable[StoredSession]) -> None:
    """Print a table: a line for each session, or for each branch of it.

    Args:
        console: Where to print.
        sessions: What to list.
    """
    rows = [("session", "items", "created (UTC)", "updated (UTC)", "history")]
    rows += [
        (
            session.session_id + (f" @{history.branch}" if history.branch else ""),
            f"{len(history.rows):,}",
            session.created,
            session.updated,
            state_of(history),
        )
        for session in sessions
        for history in session.histories
    ]
    cells = [[printable(cell.replace("\n", "\\n")) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        line = Text("", "title" if number == 0 else "")
        for at, (cell, width) in enumerate(zip(row, widths, strict=True)):
            space = " " * (width - cell_len(cell))
            line.append(f"{space}{cell}  " if at == 1 else f"{cell}{space}  ")
        line.rstrip()
        console.print(line, soft_wrap=True)


def state_of(history: History) -> str:
    """Describe the state of a history in a few words."""
    if history.encrypted:
        return "encrypted"
    faults = len(history.mending.changes)
    words = [f"{faults} fault{'s' if faults != 1 else ''}"] if faults else []
    if history.awaited:
        words.append("waits for approval")
    if history.unreadable:
        words.append(f"{history.unreadable} unreadable")
    return ", ".join(words) or "legal"


def print_history(console: Console, history: History, limit: int | None) -> None:
    """Print a conversation, oldest item first.

    Args:
        console: Where to print.
        history: The conversation.
        limit: How many of the latest items to print; None prints all.
    """
    faults = dict(history.mending.changes)
    names: dict[str, str] = {}
    first = 0 if limit is None else max(0, len(history.rows) - limit)
    if first:
        console.print(Text(f"({first:,} earlier items are not shown)", "quiet"))
    for number, row in enumerate(history.rows):
        fields = cast("Mapping[str, Any] | None", row.item)
        if fields is not None and "call_id" in fields and "name" in fields:
            names[str(fields["call_id"])] = str(fields["name"])
        if number < first:
            continue
        if fields is None:
            _print_item(console, "  ✗ ", "error", "a row that cannot be read")
        else:
            _print_item(console, *_description(fields, names))
        if row.key in faults:
            _print_item(console, "    ✗ ", "error", _fault(faults[row.key].message))


def print_changes(console: Console, session: StoredSession) -> None:
    """Print the changes that repair a session, a line for each item.

    Args:
        console: Where to print.
        session: The session.
    """
    for mending in session.mendings:
        branch = f" @{mending.branch}" if mending.branch else ""
        for _, change in mending.changes:
            # The message describes the change in the past tense.
            text = "remove" + change.message.removeprefix("removed")
            prefix = Text(printable(f"{session.session_id}{branch}: "))
            print_hanging(console, prefix, Text(printable(text)))
    if session.marked:
        rows = f"{session.marked} row{'s' if session.marked != 1 else ''}"
        prefix = Text(printable(f"{session.session_id}: "))
        print_hanging(console, prefix, Text(f"remove the marks of an older version from {rows}"))


def _print_item(console: Console, prefix: str, style: str, text: str) -> None:
    body = Text(printable(shortened(text, _ITEM_LIMIT)))
    print_hanging(console, Text(printable(prefix), style), body)


def _description(fields: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the prefix of an item, its style and its text."""
    if ENVELOPE_MARK in fields:
        return "  · ", "quiet", "an encrypted item"
    kind = str(fields.get("type") or ("message" if "role" in fields else "item"))
    if kind == "message":
        role = str(fields.get("role", "message"))
        return (
            f"{role}: ",
            "agent" if role == "assistant" else "title",
            _text(fields.get("content")),
        )
    if kind == "reasoning":
        return "  … ", "quiet", _text(fields.get("summary")) or "reasoning"
    if kind in _OUTPUTS:
        call_id = str(fields.get("call_id") or fields.get("approval_request_id") or "")
        name = names.get(call_id, call_id)
        answer = fields.get("output", fields.get("tools", fields.get("approve")))
        return "  ↳ ", "tool", f"{name} → {_text(answer)}"
    if kind == "function_call":
        return "  ⚙ ", "tool", written_call(str(fields.get("name")), fields.get("arguments"))
    if kind == "mcp_approval_request":
        call = written_call(str(fields.get("name")), fields.get("arguments"))
        return "  ‖ ", "warning", f"asks for approval: {call}"
    rest = {name: value for name, value in fields.items() if name not in ("type", "id", "status")}
    return "  · ", "quiet", f"{kind.replace('_', ' ')} {_json(rest)}"


def _text(content: object) -> str:
    """The text of a content, with a mark for each part that is not text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(_part(part) for part in content)
    return "" if content is None else _json(content)


def _part(part: object) -> str:
    if not isinstance(part, dict):
        return _json(part)
    for name in ("text", "refusal"):
        if isinstance(part.get(name), str):
            return str(part[name])
    return f"[{part.get('type', 'part')}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fault(message: str) -> str:
    """The fault in the message of a change, without the change itself."""
    return message.partition(": ")[2] or message
