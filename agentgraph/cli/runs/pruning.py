"""`agentgraph runs prune`: old runs are deleted, or their content is erased."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

from rich.text import Text

from agentgraph.cli.ask import confirm
from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.runs.listing import Selection, selected
from agentgraph.cli.runs.wording import age_in_seconds, number_of_runs
from agentgraph.cli.terminal import Terminal, counting, progress
from agentgraph.memory.journals import RunStatus
from agentgraph.memory.journals.store import OVER
from agentgraph.running.retention import Kept, prune_runs

__all__ = ["prune"]


def prune(
    terminal: Terminal,
    place: str,
    older_than: str,
    statuses: Sequence[RunStatus],
    keep: Kept,
    *,
    yes: bool,
) -> Status:
    """Delete old runs, or erase what was said in them.

    Args:
        terminal: Where to ask, and to say how many runs were pruned.
        place: The journal.
        older_than: The least age since they last changed.
        statuses: Which runs; those that are over if empty.
        keep: What is kept of them.
        yes: Whether to do it without a question.

    Raises:
        CommandFault: The journal failed, the settings cannot work, or the answer was no.
    """
    seconds = age_in_seconds(older_than)
    chosen = tuple(statuses) or tuple(sorted(OVER))
    verb = "Delete" if keep == "nothing" else "Erase the content of"

    async def work() -> int:
        pruned = 0

        def note(run_id: str) -> None:
            nonlocal pruned
            pruned += 1
            count(pruned)

        async with opened_journal(place) as journal:
            with counting(terminal, "pruning runs") as count:
                await prune_runs(
                    journal,
                    older_than=timedelta(seconds=seconds),
                    statuses=chosen,
                    keep=keep,
                    on_run=note,
                )
        return pruned

    if not yes:
        with progress(terminal, f"reading {place}"):
            number = asyncio.run(_counted(place, Selection(chosen, older_than=seconds)))
        if not number:
            terminal.err.print(Text("there are no such runs", "quiet"))
            return Status.DONE
        confirm(f"{verb} {number_of_runs(number)}?")
    done = asyncio.run(work())
    words = "deleted" if keep == "nothing" else "erased"
    terminal.out.print(Text(f"{words} {number_of_runs(done)}"))
    return Status.DONE


async def _counted(place: str, selection: Selection) -> int:
    async with opened_journal(place) as journal:
        return sum([1 async for _ in selected(journal, selection, time.time())])
