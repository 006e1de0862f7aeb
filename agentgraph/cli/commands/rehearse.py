"""`agentgraph rehearse`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import (
    Context,
    MaxTurns,
    Session,
    Target,
    Verbose,
    command_app,
)
from agentgraph.cli.conversation import RunSettings
from agentgraph.cli.ending import end
from agentgraph.cli.perform import rehearse_file
from agentgraph.run_config import DEFAULT_MAX_TURNS

__all__ = ["app"]

app = command_app()


@app.command()
@loads_a_file
def rehearse(
    target: Target,
    message: Annotated[
        str | None,
        typer.Argument(
            metavar="INPUT", help="The user's message. Default: ask for it.", show_default=False
        ),
    ] = None,
    max_turns: MaxTurns = DEFAULT_MAX_TURNS,
    context: Context = None,
    session: Session = None,
    verbose: Verbose = False,
    *,
    limits: Limits,
) -> None:
    """Run a workflow with yourself as the model: you choose each move."""
    settings = RunSettings(max_turns=max_turns, context=context, session=session, verbose=verbose)
    end(lambda terminal: rehearse_file(terminal, target, message, settings, limits))
