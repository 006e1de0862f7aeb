"""Back ends for people: charts as drawings, diagnostics as text."""

from __future__ import annotations

from pathlib import Path

from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.html import to_html
from agentgraph_compiler.render.layout import FORMATS, RenderError, draw
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.picture import Picture
from agentgraph_compiler.render.tree import to_tree
from agentgraph_compiler.render.view import LEVELS, WHOLE_WORKFLOW, View, picture_of

__all__ = ["ENDINGS", "LEVELS", "RenderError", "View", "render", "source_of"]

_SOURCES = {
    "dot": to_dot,
    "gv": to_dot,
    "mmd": to_mermaid,
    "mermaid": to_mermaid,
    "txt": to_tree,
    "tree": to_tree,
    "html": to_html,
}
"""The back ends by the ending of the file that they write without Graphviz."""
ENDINGS = (*FORMATS, "html", "mmd", "dot", "txt")
"""The formats by their usual ending."""


def render(
    chart: Chart,
    path: str | Path | None = None,
    view: View = WHOLE_WORKFLOW,
    *,
    timeout: float = 30.0,
) -> str:
    """Draw a chart.

    Args:
        chart: A well-formed chart.
        path: The file to write; its ending selects the format, one of ``ENDINGS``. ``None`` writes
            nothing.
        view: What to draw of the chart.
        timeout: Seconds after which a layout is stopped.

    Returns:
        The source of the drawing: the file itself for the formats that are text, DOT otherwise.

    Raises:
        RenderError: The level, the agent or the ending is unknown, or the layout failed; no file
            was written.
    """
    ending = "dot" if path is None else Path(path).suffix.lstrip(".").lower()
    if ending not in (*_SOURCES, *FORMATS):
        endings = ", ".join(f".{suffix}" for suffix in ENDINGS)
        raise RenderError(f"the ending of '{path}' selects no format; use one of {endings}")
    picture = picture_of(chart, view)
    source = source_of(picture, ending if ending in _SOURCES else "dot")
    if path is not None:
        laid_out = ending in FORMATS
        drawing = draw(picture, ending, timeout=timeout) if laid_out else source.encode()
        Path(path).write_bytes(drawing)
    return source


def source_of(picture: Picture, format: str) -> str:
    """A picture in a format that is text: dot, mmd, txt or html."""
    return _SOURCES[format](picture)
