"""`agentgraph export`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.commands.options import Context, command_app
from agentgraph.cli.ending import end
from agentgraph.cli.exporting import ExportOptions, export_test
from agentgraph.cli.faults import CommandFault, Status
from agentgraph.cli.journals import journal_text
from agentgraph.cli.terminal import Terminal

__all__ = ["AsTest", "Program", "RunTool", "Scrub", "app"]

app = command_app()

Journal = Annotated[
    str,
    typer.Argument(
        metavar="JOURNAL",
        help="A file with the journal or the state of a run (RunState.to_journal, to_string).",
        show_default=False,
    ),
]
AsTest = Annotated[
    bool, typer.Option("--as-test", help="Write a pytest file, and the recording beside it.")
]
Program = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[:NAME]",
        help="The file with the agent or workflow of the run. Without it the test asks for a "
        "fixture called workflow.",
        show_default=False,
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="The file of the test. Default: a name from what the user said.",
        show_default=False,
    ),
]
RunTool = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A tool that runs in the test, in place of returning what was recorded.",
        show_default=False,
    ),
]
Scrub = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="A regular expression of what is secret, beside keys, tokens and passwords.",
        show_default=False,
    ),
]


@app.command()
def export(
    journal: Journal,
    as_test: AsTest = False,
    program: Program = None,
    context: Context = None,
    to: To = None,
    run_tool: RunTool = None,
    scrub: Scrub = None,
) -> None:
    """Make a test of a recorded run."""
    options = ExportOptions(
        program=program,
        context=context,
        to=to,
        run_tools=tuple(run_tool or ()),
        patterns=tuple(scrub or ()),
    )

    def work(terminal: Terminal) -> Status:
        if not as_test:
            raise CommandFault("nothing to make of the journal", help="give --as-test")
        return export_test(terminal, journal_text(journal), journal, options)

    end(work)
