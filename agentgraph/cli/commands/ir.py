"""`agentgraph ir`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.commands.options import Target, command_app
from agentgraph.cli.ending import end
from agentgraph.cli.show import print_ir

__all__ = ["app"]

app = command_app()


@app.command()
def ir(
    target: Target,
    origins: Annotated[
        bool, typer.Option(help="Say where in the source everything was written.")
    ] = True,
) -> None:
    """Print what a workflow is lowered to, as text: for bug reports and for comparing."""
    end(lambda terminal: print_ir(terminal, target, origins=origins))
