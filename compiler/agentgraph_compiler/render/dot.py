"""Pictures in DOT, the language of Graphviz. Text from the chart appears only in labels and is
always escaped.

Graphviz gets a graph without cycles: an arrow that leads back in the order of the boxes is written
the other way round, with its head at its tail. Its own ways of breaking cycles fail on some graphs
with clusters ("trouble in init_rank") and take minutes on others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from agentgraph_compiler.render.bundles import Bundle, bundled, legend_of
from agentgraph_compiler.render.look import (
    CUT_BOXES,
    DASHED_BOXES,
    FILL_AND_EDGE,
    FILL_AND_INK_OF_COVER,
    INK,
    INK_OF_MARK,
    INK_OF_STROKE,
    INK_OF_TONE,
    PILLS,
    SIGN_OF_COVER,
    SIGN_OF_MARK,
    SIGN_OF_TONE,
    SOFT,
    SQUARE_BOXES,
    printable,
    sample_of,
)
from agentgraph_compiler.render.order import order_of
from agentgraph_compiler.render.picture import (
    Arrow,
    Box,
    Cover,
    Frame,
    Mark,
    Meaning,
    Picture,
    Role,
    Row,
    Stroke,
    Tone,
)

if TYPE_CHECKING:
    import graphviz  # type: ignore[import-untyped]

_FONT = "Helvetica,Arial,sans-serif"
_STROKES: dict[Stroke, dict[str, str]] = {
    Stroke.SOLID: {"penwidth": "1.4", "weight": "4"},
    Stroke.DASHED: {"penwidth": "1.4", "style": "dashed", "weight": "2"},
    Stroke.OFF: {"style": "dashed", "arrowhead": "tee"},
    Stroke.CALL: {"penwidth": "1.3", "arrowtail": "dot", "dir": "both"},
    Stroke.SOMETIMES_CALL: {
        "penwidth": "1.3",
        "arrowtail": "dot",
        "dir": "both",
        "style": "dashed",
    },
    Stroke.BRANCH: {"style": "dashed", "weight": "3"},
    Stroke.RETURNING: {"penwidth": "1.4", "arrowtail": "onormal", "dir": "both", "weight": "4"},
    Stroke.SOMETIMES_RETURNING: {
        "penwidth": "1.4",
        "arrowtail": "onormal",
        "dir": "both",
        "style": "dashed",
        "weight": "2",
    },
    Stroke.CODE: {"penwidth": "1.3", "style": "dotted"},
    Stroke.EDGE: {"penwidth": "1.8", "weight": "4"},
    Stroke.CATCH: {"penwidth": "1.4", "style": "dashed", "weight": "1"},
    Stroke.FAINT: {"arrowsize": "0.6", "weight": "0"},
}
_LEGEND_COLUMNS = 3
_MANY_ARROWS = 150
_QUICKLY = {"nslimit": "1", "nslimit1": "1", "mclimit": "0.5"}
"""Bounds on the search for a better layout. Without them the time of a large graph has none."""


def to_dot(picture: Picture, *, header: bool = True, acyclic: bool = True) -> str:
    """Write a picture in DOT.

    Args:
        picture: What to draw.
        header: Whether the drawing has its title and its legend.
        acyclic: Whether arrows that lead back are written the other way round.

    Returns:
        The source; the same for the same picture.
    """
    import graphviz

    drawn, bundles = bundled(picture)
    # The frames of bundles count too; a cycle between frames is one that Graphviz cannot rank.
    place = order_of(replace(picture, root=drawn.root))
    ranks = "0.5" if bundles else "0.8" if picture.across else "0.6"
    graph = graphviz.Digraph(
        name="workflow",
        graph_attr={
            "rankdir": "LR" if picture.across else "TB",
            "label": _html(_header(picture)) if header else "",
            "labelloc": "t",
            "labeljust": "l",
            "fontname": _FONT,
            "fontcolor": INK,
            "bgcolor": "white",
            "pad": "0.3",
            "nodesep": "0.3",
            "ranksep": ranks,
            "compound": "true",
            **(_QUICKLY if len(drawn.arrows) > _MANY_ARROWS else {}),
        },
        node_attr={"fontname": _FONT, "fontsize": "12", "fontcolor": INK, "penwidth": "1.4"},
        edge_attr={"fontname": _FONT, "fontsize": "10", "fontcolor": SOFT, "arrowsize": "0.75"},
    )
    _fill(graph, drawn.root)
    for arrow in drawn.arrows:
        _edge(graph, arrow, acyclic and place[arrow.source] > place[arrow.target])
    for bundle in bundles:
        back = acyclic and place[bundle.arrow.source] > place[bundle.lines[0][0]]
        _bundle(graph, bundle, back)
    return str(graph.source)


def _fill(graph: graphviz.Digraph, frame: Frame) -> None:
    for box in frame.boxes:
        graph.node(box.id, **_box(box))
    for inner in frame.frames:
        opened = graph.subgraph(name=f"cluster_{inner.id}")
        assert opened is not None
        with opened as cluster:
            rows = "".join(f"<br/>{_row(row)}" for row in inner.rows)
            title = _html(f"<b>{_text(inner.title)}</b>{rows}") if inner.title else ""
            cluster.attr(
                label=title,
                fontsize="11",
                fontcolor=SOFT,
                style="rounded,filled",
                fillcolor="#fafbfc",
                color="#cbd5e1",
                margin="14",
            )
            _fill(cluster, inner)


def _box(box: Box) -> dict[str, str]:
    fill, edge = FILL_AND_INK_OF_COVER.get(box.cover, FILL_AND_EDGE[box.role])
    look = {"shape": "box", "style": "rounded,filled", "fillcolor": fill, "color": edge}
    if box.role in SQUARE_BOXES:
        look["style"] = "filled"
    if box.role in CUT_BOXES:
        look |= {"shape": "octagon", "style": "filled", "margin": "0"}
    if box.role in DASHED_BOXES:
        look["style"] = "rounded,filled,dashed"
    if box.lit:
        look["penwidth"] = "3"
    tones = [row.tone for row in box.rows]
    for tone in (Tone.ERROR, Tone.WARNING):
        if tone in tones:
            look |= {"color": INK_OF_TONE[tone], "penwidth": "2.4"}
            break
    if box.role is Role.START:
        return look | {"shape": "circle", "label": "", "width": "0.2", "tooltip": "start"}
    if box.role in PILLS:
        return look | {
            # Letters in a browser are a little wider than Graphviz measures them.
            "margin": f"{0.16 + 0.005 * max(0, len(box.title) - 16):.2f},0.06",
            "height": "0.3",
            "width": "0.5",
            "label": _html(_text(box.title)),
        }
    title = f"{_cover(box.cover)}<b>{_text(box.title)}</b>{_mark(box.mark)}"
    look["label"] = _html(_table(title, box.rows))
    return look


def _table(title: str, rows: tuple[Row, ...]) -> str:
    lines = "".join(f'<tr><td align="left">{_row(row)}</td></tr>' for row in rows)
    rule = "<hr/>" if rows else ""
    return (
        '<table border="0" cellborder="0" cellspacing="0" cellpadding="2">'
        f"<tr><td>{title}</td></tr>{rule}{lines}</table>"
    )


def _row(row: Row) -> str:
    sign = f"{SIGN_OF_TONE[row.tone]} " if row.tone in SIGN_OF_TONE else ""
    ink = _ink(row.cover, INK_OF_TONE[row.tone])
    name = f'{_cover(row.cover)}<font color="{ink}">{sign}{_text(row.name)}</font>'
    if row.tone is Tone.OFF:
        name = f"<s>{name}</s>"
    # Two spaces, because letters in a browser are a little wider than Graphviz measures them.
    remark = _text(row.remark)
    tail = f'&#160;&#160;<font color="{SOFT}"><i>{remark}</i></font>' if row.remark else ""
    return f'<font point-size="10">{name}{_mark(row.mark)}{tail}</font>'


def _cover(cover: Cover) -> str:
    if cover is Cover.NONE:
        return ""
    return f'<font color="{FILL_AND_INK_OF_COVER[cover][1]}">{SIGN_OF_COVER[cover]}</font> '


def _ink(cover: Cover, plain: str) -> str:
    """The colour of a row or an arrow; a plain one where nothing was measured."""
    return FILL_AND_INK_OF_COVER.get(cover, ("", plain))[1]


def _mark(mark: Mark) -> str:
    if mark is Mark.NONE:
        return ""
    return f' <font color="{INK_OF_MARK[mark]}">{SIGN_OF_MARK[mark]}</font>'


def _edge(graph: graphviz.Digraph, arrow: Arrow, back: bool) -> None:
    look = {"color": _ink(arrow.cover, INK_OF_STROKE[arrow.stroke]), **_STROKES[arrow.stroke]}
    if arrow.cover in (Cover.COVERED, Cover.PARTLY, Cover.MISSING):
        look["penwidth"] = "2"
    if arrow.both:
        look["dir"] = "both"
    look |= _label(arrow)
    if back:
        graph.edge(arrow.target, arrow.source, **{**look, **_turned(look)})
    else:
        graph.edge(arrow.source, arrow.target, **look)


def _label(arrow: Arrow) -> dict[str, str]:
    if not arrow.label:
        return {}
    lines = "<br/>".join(f"&#160;{_text(line)}&#160;" for line in arrow.label)
    return {"label": _html(lines)}


def _bundle(graph: graphviz.Digraph, bundle: Bundle, back: bool) -> None:
    """The arrow to the frame, which ends at its middle line, and the lines as invisible chains."""
    arrow, middle = bundle.arrow, len(bundle.lines) // 2
    for number, line in enumerate(bundle.lines):
        look = {"style": "invis"}
        if number == middle:
            look = {
                "color": _ink(arrow.cover, INK_OF_STROKE[arrow.stroke]),
                **_STROKES[arrow.stroke],
            }
            look |= {"penwidth": "2.2", **_label(arrow)}
            if arrow.both:
                look["dir"] = "both"
            look |= _turned(look) if back else {}
            look["ltail" if back else "lhead"] = f"cluster_{arrow.target}"
        graph.edge(*((line[-1], arrow.source) if back else (arrow.source, line[0])), **look)
        for one, other in pairwise(line):
            graph.edge(one, other, style="invis")


def _turned(look: Mapping[str, str]) -> dict[str, str]:
    """The look of an arrow that is written from its target to its source."""
    head, tail = look.get("arrowhead", "normal"), look.get("arrowtail", "normal")
    return {"dir": look.get("dir", "back"), "arrowtail": head, "arrowhead": tail}


def _header(picture: Picture) -> str:
    """The title, the remarks on the whole, and the legend."""
    title = f'<font point-size="16"><b>{_text(picture.root.title)}</b></font>'
    lines = [title, *map(_row, picture.root.rows)]
    entries = [f'<td align="left">{_sample(one)}</td>' for one in legend_of(picture)]
    rows = [
        f"<tr>{''.join(entries[first : first + _LEGEND_COLUMNS])}</tr>"
        for first in range(0, len(entries), _LEGEND_COLUMNS)
    ]
    cells = "".join(f'<tr><td align="left">{line}</td></tr>' for line in lines)
    legend = (
        '<tr><td align="left"><table border="0" cellborder="0" cellspacing="0" cellpadding="3">'
        f"{''.join(rows)}</table></td></tr>"
    )
    table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="3">'
    return f"{table}{cells}{legend if rows else ''}</table>"


def _sample(entry: tuple[Meaning, str]) -> str:
    (sign, color), words = sample_of(entry[0]), entry[1]
    return (
        f'<font point-size="10"><font color="{color}">{sign or "<s>abc</s>"}</font>&#160;'
        f'<font color="{SOFT}">{words}</font></font>'
    )


def _html(text: str) -> str:
    return f"<{text}>"


def _text(text: str) -> str:
    """Text for an HTML-like label: one line, without characters that XML does not allow."""
    return escape(printable(text), quote=False) or " "
