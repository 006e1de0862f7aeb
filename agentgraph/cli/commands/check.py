"""`agentgraph check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.check import CheckOptions, check_files, watch_files
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import (
    command_app,
)
from agentgraph.cli.ending import end
from agentgraph.cli.linting.formats import ReportFormat

__all__ = ["app"]

app = command_app()

_RULES = "RULES"

Strict = Annotated[
    bool,
    typer.Option("--strict", help="Treat warnings, and files that cannot be imported, as errors."),
]
BaselineFile = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Leave out the findings of this file.", show_default=False),
]
NewBaseline = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Write all findings to this file.", show_default=False),
]
Statistics = Annotated[
    bool, typer.Option("--statistics", help="Count the findings of each rule, and show only that.")
]
Unknowns = Annotated[
    bool, typer.Option("--unknowns", help="List what will only be known at run time (AG401).")
]
Bounds = Annotated[
    bool,
    typer.Option("--bounds", help="Show the fewest and the most model and tool calls of a run."),
]
Coverage = Annotated[
    bool, typer.Option("--coverage", help="Show which guardrails cover which agents, and when.")
]
FixIt = Annotated[
    bool, typer.Option("--fix", help="Change the source where that is safe, and check again.")
]
ShowDiff = Annotated[
    bool, typer.Option("--diff", help="Show what --fix would change, and change nothing.")
]


@app.command()
@loads_a_file
def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE[:NAME]|FOLDER|PATTERN]...",
            help="Files, each with a name in it or without; folders; patterns. "
            "Default: paths of [tool.agentgraph] in pyproject.toml, else this folder.",
            show_default=False,
        ),
    ] = None,
    report_format: Annotated[
        ReportFormat, typer.Option("--output-format", "--format", help="The form of the report.")
    ] = ReportFormat.TEXT,
    strict: Strict = False,
    select: Annotated[
        str, typer.Option(metavar=_RULES, help="The rules that count: AG1,not-a-tool.")
    ] = "",
    ignore: Annotated[str, typer.Option(metavar=_RULES, help="Rules that do not count.")] = "",
    baseline: BaselineFile = None,
    write_baseline: NewBaseline = None,
    statistics: Statistics = False,
    unknowns: Unknowns = False,
    bounds: Bounds = False,
    coverage: Coverage = False,
    fix: FixIt = False,
    diff: ShowDiff = False,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=0, help="Files at a time; 0: one a processor.")
    ] = 0,
    watch: Annotated[
        bool, typer.Option("--watch", help="Check again whenever a file changes.")
    ] = False,
    *,
    limits: Limits,
) -> None:
    """Check workflows before a token is spent. No model and no tool runs.

    Exit status: 0 without errors, 1 with errors, 2 if a file could not be checked.
    """
    options = CheckOptions(
        report_format=report_format,
        strict=strict,
        select=_terms(select),
        ignore=_terms(ignore),
        baseline=baseline,
        write_baseline=write_baseline,
        statistics=statistics,
        unknowns=unknowns,
        table="bounds" if bounds else "coverage" if coverage else None,
        fix=fix,
        diff=diff,
        jobs=jobs,
        limits=limits,
    )
    work = watch_files if watch else check_files
    end(lambda terminal: work(terminal, targets or [], options))


def _terms(text: str) -> tuple[str, ...]:
    return tuple(term for term in text.split(",") if term.strip())
