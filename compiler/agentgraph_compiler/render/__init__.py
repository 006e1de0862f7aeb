"""Back ends for people: charts as drawings, diagnostics as text."""

from __future__ import annotations

from pathlib import Path

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.render.agents import agents_picture
from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.layout import FORMATS, RenderError, lay_out
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.states import states_picture

__all__ = ["LEVELS", "RenderError", "render"]

LEVELS = {"agents": agents_picture, "states": states_picture}
"""The contents of a drawing by name: the workflow as people think of it, or the machine."""

_DOT_ENDINGS = ("dot", "gv")
_MERMAID_ENDINGS = ("mmd", "mermaid")


def render(
    chart: Chart, path: str | Path | None = None, *, level: str = "agents", timeout: float = 30.0
) -> str:
    """Draw a chart.

    Args:
        chart: A well-formed chart.
        path: The file to write; its ending selects the format: svg, png, pdf, dot or mmd. ``None``
            writes nothing.
        level: A key of ``LEVELS``.
        timeout: Seconds after which a layout is stopped.

    Returns:
        The source of the drawing: Mermaid for a Mermaid ending, DOT otherwise.

    Raises:
        RenderError: The level or the ending is unknown, or the layout failed; no file was written.
    """
    if level not in LEVELS:
        raise RenderError(f"there is no level '{level}'; levels are {' and '.join(LEVELS)}")
    picture = LEVELS[level](chart)
    if path is None:
        return to_dot(picture)
    ending = Path(path).suffix.lstrip(".").lower()
    if ending in _MERMAID_ENDINGS:
        source = to_mermaid(picture)
    elif ending in (*_DOT_ENDINGS, *FORMATS):
        source = to_dot(picture)
    else:
        endings = ", ".join(f".{suffix}" for suffix in (*FORMATS, "dot", "mmd"))
        raise RenderError(f"the ending of '{path}' selects no format; use one of {endings}")
    drawing = lay_out(source, ending, timeout=timeout) if ending in FORMATS else source.encode()
    Path(path).write_bytes(drawing)
    return source
