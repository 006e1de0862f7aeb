"""`agentgraph runs`: the commands for durable runs, and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.ending import end
from agentgraph.cli.faults import Status
from agentgraph.cli.runs.listing import Selection, list_runs, summarize_runs
from agentgraph.cli.runs.showing import show_run
from agentgraph.cli.runs.wording import STATUSES, age_in_seconds, statuses_of
from agentgraph.cli.terminal import Terminal

__all__ = ["app"]

app = typer.Typer(
    name="runs",
    help="List, show, decide on, resume, fork, export and check the durable runs of a journal.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

_Journal = Annotated[
    str,
    typer.Option(
        "--journal",
        metavar="FILE|URL",
        envvar="AGENTGRAPH_JOURNAL",
        help="An SQLite file, or the URL of a PostgreSQL database. Encrypted runs are read with "
        "the key in AGENTGRAPH_JOURNAL_KEY.",
        show_default=False,
    ),
]
_Run = Annotated[str, typer.Argument(metavar="RUN", help="The id of the run.", show_default=False)]
_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
_Content = Annotated[
    bool, typer.Option("--content", help="Show what users, models and tools said.")
]


@app.command("list")
def list_(
    journal: _Journal,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help=f"Only runs with this status; may be repeated: {', '.join(STATUSES)}.",
            show_default=False,
        ),
    ] = None,
    workflow: Annotated[
        str | None, typer.Option(help="Only runs of this workflow.", show_default=False)
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option(help="Only runs in which a call of this tool waits.", show_default=False),
    ] = None,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="AGE", help="Only runs that did not change for 90s, 30m, 12h, 7d or 2w."
        ),
    ] = "0s",
    limit: Annotated[int, typer.Option(min=1, help="The most runs.")] = 50,
    after: Annotated[
        str, typer.Option(metavar="RUN", help="Go on after this run.", show_default=False)
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="List all runs.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Count the runs by workflow and status instead.")
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """List runs, the latest changed first."""

    def work(terminal: Terminal) -> Status:
        selection = Selection(
            statuses=statuses_of(status or ()),
            workflow=workflow,
            tool=tool,
            older_than=age_in_seconds(older_than),
            after=after,
            limit=None if everything or summary else limit,
        )
        show = summarize_runs if summary else list_runs
        return show(terminal, journal, selection, as_json=as_json)

    end(work)


@app.command()
def show(
    run: _Run,
    journal: _Journal,
    last: Annotated[
        int | None,
        typer.Option(min=0, help="Show the latest outcomes only.", show_default=False),
    ] = None,
    content: _Content = False,
    as_json: _AsJson = False,
) -> None:
    """Show a run: its outcomes, at which of them it can be forked, and what it waits for."""
    end(
        lambda terminal: show_run(
            terminal, journal, run, last=last, content=content, as_json=as_json
        )
    )
