"""`agentgraph runs fork` and `export`: a new run from a point of another, and a run as a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agentgraph.cli.exporting import ExportOptions, export_test, write_new
from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.terminal import Terminal, printable_name
from agentgraph.run import Runner
from agentgraph.running.stored_reading import journal_text

__all__ = ["export_run", "fork_run"]


def fork_run(
    terminal: Terminal, place: str, run_id: str, at: int | None, new_run_id: str | None
) -> Status:
    """Begin a new run with the first outcomes of another, and print its id.

    Args:
        terminal: Where to print.
        place: The journal of both.
        run_id: The run.
        at: How many outcomes the new run has; all if left out.
        new_run_id: The id of the new run; a new one if left out.

    Raises:
        CommandFault: There is no such run or point, a call is at work there, or the id is taken.
    """

    async def work() -> str:
        async with opened_journal(place) as journal:
            return await Runner.fork(run_id, journal=journal, at=at, new_run_id=new_run_id)

    terminal.write(f"{printable_name(asyncio.run(work()))}\n")
    return Status.DONE


def export_run(
    terminal: Terminal, place: str, run_id: str, options: ExportOptions, *, as_test: bool
) -> Status:
    """Write a run as a file of its own, or as a test that replays it.

    Args:
        terminal: Where to print, or to say what was written.
        place: The journal.
        run_id: The run.
        options: The file, and what else the person asks of a test.
        as_test: Whether to write a test.

    Raises:
        CommandFault: There is no such run, it has not begun, it is in the middle of work and a test
            was asked for, or a file exists already.
    """

    async def work() -> str:
        async with opened_journal(place) as journal:
            return await journal_text(journal, run_id)

    text = asyncio.run(work())
    if as_test:
        return export_test(terminal, text, f"run {run_id!r}", options)
    if options.to is None:
        terminal.write(text)
    else:
        write_new(terminal, {Path(options.to): text})
    return Status.DONE
