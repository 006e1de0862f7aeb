"""`agentgraph runs show`: one run, its outcomes, and what it waits for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from rich.text import Text

from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.runs.tables import print_table
from agentgraph.cli.runs.wording import age, moment, note_of, status_of, style_of
from agentgraph.cli.terminal import (
    Terminal,
    print_hanging,
    printable,
    printable_json,
    printable_name,
    progress,
)
from agentgraph.cli.wording import shortened, written_call
from agentgraph.items import Interruption, QuestionItem, ToolApprovalItem
from agentgraph.memory.journals import StoredRun, UnknownRun
from agentgraph.running.journal_lines import ERASED
from agentgraph.running.stored_outcomes import StoredOutcome, outcomes_of, outline_of
from agentgraph.running.stored_reading import read_run
from agentgraph.running.stored_runs import fork_points

__all__ = ["print_waiting", "show_run"]

_CONTENT_LIMIT: Final = 2_000
"""The most characters of one outcome to show; `export` writes all of them."""


class _View(NamedTuple):
    """A run as it is shown.

    Args:
        stored: What the journal knows of it.
        code: The version of agentgraph that began it.
        input: Its input.
        outcomes: Its outcomes.
        points: For each outcome, whether a fork can have it as its last one.
        waiting: What it waits for.
    """

    stored: StoredRun
    code: str
    input: object
    outcomes: Sequence[StoredOutcome]
    points: Sequence[bool]
    waiting: Sequence[Interruption]


def show_run(
    terminal: Terminal, place: str, run_id: str, *, last: int | None, content: bool, as_json: bool
) -> Status:
    """Show a run.

    Args:
        terminal: Where to print.
        place: The journal.
        run_id: The run.
        last: How many of the latest outcomes to show; `None` for all.
        content: Whether to show what users, models and tools said.
        as_json: Whether to print JSON instead of text.

    Raises:
        CommandFault: There is no such run, or it cannot be read.
    """
    with progress(terminal, f"reading {run_id}"):
        view = asyncio.run(_read(place, run_id))
    first = 0 if last is None else max(0, len(view.outcomes) - last)
    if as_json:
        text = json.dumps(_as_json(view, first, content), ensure_ascii=False, indent=2)
        terminal.write(f"{printable_json(text)}\n")
        return Status.DONE
    _print_head(terminal, view, content)
    _print_outcomes(terminal, view, first, content)
    print_waiting(terminal, view.waiting, content=content)
    return Status.DONE


async def _read(place: str, run_id: str) -> _View:
    async with opened_journal(place) as journal:
        stored = await journal.find(run_id)
        if stored is None:
            raise UnknownRun(run_id, journal.place)
        head = json.loads(stored.head)
        if ERASED in head:
            erased = outline_of(await journal.read(run_id))
            return _View(
                stored=stored,
                code=head["code"],
                input=None,
                outcomes=erased,
                points=[False] * len(erased),
                waiting=(),
            )
        read = await read_run(journal, run_id)
        points = list(fork_points(await journal.read(run_id)))
        with read.replaying():
            outcomes = outcomes_of(read.facts, read.journal)
            waiting: Sequence[Interruption] = ()
            if (driver := read.driver()) is not None:
                driver.replay()
                waiting = driver.run.record.waiting if driver.rest is not None else ()
    return _View(
        stored=read.stored,
        code=read.head.code,
        input=read.head.input,
        outcomes=outcomes,
        points=points,
        waiting=list(waiting),
    )


def _print_head(terminal: Terminal, view: _View, content: bool) -> None:
    out, now, stored = terminal.out, time.time(), view.stored
    status, note = status_of(stored, now), note_of(stored)
    line = Text(printable_name(stored.run_id), "title").append("  ")
    out.print(line.append(status, style_of(status)), soft_wrap=True)
    tokens = sum(one.tokens for one in view.outcomes)
    rows = {
        "workflow": note.get("workflow"),
        "agent": note.get("agent"),
        "turns": note.get("turn"),
        "outcomes": f"{len(view.outcomes):,}",
        "tokens": f"{tokens:,}",
        "began": f"{age(now - stored.created)} ago, with agentgraph {view.code}",
        "changed": f"{age(now - stored.updated)} ago",
        "held by": stored.holder if stored.is_held(now) else None,
        "input": _text(view.input) if content and view.input is not None else None,
    }
    for name, value in rows.items():
        if value is not None:
            words = printable(shortened(str(value), _CONTENT_LIMIT))
            print_hanging(out, Text(f"  {name:<9}", "quiet"), Text(words))


def _print_outcomes(terminal: Terminal, view: _View, first: int, content: bool) -> None:
    out = terminal.out
    if not view.outcomes:
        return
    out.print()
    if first:
        out.print(Text(f"({first:,} earlier outcomes are not shown)", "quiet"))
    rows = list(zip(view.outcomes, view.points, strict=True))[first:]
    if not content:
        header = ["fork at", "turn", "work", "what happened", "tokens"]
        columns = len(header) if any(outcome.tokens for outcome, _ in rows) else len(header) - 1
        cells = [_row(*row)[:columns] for row in rows]
        print_table(out, header[:columns], cells, right={0, 1, 4})
        return
    for outcome, can_fork in rows:
        number, turn, kind, words, _ = _row(outcome, can_fork)
        prefix = Text(f"{number.plain:>5} {turn.plain:>3}  ", "quiet")
        print_hanging(out, prefix, kind + Text("  ") + words)
        if outcome.content:
            text = printable(shortened(outcome.content, _CONTENT_LIMIT))
            print_hanging(out, Text("           "), Text(text, "quiet"))


def _row(outcome: StoredOutcome, can_fork: bool) -> list[Text]:
    inside = "  " * len(outcome.path)
    agent = f"{printable_name(outcome.agent)}: " if outcome.agent else ""
    words = Text(inside).append(agent, "agent").append(printable_name(outcome.words))
    return [
        Text(str(outcome.number) if can_fork else "·"),
        Text(str(outcome.turn)),
        Text(outcome.kind, "quiet"),
        words,
        Text(f"{outcome.tokens:,}" if outcome.tokens else ""),
    ]


def print_waiting(terminal: Terminal, items: Sequence[Interruption], *, content: bool) -> None:
    """Print what a run waits for, a line for each call and question.

    Args:
        terminal: Where to print.
        items: What waits.
        content: Whether to show the arguments of calls and what questions are about.
    """
    for item in items:
        print_hanging(terminal.out, Text("‖ ", "warning"), Text(printable(_waiting(item, content))))


def _waiting(item: Interruption, content: bool) -> str:
    name = printable_name(item.qualified_name or "")
    call_id = printable_name(item.call_id or "")
    if isinstance(item, QuestionItem):
        text = f"waits for an answer: {name} ({call_id})"
        return f"{text}: {item.question}\n{item.received}" if content else text
    call = written_call(name, item.arguments or "") if content else name
    what = "was interrupted" if item.interrupted else "waits for approval"
    return f"{what}: {call} ({call_id})"


def _as_json(view: _View, first: int, content: bool) -> dict[str, Any]:
    stored, note = view.stored, note_of(view.stored)
    rows = list(zip(view.outcomes, view.points, strict=True))[first:]
    return {
        "run": stored.run_id,
        "status": stored.status,
        "alive": stored.is_held(time.time()),
        "workflow": note.get("workflow"),
        "agent": note.get("agent"),
        "turn": note.get("turn"),
        "code": view.code,
        "created": moment(stored.created),
        "updated": moment(stored.updated),
        **({"input": view.input} if content else {}),
        "outcomes": [_outcome_as_json(*row, content) for row in rows],
        "waiting": [dict(_waiting_as_json(item, content)) for item in view.waiting],
    }


def _outcome_as_json(outcome: StoredOutcome, can_fork: bool, content: bool) -> dict[str, Any]:
    fields = outcome._asdict()
    said = fields.pop("content")
    return {**fields, "can_fork": can_fork, **({"content": said} if content else {})}


def _waiting_as_json(item: Interruption, content: bool) -> Iterator[tuple[str, Any]]:
    yield "kind", "question" if isinstance(item, QuestionItem) else "approval"
    yield "name", item.qualified_name
    yield "call", item.call_id
    if isinstance(item, ToolApprovalItem):
        yield "interrupted", item.interrupted
    if content:
        yield "arguments", item.arguments
    if content and isinstance(item, QuestionItem):
        yield "question", item.question
        yield "schema", item.schema


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
