"""`agentgraph runs`: the commands for durable runs, and their options."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.export import AsTest, Program, RunTool, Scrub
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import Context, ModelName, Session, Target, Verbose
from agentgraph.cli.conversation import RunSettings
from agentgraph.cli.ending import end
from agentgraph.cli.exporting import ExportOptions
from agentgraph.cli.faults import Status
from agentgraph.cli.runs.checking import check_stored_runs
from agentgraph.cli.runs.copying import export_run, fork_run
from agentgraph.cli.runs.deciding import answer_run, rule_on_run
from agentgraph.cli.runs.listing import Selection, list_runs, summarize_runs
from agentgraph.cli.runs.pruning import prune as prune_stored
from agentgraph.cli.runs.resuming import resume_run
from agentgraph.cli.runs.showing import show_run
from agentgraph.cli.runs.wording import STATUSES, age_in_seconds, statuses_of
from agentgraph.cli.terminal import Terminal
from agentgraph.running.retention import Kept
from agentgraph.running.stored_decisions import Choice

__all__ = ["app"]

app = typer.Typer(
    name="runs",
    help="List, show, decide on, resume, fork, export, check and prune durable runs.",
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
_Calls = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CALL]...",
        help="The ids of the calls, or the names of their tools. Default: the only one that waits.",
        show_default=False,
    ),
]
_Statuses = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help=f"Only runs with this status; may be repeated: {', '.join(STATUSES)}.",
        show_default=False,
    ),
]
_Every = Annotated[bool, typer.Option("--all", help="Decide on all calls that wait.")]
_Always = Annotated[
    bool, typer.Option("--always", help="Also for every later call of the tool in this run.")
]


@app.command("list")
def list_(
    journal: _Journal,
    status: _Statuses = None,
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


@app.command()
def approve(
    run: _Run,
    journal: _Journal,
    calls: _Calls = None,
    every: _Every = False,
    always: _Always = False,
) -> None:
    """Approve calls that wait; an interrupted call is made again. `resume` then goes on."""
    make = partial(Choice.approving, sticky=always)
    end(
        lambda terminal: rule_on_run(
            terminal, journal, run, calls or (), make, "approved", every=every
        )
    )


@app.command()
def reject(
    run: _Run,
    journal: _Journal,
    calls: _Calls = None,
    message: Annotated[
        str | None,
        typer.Option(help="What the model gets in place of a result.", show_default=False),
    ] = None,
    every: _Every = False,
    always: _Always = False,
) -> None:
    """Reject calls that wait; of an interrupted call the model is told that it is unknown."""
    make = partial(Choice.rejecting, message=message, sticky=always)
    end(
        lambda terminal: rule_on_run(
            terminal, journal, run, calls or (), make, "rejected", every=every
        )
    )


@app.command()
def answer(
    run: _Run,
    value: Annotated[
        str,
        typer.Argument(metavar="ANSWER", help="The answer, as text or JSON.", show_default=False),
    ],
    journal: _Journal,
    question: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The question, or the interrupted call. Default: the only one.",
            show_default=False,
        ),
    ] = None,
    program: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:NAME]",
            help="The file with the workflow, with which the answer to a question is checked.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Answer a question of a workflow, or say what an interrupted call returned."""
    end(lambda terminal: answer_run(terminal, journal, run, value, question, program))


@app.command()
def fork(
    run: _Run,
    journal: _Journal,
    at: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="How many outcomes the new run has, as `show` counts them. Default: all.",
            show_default=False,
        ),
    ] = None,
    new_id: Annotated[
        str | None,
        typer.Option("--as", metavar="RUN", help="The id of the new run.", show_default=False),
    ] = None,
) -> None:
    """Begin a new run with the first outcomes of another, and print its id."""
    end(lambda terminal: fork_run(terminal, journal, run, at, new_id))


@app.command()
def export(
    run: _Run,
    journal: _Journal,
    as_test: AsTest = False,
    program: Program = None,
    context: Context = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The file. Default: the standard output; for a test, a name from what the user "
            "said.",
            show_default=False,
        ),
    ] = None,
    run_tool: RunTool = None,
    scrub: Scrub = None,
) -> None:
    """Write a run as JSON lines (RunState.from_journal), or as a test. They hold its content."""
    options = ExportOptions(
        program=program,
        context=context,
        to=to,
        run_tools=tuple(run_tool or ()),
        patterns=tuple(scrub or ()),
    )
    end(lambda terminal: export_run(terminal, journal, run, options, as_test=as_test))


@app.command()
def resume(
    run: _Run,
    target: Target,
    journal: _Journal,
    context: Context = None,
    session: Session = None,
    model: ModelName = None,
    verbose: Verbose = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one event a line, as JSON.")
    ] = False,
) -> None:
    """Go on with a run and show what happens; what happened before is not shown again.

    Exit status: 0 if the run is done; 1 if it was stopped, failed or waits; 2 if it cannot go on.
    """
    settings = RunSettings(context=context, session=session, model=model, verbose=verbose)
    end(lambda terminal: resume_run(terminal, journal, run, target, settings, as_json=as_json))


@app.command()
@loads_a_file
def check(
    target: Target,
    journal: _Journal,
    every: Annotated[
        bool, typer.Option("--all", help="List runs in which nothing changes, too.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all verdicts, one a line, as JSON.")
    ] = False,
    *,
    limits: Limits,
) -> None:
    """Check whether the pending runs can go on in a program, before it is deployed.

    Exit status: 0 if all can, 1 if one cannot, 2 if the program or the journal cannot be used.
    """
    end(
        lambda terminal: check_stored_runs(
            terminal, journal, target, limits, every=every, as_json=as_json
        )
    )


@app.command()
def prune(
    journal: _Journal,
    older_than: Annotated[
        str,
        typer.Option(
            metavar="AGE",
            help="Runs that did not change for 90s, 30m, 12h, 7d or 2w.",
            show_default=False,
        ),
    ],
    status: _Statuses = None,
    outline: Annotated[
        bool,
        typer.Option(
            "--outline", help="Erase what was said in them, and keep status, usage and shape."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete old runs; those that are over, unless --status names others."""

    def work(terminal: Terminal) -> Status:
        keep: Kept = "outline" if outline else "nothing"
        return prune_stored(terminal, journal, older_than, statuses_of(status or ()), keep, yes=yes)

    end(work)
