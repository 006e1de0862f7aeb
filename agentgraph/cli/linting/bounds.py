"""The report of `agentgraph check --bounds`: what the runs of each file cost."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from rich.text import Text

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.linting.formats import ReportFormat
from agentgraph.cli.linting.outcome import Outcome
from agentgraph.cli.terminal import Terminal, printable, printable_json

__all__ = ["write_bounds"]

_VERSION: Final = 1


def write_bounds(terminal: Terminal, outcome: Outcome, report_format: ReportFormat) -> None:
    """Write the bounds on the standard output: a table for each start, or JSON.

    Args:
        terminal: Where to write.
        outcome: The outcome.
        report_format: The form.

    Raises:
        CommandFault: The form has no place for bounds.
    """
    match report_format:
        case ReportFormat.TEXT | ReportFormat.CONCISE:
            tables = [
                (file.target if place == 0 else "", str(bounds))
                for file in outcome.files
                for place, bounds in enumerate(file.bounds)
            ]
            for number, (target, table) in enumerate(tables):
                if number:
                    terminal.out.print()
                if target and len(outcome.files) > 1:
                    terminal.out.print(Text(printable(target), "title"), soft_wrap=True)
                terminal.out.print(Text(printable(table)), soft_wrap=True)
        case ReportFormat.JSON:
            files = [
                {"file": file.target, "bounds": [asdict(bounds) for bounds in file.bounds]}
                for file in outcome.files
            ]
            text = json.dumps({"version": _VERSION, "files": files}, indent=2, ensure_ascii=False)
            terminal.write(f"{printable_json(text)}\n")
        case ReportFormat.SARIF | ReportFormat.GITHUB:
            raise CommandFault(
                f"--bounds has no place in the form {report_format}",
                help="use it with text or json",
            )
