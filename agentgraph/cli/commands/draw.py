"""`agentgraph draw`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agentgraph.cli.commands.options import Target, command_app
from agentgraph.cli.ending import end
from agentgraph.cli.show import draw_file

__all__ = ["app"]

app = command_app()


class Level(StrEnum):
    """The levels of a drawing."""

    AGENTS = "agents"
    STATES = "states"


@app.command()
def draw(
    target: Target,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The file to write; its ending selects the format: .svg, .png, .pdf, .dot or "
            ".mmd. Default: DOT on the standard output.",
            show_default=False,
        ),
    ] = None,
    level: Annotated[
        Level, typer.Option(help="The workflow as people think of it, or the compiled machine.")
    ] = Level.AGENTS,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which the layout is stopped.")
    ] = 30.0,
) -> None:
    """Draw a workflow."""
    end(lambda terminal: draw_file(terminal, target, output, level=level.value, timeout=timeout))
