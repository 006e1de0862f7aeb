"""`agentgraph check`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.check import ReportFormat, check_files
from agentgraph.cli.commands.options import command_app
from agentgraph.cli.ending import end

__all__ = ["app"]

app = command_app()


@app.command()
def check(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[:NAME]",
            help="Python files, each with a name in it or without.",
            show_default=False,
        ),
    ],
    report_format: Annotated[
        ReportFormat, typer.Option("--format", help="The form of the report.")
    ] = ReportFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Treat warnings as errors.")] = False,
) -> None:
    """Check workflows before a token is spent.

    Exit status: 0 without errors, 1 with errors, 2 if a file could not be checked.
    """
    end(lambda terminal: check_files(terminal, targets, report_format, strict=strict))
