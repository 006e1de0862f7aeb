"""The reports of `agentgraph check --bounds` and `--coverage`: what the runs of each file cost, and
which guardrails cover them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final, Literal, TypeAlias

from rich.text import Text

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.linting.formats import ReportFormat
from agentgraph.cli.linting.outcome import Outcome
from agentgraph.cli.terminal import Terminal, printable, printable_json

__all__ = ["TableKind", "write_tables"]

TableKind: TypeAlias = Literal["bounds", "coverage"]
_VERSION: Final = 1


def write_tables(
    terminal: Terminal, outcome: Outcome, kind: TableKind, report_format: ReportFormat
) -> None:
    """Write the tables on the standard output, one for each start, or JSON.

    Args:
        terminal: Where to write.
        outcome: The outcome.
        kind: What the tables say.
        report_format: The form.

    Raises:
        CommandFault: The form has no place for tables.
    """
    match report_format:
        case ReportFormat.TEXT | ReportFormat.CONCISE:
            tables = [
                (file.target if place == 0 else "", str(table))
                for file in outcome.files
                for place, table in enumerate(file.tables)
            ]
            for number, (target, table) in enumerate(tables):
                if number:
                    terminal.out.print()
                if target and len(outcome.files) > 1:
                    terminal.out.print(Text(printable(target), "title"), soft_wrap=True)
                terminal.out.print(Text(printable(table)), soft_wrap=True)
        case ReportFormat.JSON:
            files = [
                {"file": file.target, kind: [asdict(table) for table in file.tables]}
                for file in outcome.files
            ]
            text = json.dumps({"version": _VERSION, "files": files}, indent=2, ensure_ascii=False)
            terminal.write(f"{printable_json(text)}\n")
        case ReportFormat.SARIF | ReportFormat.GITHUB:
            raise CommandFault(
                f"--{kind} has no place in the form {report_format}",
                help="use it with text or json",
            )
