"""The command `agentgraph`: its commands and options."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agentgraph.cli.check import ReportFormat, check_files
from agentgraph.cli.ending import end
from agentgraph.cli.perform import rehearse_file, run_file
from agentgraph.cli.sessions import group as session_commands
from agentgraph.cli.show import draw_file, explain_rule, print_ir
from agentgraph.run_config import DEFAULT_MAX_TURNS
from agentgraph.version import __version__

__all__ = ["app", "main"]

app = typer.Typer(
    name="agentgraph",
    help="Compile, check, draw and run agent workflows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Level(StrEnum):
    """What a drawing shows."""

    AGENTS = "agents"
    STATES = "states"


_Target = Annotated[
    str,
    typer.Argument(
        metavar="FILE[:NAME]",
        help="A Python file, and the agent, workflow, program or function in it. "
        "Without a name: its only Workflow, or the agent that nothing else leads to.",
        show_default=False,
    ),
]
_MaxTurns = Annotated[
    int, typer.Option(min=1, help="The most model calls before the run is stopped.")
]
_Context = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The context object for tools and guardrails: a name in the file, or a function "
        "in it that makes one.",
        show_default=False,
    ),
]


def main() -> None:
    """Run the command line; the entry point of `agentgraph` and `python -m agentgraph`."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows another one in its place.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    app()


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"agentgraph {__version__}")
        raise typer.Exit


@app.callback()
def _agentgraph(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Read the options that stand before a command."""


@app.command()
def run(
    target: _Target,
    message: Annotated[
        str, typer.Argument(metavar="INPUT", help="The user's message.", show_default=False)
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one event a line, as JSON.")
    ] = False,
    max_turns: _MaxTurns = DEFAULT_MAX_TURNS,
    context: _Context = None,
) -> None:
    """Run a workflow and show what happens as it happens.

    Without OPENAI_API_KEY nothing is sent anywhere: the run is rehearsed, and says so.
    """
    end(
        lambda terminal: run_file(
            terminal, target, message, as_json=as_json, max_turns=max_turns, context=context
        )
    )


@app.command()
def rehearse(
    target: _Target,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help="The user's message; asked for if left out.", show_default=False
        ),
    ] = None,
    max_turns: _MaxTurns = DEFAULT_MAX_TURNS,
    context: _Context = None,
) -> None:
    """Run a workflow with yourself as the model: you choose each move."""
    end(
        lambda terminal: rehearse_file(
            terminal, target, message, max_turns=max_turns, context=context
        )
    )


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
        ReportFormat, typer.Option("--format", help="How to report.")
    ] = ReportFormat.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
) -> None:
    """Check workflows before a token is spent.

    Exit status: 0 if nothing fails, 1 if something does, 2 if a file could not be checked.
    """
    end(lambda terminal: check_files(terminal, targets, report_format, strict=strict))


@app.command()
def draw(
    target: _Target,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to write; the ending says what: .svg, .png, .pdf, .dot or .mmd. "
            "Left out: DOT on the standard output.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[
        Level, typer.Option(help="The workflow as people think of it, or the compiled machine.")
    ] = Level.AGENTS,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which the layout is stopped.")
    ] = 30.0,
) -> None:
    """Draw a workflow."""
    end(lambda terminal: draw_file(terminal, target, output, level=level.value, timeout=timeout))


@app.command()
def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE", help="The code or name of a rule, such as AG201.", show_default=False
        ),
    ],
) -> None:
    """Say what a rule finds, why that is bad and what to write instead."""
    end(lambda terminal: explain_rule(terminal, code))


@app.command()
def ir(
    target: _Target,
    origins: Annotated[
        bool, typer.Option(help="Say where in the source everything was written.")
    ] = True,
) -> None:
    """Print what a workflow is lowered to, as text: for bug reports and for comparing."""
    end(lambda terminal: print_ir(terminal, target, origins=origins))


app.add_typer(session_commands)
