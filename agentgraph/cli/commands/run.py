"""`agentgraph run`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
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
from agentgraph.models.default_models import MODEL_VARIABLE
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
    rehearse: Annotated[
        bool,
        typer.Option(
            "--rehearse",
            help="Let a rehearsal answer in place of every model that has a name: no key is "
            "needed, nothing is sent, and every text says so. Tools are really called.",
        ),
    ] = False,
    max_turns: MaxTurns = DEFAULT_MAX_TURNS,
    context: Context = None,
    session: Session = None,
    model: ModelName = None,
    verbose: Verbose = False,
) -> None:
    """Run a workflow and show what happens as it happens."""
    settings = RunSettings(
        max_turns=max_turns, context=context, session=session, model=model, verbose=verbose
    )
    with _rehearsed() if rehearse else nullcontext():
        end(lambda terminal: run_file(terminal, target, message, settings, as_json=as_json))


@contextmanager
def _rehearsed() -> Iterator[None]:
    """Ask for a rehearsal, in the environment, so that runs inside the workflow's own code are
    rehearsed too."""
    before = os.environ.get(MODEL_VARIABLE)
    os.environ[MODEL_VARIABLE] = "rehearsal"
    try:
        yield
    finally:
        if before is None:
            del os.environ[MODEL_VARIABLE]
        else:
            os.environ[MODEL_VARIABLE] = before
