"""Pictures in DOT, the language of Graphviz. Text from the chart appears only in labels and is
always escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from agentgraph_compiler.render.picture import Arrow, Box, Frame, Picture, Role, Stroke

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

_FONT = "Helvetica,Arial,sans-serif"
_INK, _SOFT, _LINE = "#1e293b", "#64748b", "#94a3b8"
_FILL_AND_EDGE = {
    Role.START: ("#1e293b", "#1e293b"),
    Role.AGENT: ("#f5f9ff", "#5b8def"),
    Role.ENTRY: ("#e3eeff", "#2f6fe4"),
    Role.OUTSIDE: ("#ffffff", "#94a3b8"),
    Role.GUARDRAIL: ("#fff8e6", "#e0a93b"),
    Role.STATE: ("#ffffff", "#94a3b8"),
    Role.DONE: ("#e4f7ea", "#2f9e58"),
    Role.BLOCKED: ("#fdeaea", "#d64545"),
    Role.EXHAUSTED: ("#f1f3f6", "#7b8794"),
    Role.FAILED: ("#fdeaea", "#d64545"),
}
_ENDS = (Role.START, Role.DONE, Role.BLOCKED, Role.EXHAUSTED, Role.FAILED)
_STROKES: dict[Stroke, dict[str, str]] = {
    Stroke.SOLID: {"color": "#475569", "penwidth": "1.4", "weight": "4"},
    Stroke.DASHED: {"color": "#475569", "penwidth": "1.4", "style": "dashed"},
    Stroke.CALL: {"color": "#8b5cf6", "penwidth": "1.2", "style": "dashed", "dir": "both"},
    Stroke.FAINT: {"color": "#b6c0cc", "arrowsize": "0.6", "weight": "0"},
}


def to_dot(picture: Picture) -> str:
    """Write a picture in DOT.

    Args:
        picture: What to draw.

    Returns:
        The source; the same for the same picture.
    """
    import graphviz

    graph = graphviz.Digraph(
        name="workflow",
        graph_attr={
            "rankdir": "LR" if picture.across else "TB",
            "label": _html(f'<font point-size="16">{_text(picture.root.title)}</font>'),
            "labelloc": "t",
            "fontname": _FONT,
            "fontcolor": _INK,
            "bgcolor": "white",
            "pad": "0.3",
            "nodesep": "0.35",
            "ranksep": "0.75" if picture.across else "0.6",
            "compound": "true",
        },
        node_attr={"fontname": _FONT, "fontsize": "12", "fontcolor": _INK, "penwidth": "1.4"},
        edge_attr={"fontname": _FONT, "fontsize": "10", "fontcolor": _SOFT, "arrowsize": "0.75"},
    )
    _fill(graph, picture.root)
    for arrow in picture.arrows:
        graph.edge(arrow.source, arrow.target, **_arrow(arrow))
    return str(graph.source)


def _fill(graph: graphviz.Digraph, frame: Frame) -> None:
    for box in frame.boxes:
        graph.node(box.id, **_box(box))
    for inner in frame.frames:
        opened = graph.subgraph(name=f"cluster_{inner.id}")
        assert opened is not None
        with opened as cluster:
            cluster.attr(
                label=_html(f"<b>{_text(inner.title)}</b>"),
                fontsize="11",
                fontcolor=_SOFT,
                style="rounded,filled",
                fillcolor="#fafbfc",
                color="#cbd5e1",
                margin="14",
            )
            _fill(cluster, inner)


def _box(box: Box) -> dict[str, str]:
    fill, edge = _FILL_AND_EDGE[box.role]
    look = {"shape": "box", "style": "rounded,filled", "fillcolor": fill, "color": edge}
    if box.role is Role.OUTSIDE:
        look["style"] = "rounded,filled,dashed"
    if box.role in _ENDS:
        look |= {"margin": "0.16,0.06", "height": "0.3", "width": "0.5"}
    if box.role is Role.START:
        look["fontcolor"] = "white"
    title = _text(box.title) if box.role in _ENDS else f"<b>{_text(box.title)}</b>"
    if not box.rows:
        return look | {"label": _html(title)}
    rows = "".join(f'<tr><td align="left">{_row(*row)}</td></tr>' for row in box.rows)
    table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="2">'
    return look | {"label": _html(f"{table}<tr><td>{title}</td></tr><hr/>{rows}</table>")}


def _row(name: str, remark: str) -> str:
    # Two spaces, because letters in a browser are a little wider than Graphviz measures them.
    tail = f'&#160;&#160;<font color="{_SOFT}"><i>{_text(remark)}</i></font>' if remark else ""
    return f'<font point-size="10">{_text(name)}{tail}</font>'


def _arrow(arrow: Arrow) -> dict[str, str]:
    look = dict(_STROKES[arrow.stroke])
    if arrow.both:
        look["dir"] = "both"
    if arrow.label:
        look["label"] = _html("<br/>".join(f"&#160;{_text(line)}&#160;" for line in arrow.label))
    return look


def _html(text: str) -> str:
    return f"<{text}>"


def _text(text: str) -> str:
    """Text for an HTML-like label: one line, without characters that XML does not allow."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return escape(printable, quote=False) or " "
