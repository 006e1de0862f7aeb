"""`agentgraph runs list`: the runs of a journal, a page at a time."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.runs.tables import print_table
from agentgraph.cli.runs.wording import (
    age,
    moment,
    note_of,
    number_of_runs,
    status_of,
    style_of,
    waiting_of,
)
from agentgraph.cli.terminal import (
    Terminal,
    printable,
    printable_json,
    printable_name,
    progress,
)
from agentgraph.memory.journals import JournalStore, RunStatus, StoredRun, UnknownRun

__all__ = ["Selection", "list_runs", "selected", "summarize_runs"]

_PAGE: Final = 500
_UNKNOWN: Final = "–"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs to list.

    Attributes:
        statuses: Their statuses; all if empty.
        workflow: The name of their workflow; `None` for any.
        tool: A tool that waits for a decision; `None` for any.
        older_than: The least seconds since they last changed.
        after: The run after which the list goes on; empty for its beginning.
        limit: The most runs; `None` for all.
    """

    statuses: Collection[RunStatus] = ()
    workflow: str | None = None
    tool: str | None = None
    older_than: float = 0
    after: str = ""
    limit: int | None = None

    def admits(self, run: StoredRun, now: float) -> bool:
        """Whether a run is one of them; its status is not looked at."""
        if now - run.updated < self.older_than:
            return False
        if self.workflow is None and self.tool is None:
            return True
        note = note_of(run)
        tools = [one.get("tool") for one in waiting_of(run)]
        return self.workflow in (None, note.get("workflow")) and self.tool in (None, *tools)


def list_runs(terminal: Terminal, place: str, selection: Selection, *, as_json: bool) -> Status:
    """List runs, the latest changed first.

    Args:
        terminal: Where to print.
        place: The journal.
        selection: Which runs.
        as_json: Whether to print one JSON object a line instead of a table.

    Raises:
        CommandFault: The journal cannot be read.
    """
    now = time.time()
    with progress(terminal, f"reading {place}"):
        runs, is_rest = asyncio.run(_listed(place, selection, now))
    if as_json:
        for run in runs:
            text = json.dumps(_as_json(run, now), ensure_ascii=False)
            terminal.write(f"{printable_json(text)}\n")
    elif runs:
        header = ("run", "status", "age", "turn", "workflow", "agent", "waits for")
        print_table(terminal.out, header, [_row(run, now) for run in runs], right={2, 3})
    else:
        terminal.err.print(Text("there are no such runs", "quiet"))
    if is_rest:
        more = f"--after {runs[-1].run_id} shows the next ones, --all shows all"
        terminal.err.print(Text(printable(f"the first {len(runs):,} runs; {more}"), "quiet"))
    return Status.DONE


async def _listed(place: str, selection: Selection, now: float) -> tuple[list[StoredRun], bool]:
    """The runs, and whether there are more."""
    runs: list[StoredRun] = []
    async with opened_journal(place) as journal:
        if selection.after and await journal.find(selection.after) is None:
            raise UnknownRun(selection.after, journal.place)
        async for run in selected(journal, selection, now):
            if len(runs) == selection.limit:
                return runs, True
            runs.append(run._replace(head=""))  # it holds the input, which may be long
    return runs, False


async def selected(
    journal: JournalStore, selection: Selection, now: float
) -> AsyncIterator[StoredRun]:
    """The runs of a selection, the latest changed first; its limit is not looked at.

    Args:
        journal: The journal.
        selection: Which runs.
        now: The seconds since 1970.
    """
    last, statuses = selection.after, tuple(selection.statuses)
    size = _PAGE if selection.limit is None else min(selection.limit + 1, _PAGE)
    while page := await journal.runs(statuses, limit=size, after=last):
        for run in page:
            if selection.admits(run, now):
                yield run
        last, size = page[-1].run_id, _PAGE


def _row(run: StoredRun, now: float) -> list[Text]:
    note, status = note_of(run), status_of(run, now)
    waiting = ", ".join(str(one.get("tool")) for one in waiting_of(run))
    return [
        Text(printable_name(run.run_id)),
        Text(status, style_of(status)),
        Text(age(now - run.updated)),
        Text(str(note.get("turn", _UNKNOWN))),
        Text(printable_name(str(note.get("workflow") or _UNKNOWN))),
        Text(printable_name(str(note.get("agent") or _UNKNOWN))),
        Text(printable_name(waiting), "tool"),
    ]


def _as_json(run: StoredRun, now: float) -> dict[str, Any]:
    note = note_of(run)
    return {
        "run": run.run_id,
        "status": run.status,
        "alive": run.is_held(now),
        "workflow": note.get("workflow"),
        "agent": note.get("agent"),
        "turn": note.get("turn"),
        "waiting": waiting_of(run),
        "lines": run.lines,
        "created": moment(run.created),
        "updated": moment(run.updated),
    }


def summarize_runs(
    terminal: Terminal, place: str, selection: Selection, *, as_json: bool
) -> Status:
    """Count the runs of each workflow by status.

    Args:
        terminal: Where to print.
        place: The journal.
        selection: Which runs.
        as_json: Whether to print JSON instead of a table.

    Raises:
        CommandFault: The journal cannot be read.
    """
    now = time.time()
    counts: Counter[tuple[str, str]] = Counter()
    oldest: dict[tuple[str, str], float] = {}

    async def count() -> None:
        async with opened_journal(place) as journal:
            async for run in selected(journal, selection, now):
                key = str(note_of(run).get("workflow") or ""), status_of(run, now)
                counts[key] += 1
                oldest[key] = run.updated  # the latest changed come first

    with progress(terminal, f"counting the runs in {place}"):
        asyncio.run(count())
    if as_json:
        rows = [
            {"workflow": workflow, "status": status, "runs": number}
            for (workflow, status), number in sorted(counts.items())
        ]
        terminal.write(f"{printable_json(json.dumps(rows, ensure_ascii=False, indent=2))}\n")
        return Status.DONE
    table = [
        [
            Text(printable_name(workflow or _UNKNOWN)),
            Text(status, style_of(status)),
            Text(f"{number:,}"),
            Text(age(now - oldest[workflow, status])),
        ]
        for (workflow, status), number in sorted(counts.items())
    ]
    print_table(terminal.out, ("workflow", "status", "runs", "oldest"), table, right={2, 3})
    terminal.out.print(Text(number_of_runs(counts.total()), "quiet"))
    return Status.DONE
