"""`agentgraph explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.commands.options import command_app
from agentgraph.cli.ending import end
from agentgraph.cli.show import explain_all, explain_rule

__all__ = ["app"]

app = command_app()


@app.command()
def explain(
    code: Annotated[
        str,
        typer.Argument(
            metavar="CODE", help="The code or name of a rule, such as AG201.", show_default=False
        ),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Show the pages of all rules.")] = False,
) -> None:
    """Say what a rule finds, why that is bad and what to write instead."""
    end(lambda terminal: explain_all(terminal) if every else explain_rule(terminal, code))
