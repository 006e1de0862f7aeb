"""`agentgraph runs check`: whether the pending runs of a journal can go on in a program."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from typing import Any, Final

from rich.text import Text

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.faults import Status
from agentgraph.cli.journals import opened_journal
from agentgraph.cli.reports import print_report
from agentgraph.cli.runs.listing import Selection, selected
from agentgraph.cli.runs.tables import print_table
from agentgraph.cli.runs.wording import number_of_runs, style_of
from agentgraph.cli.target import Target
from agentgraph.cli.terminal import Terminal, counting, printable_json, printable_name
from agentgraph.cli.workload import loaded
from agentgraph.program import CompileError
from agentgraph.running.run_checks import PENDING, RunCheck, RunVerdict, check_runs

__all__ = ["check_stored_runs"]

_STYLES: Final[dict[RunVerdict, str]] = {
    "same": "passed",
    "moves": "note",
    "moves_later": "note",
    "refused": "error",
    "damaged": "error",
}


def check_stored_runs(
    terminal: Terminal, place: str, text: str, limits: Limits, *, every: bool, as_json: bool
) -> Status:
    """Check whether the pending runs of a journal can go on in a program; nothing is stored.

    Args:
        terminal: Where to print.
        place: The journal.
        text: The file with the program, with a name or without.
        limits: What the file may use while it is loaded.
        every: Whether to list runs that simply go on, too.
        as_json: Whether to print one JSON object a run, one a line.

    Returns:
        `DONE`; `FOUND` if a run cannot go on; `UNUSABLE` if the program has errors.

    Raises:
        CommandFault: The journal cannot be read, or the file cannot be used.
    """

    async def work() -> tuple[list[RunCheck], int]:
        checks = []
        async with opened_journal(place) as journal:
            with counting(terminal, "checking runs") as count:
                async for check in check_runs(journal, workload.source):
                    checks.append(check)
                    count(len(checks))
            pending = selected(journal, Selection(PENDING), time.time())
            return checks, sum([1 async for _ in pending]) - len(checks)

    try:
        with loaded(Target.parse(text), limits) as workload:
            checks, others = asyncio.run(work())
    except CompileError as error:
        print_report(terminal.err, error.diagnostics)
        return Status.UNUSABLE
    listed = [one for one in checks if every or as_json or one.verdict != "same"]
    if as_json:
        for check in listed:
            line = json.dumps(_as_json(check), ensure_ascii=False)
            terminal.write(f"{printable_json(line)}\n")
    else:
        if listed:
            header = ("run", "status", "verdict", "why")
            print_table(terminal.out, header, [_row(check) for check in listed])
        terminal.out.print(_summary(checks), soft_wrap=True)
    if others > 0:  # a renamed workflow counts as another one
        words = "another workflow" if others == 1 else "other workflows"
        left_out = f"{number_of_runs(others, 'pending run')} of {words} not checked"
        terminal.err.print(Text(left_out, "quiet"), soft_wrap=True)
    return Status.DONE if all(check.can_go_on for check in checks) else Status.FOUND


def _row(check: RunCheck) -> list[Text]:
    code = f" (began with agentgraph {check.code})" if check.code else ""
    return [
        Text(printable_name(check.run_id)),
        Text(check.status, style_of(check.status)),
        Text(check.verdict, _STYLES[check.verdict]),
        Text(printable_name(f"{check.reason}{code}".strip())),
    ]


def _summary(checks: list[RunCheck]) -> Text:
    counts = Counter(check.verdict for check in checks)
    if not checks:
        return Text("no run of this workflow is pending", "quiet")
    line = Text(f"{number_of_runs(len(checks), 'pending run')}: ")
    parts = [
        Text(f"{counts[verdict]:,} {verdict}", style)
        for verdict, style in _STYLES.items()
        if counts[verdict]
    ]
    return line.append_text(Text(", ").join(parts))


def _as_json(check: RunCheck) -> dict[str, Any]:
    fields = check._asdict()
    run_id = fields.pop("run_id")
    return {"run": run_id, **fields, "can_go_on": check.can_go_on}
