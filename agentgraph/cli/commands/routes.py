"""`agentgraph routes`."""

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
from agentgraph.cli.routes import print_routes

__all__ = ["app"]

app = command_app()


@app.command()
@loads_a_file
def routes(
    target: Target,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Only routes that come by this agent, tool, handoff or guardrail.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option("--max", min=1, help="The most model calls of a run.")] = 6,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    *,
    limits: Limits,
) -> None:
    """List the routes that runs of a workflow can take, from agent to agent."""
    end(lambda terminal: print_routes(terminal, target, to, most, limits, as_json=as_json))
