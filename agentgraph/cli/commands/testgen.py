"""`agentgraph testgen`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import (
    Target,
    command_app,
)
from agentgraph.cli.ending import end
from agentgraph.cli.testgen import generate_tests

__all__ = ["app"]

app = command_app()


@app.command()
@loads_a_file
def generate(
    target: Target,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The file of the tests. Default: test_NAME_routes.py in the working folder.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option("--max", min=1, help="The most model calls of a run.")] = 6,
    *,
    limits: Limits,
) -> None:
    """Write tests that take every transition of a workflow."""
    end(lambda terminal: generate_tests(terminal, target, to, most, limits))
