"""`agentgraph draw`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agentgraph.cli.capture.child import Limits
from agentgraph.cli.commands.loading import loads_a_file
from agentgraph.cli.commands.options import (
    Target,
    command_app,
)
from agentgraph.cli.ending import end
from agentgraph.cli.show import Drawing, draw_file
from agentgraph_compiler.render import View

__all__ = ["app"]

app = command_app()


class Level(StrEnum):
    """The levels of a drawing."""

    AGENTS = "agents"
    STATES = "states"


class Format(StrEnum):
    """The formats that a terminal or a pipe takes."""

    TREE = "tree"
    DOT = "dot"
    MERMAID = "mermaid"
    HTML = "html"


@app.command()
@loads_a_file
def draw(
    target: Target,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="The file to write; its ending selects the format: .svg, .png, .pdf, .html (a page"
            " with zoom and search), .mmd (Mermaid), .dot or .txt. Default: a tree on the standard"
            " output.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="The format on the standard output.")
    ] = Format.TREE,
    level: Annotated[
        Level, typer.Option(help="The workflow as people think of it, or the compiled machine.")
    ] = Level.AGENTS,
    findings: Annotated[
        bool, typer.Option("--findings", help="Show what `agentgraph check` finds at each agent.")
    ] = False,
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="AGENT",
            help="Draw this agent and those around it; at the level of states, with its states.",
            show_default=False,
        ),
    ] = None,
    depth: Annotated[
        int, typer.Option(min=0, help="The most handoffs or calls from the focus to an agent.")
    ] = 1,
    fold: Annotated[
        bool | None,
        typer.Option(
            "--fold/--unfold",
            help="Draw the states of each agent as one box, or one by one. Default: as one box if"
            " there are more than a few agents.",
            show_default=False,
        ),
    ] = None,
    legend: Annotated[bool, typer.Option(help="Explain the signs.")] = True,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds after which the layout is stopped.")
    ] = 30.0,
    *,
    limits: Limits,
) -> None:
    """Draw a workflow."""
    view = View(level=level.value, focus=focus, depth=depth, fold=fold, legend=legend)
    drawing = Drawing(view, findings, format.value, timeout=timeout, limits=limits)
    end(lambda terminal: draw_file(terminal, target, output, drawing))
