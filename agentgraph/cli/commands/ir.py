"""`agentgraph ir`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.options import (
    DEFAULT_MEMORY,
    DEFAULT_TIMEOUT,
    AllowNetwork,
    LoadMemory,
    LoadTimeout,
    Target,
    command_app,
)
from agentgraph.cli.ending import end
from agentgraph.cli.show import print_ir

__all__ = ["app"]

app = command_app()


@app.command()
def ir(
    target: Target,
    origins: Annotated[
        bool, typer.Option(help="Print the place in the source of every part.")
    ] = True,
    allow_network: AllowNetwork = False,
    load_timeout: LoadTimeout = DEFAULT_TIMEOUT,
    load_memory: LoadMemory = DEFAULT_MEMORY,
) -> None:
    """Print the lowered form of a workflow as text, for bug reports and comparisons."""
    limits = Limits(load_timeout, load_memory, allow_network)
    end(lambda terminal: print_ir(terminal, target, origins=origins, limits=limits))
