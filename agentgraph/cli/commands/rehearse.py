"""`agentgraph rehearse`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.options import (
    DEFAULT_MEMORY,
    DEFAULT_TIMEOUT,
    AllowNetwork,
    Context,
    LoadMemory,
    LoadTimeout,
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
    allow_network: AllowNetwork = False,
    load_timeout: LoadTimeout = DEFAULT_TIMEOUT,
    load_memory: LoadMemory = DEFAULT_MEMORY,
) -> None:
    """Run a workflow with yourself as the model: you choose each move."""
    settings = RunSettings(max_turns=max_turns, context=context, session=session, verbose=verbose)
    limits = Limits(load_timeout, load_memory, allow_network)
    end(lambda terminal: rehearse_file(terminal, target, message, settings, limits))
