"""`agentgraph ir`."""

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
from agentgraph.cli.show import print_ir

__all__ = ["app"]

app = command_app()


@app.command()
@loads_a_file
def ir(
    target: Target,
    origins: Annotated[
        bool, typer.Option(help="Print the place in the source of every part.")
    ] = True,
    *,
    limits: Limits,
) -> None:
    """Print the lowered form of a workflow as text, for bug reports and comparisons."""
    end(lambda terminal: print_ir(terminal, target, origins=origins, limits=limits))
