"""`agentgraph run`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.commands.options import (
    Context,
    MaxTurns,
    ModelName,
    Session,
    Target,
    Verbose,
    command_app,
)
from agentgraph.cli.conversation import RunSettings
from agentgraph.cli.ending import end
from agentgraph.cli.perform import run_file
from agentgraph.run_config import DEFAULT_MAX_TURNS

__all__ = ["app"]

app = command_app()


@app.command()
def run(
    target: Target,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="[INPUT]",
            help="The user's message. Without it, or as -, the standard input is the message.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one event a line, as JSON.")
    ] = False,
    max_turns: MaxTurns = DEFAULT_MAX_TURNS,
    context: Context = None,
    session: Session = None,
    model: ModelName = None,
    verbose: Verbose = False,
) -> None:
    """Run a workflow and show what happens as it happens.

    Without OPENAI_API_KEY the run sends nothing anywhere: it is a rehearsal, and says so.
    """
    settings = RunSettings(
        max_turns=max_turns, context=context, session=session, model=model, verbose=verbose
    )
    end(lambda terminal: run_file(terminal, target, message, settings, as_json=as_json))
