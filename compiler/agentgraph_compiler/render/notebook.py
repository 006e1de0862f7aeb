"""Pictures for notebooks, by MIME type."""

from __future__ import annotations

from html import escape

from agentgraph_compiler.machine import Machine
from agentgraph_compiler.render.layout import RenderError, draw
from agentgraph_compiler.render.mermaid import to_mermaid
from agentgraph_compiler.render.picture import Picture
from agentgraph_compiler.render.tree import to_tree
from agentgraph_compiler.render.view import picture_of_machine

_TIMEOUT = 10.0
"""Seconds; a cell must not wait longer for its output."""


def svg(picture: Picture) -> str | None:
    """A picture as SVG; ``None`` without Graphviz, or if the layout takes too long."""
    try:
        return draw(picture, "svg", timeout=_TIMEOUT).decode()
    except RenderError:
        return None


def bundle(picture: Picture) -> dict[str, str]:
    """A picture as Mermaid, and as SVG or else as a tree of text, by MIME type."""
    formats = {"text/vnd.mermaid": to_mermaid(picture)}
    drawing = svg(picture)
    if drawing is not None:
        return formats | {"image/svg+xml": drawing}
    return formats | {"text/html": f"<pre>{escape(to_tree(picture))}</pre>"}


def svg_of(machine: Machine) -> str | None:
    """A machine as SVG, as ``svg``."""
    return svg(picture_of_machine(machine))


def bundle_of(machine: Machine) -> dict[str, str]:
    """A machine by MIME type, as ``bundle``."""
    return bundle(picture_of_machine(machine))
