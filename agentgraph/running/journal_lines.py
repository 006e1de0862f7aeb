"""The lines of a durable run: its rows, what its runs began with, and the effects that it began.

A line is a JSON object. That of an outcome has an `index`, its number among the outcomes; the
others have a `kind`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agentgraph.approvals import RunPath
from agentgraph.drivers.journal import Beginning, MemoryJournal, Row
from agentgraph.exceptions import UserError
from agentgraph.record.facts import NO_CONVERSATION, ConversationIds, RunFacts
from agentgraph.running.persist import (
    SCHEMA,
    SCHEMA_KEY,
    beginning_to_json,
    check_version,
    path_of,
    reading,
    row_to_json,
    steps_of,
)
from agentgraph.runtime.commands import CommandId
from agentgraph.stored.items import decode_input, encode_input
from agentgraph.stored.journal_file import text_of
from agentgraph.version import installed_version

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = [
    "BEGAN",
    "ERASED",
    "STARTED",
    "Head",
    "beginning_line",
    "damage_of",
    "head_text",
    "outcome_of",
    "read_head",
    "row_line",
    "started_line",
    "started_of",
]

BEGAN: Final = "began"
ERASED: Final = "erased"
"""The key of the head of a run whose content was erased; it has the seconds since 1970."""
STARTED: Final = "started"


class Head(NamedTuple):
    """What holds for a whole durable run.

    Args:
        run_id: Its id.
        input: The input, as the caller gave it.
        limit: The most turns allowed at first; ``None`` means no limit.
        conversation: The conversation that the server kept when it began.
        code: The version of agentgraph that began it.
    """

    run_id: str
    input: str | list[TResponseInputItem]
    limit: int | None
    conversation: ConversationIds = NO_CONVERSATION
    code: str = ""


def head_text(facts: RunFacts) -> str:
    """The head of a run that begins."""
    head = {
        SCHEMA_KEY: SCHEMA,
        "run": facts.run_id,
        "code": installed_version(),
        "input": encode_input(facts.input),
        "limit": facts.limit,
        "conversation": list(facts.conversation),
    }
    return text_of(head, "The head")


def read_head(text: str) -> Head:
    """Read what :func:`head_text` wrote.

    Raises:
        UserError: It has another version or is damaged, or the content of the run was erased.
    """
    with reading("the head"):
        data = json.loads(text)
        check_version(data)
        if ERASED in data:
            day = datetime.fromtimestamp(data[ERASED], UTC).strftime("%Y-%m-%d")
            raise UserError(
                f"The content of run {data['run']!r} was erased on {day}, so it cannot go on or"
                " give its result again. Use another run_id."
            )
        return Head(
            run_id=data["run"],
            input=decode_input(data["input"]),
            limit=data["limit"],
            conversation=ConversationIds(*data["conversation"]),
            code=data["code"],
        )


def row_line(index: int, row: Row) -> str:
    """The line of an outcome.

    Raises:
        NotStorable: A value of user code has no stored form; the message names its place.
    """
    return text_of(row_to_json(index, row), f"Row {index}")


def beginning_line(path: RunPath, beginning: Beginning, journal: MemoryJournal) -> str:
    """The line of a run that begins, nested runs included."""
    data = {"kind": BEGAN, **beginning_to_json(path, beginning, journal)}
    return text_of(data, "The beginning of a run")


def started_line(path: RunPath, id: CommandId) -> str:
    """The line of an effect that begins."""
    return text_of({"kind": STARTED, "path": steps_of(path), "id": list(id)}, "The start")


def outcome_of(line: Mapping[str, Any]) -> tuple[RunPath, CommandId]:
    """The run and the command of the line of an outcome."""
    return path_of(line["path"]), CommandId(*line["id"])


def started_of(line: Mapping[str, Any]) -> tuple[RunPath, CommandId]:
    """Read what :func:`started_line` wrote."""
    return path_of(line["path"]), CommandId(*line["id"])


_KEYS: Final = frozenset(
    ("id", "event", "state", "sequence", "turn", "path", "kind", "machine", "facts", "is", "after")
)


def damage_of(error: UserError) -> str:
    """What is wrong with a line, without a word of what it says.

    Args:
        error: What reading the line raised.
    """
    cause = error.__cause__
    match cause:
        case None | json.JSONDecodeError():
            return str(error)
        case KeyError(args=[key]) if key in _KEYS:
            return f"{key!r} is missing."
    return f"it was changed, or no class of the program fits it ({type(cause).__name__})."
