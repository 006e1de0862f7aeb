"""Pictures as one page of HTML, which lays itself out: it contains Graphviz as JavaScript.

The page loads nothing, so it works offline. ``page.html`` is the page without its contents; the
build of Graphviz beside it, ``viz-global.js``, is no part of the source: the build of this package
takes it from npm (docs/decisions, "Graphviz inside a page").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape
from importlib.resources import files

from agentgraph_compiler.render.bundles import legend_of
from agentgraph_compiler.render.dot import to_dot
from agentgraph_compiler.render.layout import RenderError
from agentgraph_compiler.render.look import columns, printable, sample_of
from agentgraph_compiler.render.picture import Frame, Meaning, Picture

_PAGE, _GRAPHVIZ = "page.html", "viz-global.js"
_LATIN = 0x24F


def to_html(picture: Picture) -> str:
    """Write a picture as a page.

    Args:
        picture: What to draw.

    Returns:
        The page; the same for the same picture.

    Raises:
        RenderError: This installation has no build of Graphviz for pages.
    """
    before, after = page_around_graphviz(picture)
    return f"{before}{graphviz_script()}{after}"


def graphviz_script() -> str:
    """Graphviz as JavaScript.

    Raises:
        RenderError: This installation has no build of Graphviz for pages.
    """
    graphviz = files("agentgraph_compiler.render") / _GRAPHVIZ
    if not graphviz.is_file():
        raise RenderError(
            "a page needs Graphviz as JavaScript, which this installation lacks. Install npm and"
            " install agentgraph again, or write another format: .svg, .png, .mmd or .txt"
        )
    return graphviz.read_text("utf-8")


def page_around_graphviz(picture: Picture) -> tuple[str, str]:
    """The page of a picture before and after Graphviz, so that several pages can share it."""
    remarks = "".join(f"<p>{escape(printable(row.name))}</p>" for row in picture.root.rows)
    parts = {
        "title": escape(printable(picture.root.title)),
        "remarks": remarks,
        "legend": "".join(_entry(*entry) for entry in legend_of(picture)),
        "source": in_script(to_dot(_padded(picture), header=False)),
    }
    page = (files("agentgraph_compiler.render") / _PAGE).read_text("utf-8")
    before, after = page.split("{{graphviz}}")
    return filled(before, parts), filled(after, parts)


def filled(template: str, parts: Mapping[str, str]) -> str:
    """A template with a part in place of each ``{{name}}``."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: parts[name[1]], template)


def in_script(value: object) -> str:
    """A value as JSON in a script, which ends at its closing tag, wherever that stands."""
    return json.dumps(value).replace("<", "\\u003c")


def _padded(picture: Picture) -> Picture:
    """The picture with spaces after names in other scripts than Latin: the Graphviz of a page has
    no fonts, and counts too little for their letters."""
    return replace(picture, root=_padded_frame(picture.root))


def _padded_frame(frame: Frame) -> Frame:
    boxes = [
        replace(
            box,
            title=box.title + _padding(box.title),
            rows=tuple(replace(row, name=row.name + _padding(row.name)) for row in box.rows),
        )
        for box in frame.boxes
    ]
    return replace(frame, boxes=boxes, frames=[_padded_frame(inner) for inner in frame.frames])


def _padding(text: str) -> str:
    wide = columns(text) - len(text)
    other = sum(ord(char) > _LATIN for char in text) - wide
    return "\u00a0" * (max(wide, 0) + max(other, 0) // 4)


def _entry(meaning: Meaning, words: str) -> str:
    sign, color = sample_of(meaning)
    return f'<li><span style="color:{color}">{sign or "<s>abc</s>"}</span> {escape(words)}</li>'
