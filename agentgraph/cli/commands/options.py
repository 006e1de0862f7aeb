"""Arguments that several commands share, and the application of a single command."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = [
    "Context",
    "MaxTurns",
    "ModelName",
    "Session",
    "Target",
    "Verbose",
    "command_app",
]

Target = Annotated[
    str,
    typer.Argument(
        metavar="FILE[:NAME]",
        help="A Python file, a notebook, a module (package.module), or - for the standard input; "
        "and the agent, workflow, program or function in it: build(model='x'), agents[0]. "
        "Without a name: its only Workflow, the agent that Runner gets, or the agent to which no "
        "other agent leads.",
        show_default=False,
    ),
]
MaxTurns = Annotated[
    int, typer.Option(min=1, help="The most model calls before the run is stopped.")
]
Context = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The context object for tools and guardrails: the name, in the file, of the object "
        "or of a function that makes it.",
        show_default=False,
    ),
]
Session = Annotated[
    str | None,
    typer.Option(
        metavar="DB[:ID]",
        help="Go on with a stored conversation, or begin one: an SQLite file or the URL of a "
        "database, and the id of the session (default: 'default').",
        show_default=False,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="The model of every agent, in place of its own; also in runs of tools and guardrails.",
        show_default=False,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose", "-v", help="Show the file and line of every exception that a tool raises."
    ),
]


def command_app() -> typer.Typer:
    """An application for one command; the command line takes the command from it."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)
