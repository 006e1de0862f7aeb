"""Pictures in Mermaid, which many code hosts draw by themselves. The back end writes every special
character as an entity.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.render.bundles import bundled, legend_of
from agentgraph_compiler.render.look import (
    DASHED_BOXES,
    FILL_AND_EDGE,
    INK,
    INK_OF_STROKE,
    SIGN_OF_MARK,
    SIGN_OF_TONE,
    SOFT,
    printable,
    sample_of,
)
from agentgraph_compiler.render.picture import (
    Arrow,
    Box,
    Frame,
    Mark,
    Picture,
    Role,
    Row,
    Stroke,
)

_BRACKETS = {
    Role.START: ("([", "])"),
    Role.END: ("([", "])"),
    Role.DONE: ("([", "])"),
    Role.BLOCKED: ("([", "])"),
    Role.EXHAUSTED: ("([", "])"),
    Role.FAILED: ("([", "])"),
    Role.FUNCTION: ("[[", "]]"),
    Role.QUESTION: ("[\\", "/]"),
    Role.BRANCHES: ("[[", "]]"),
    Role.GUARDRAIL: ("{{", "}}"),
    Role.STATE: ("(", ")"),
}
_BOX = ("[", "]")
_LINES = {
    Stroke.SOLID: "-->",
    Stroke.DASHED: "-.->",
    Stroke.OFF: "-.-x",
    Stroke.CALL: "o--o",
    Stroke.SOMETIMES_CALL: "o-.-o",
    Stroke.BRANCH: "-.->",
    Stroke.RETURNING: "-->",
    Stroke.SOMETIMES_RETURNING: "-.->",
    Stroke.CODE: "-.->",
    Stroke.EDGE: "==>",
    Stroke.CATCH: "-.->",
    Stroke.FAINT: "-->",
}
# How these lines look in Mermaid.
_SIGNS = {
    Stroke.DASHED: "⇢",
    Stroke.OFF: "┄×",
    Stroke.CALL: "●─●",
    Stroke.SOMETIMES_CALL: "●┄●",
    Stroke.RETURNING: "→↩",
    Stroke.SOMETIMES_RETURNING: "⇢↩",
    Stroke.CODE: "⇢",
    Stroke.CATCH: "⇢",
}
_PLAIN = frozenset(" .,:()[]_-+*/…→•⇢●─┄×◉◎⊘◆✖▲⇒↩")


def to_mermaid(picture: Picture) -> str:
    """Write a picture as a Mermaid flowchart.

    Args:
        picture: What to draw.

    Returns:
        The source; the same for the same picture.
    """
    lines = [f"flowchart {'LR' if picture.across else 'TB'}"]
    drawn, bundles = bundled(picture)
    arrows = [*drawn.arrows, *(bundle.arrow for bundle in bundles)]
    lines.extend(_frame(drawn.root, "  "))
    lines.extend(f"  {_arrow(arrow)}" for arrow in arrows)
    chains = [line for bundle in bundles for line in bundle.lines if len(line) > 1]
    lines.extend(f"  {' ~~~ '.join(line)}" for line in chains)
    lines.extend(_colors(arrows))
    used = {box.role for box in picture.root.walk()}
    lines.extend(f"  classDef {role.value}Box {_look(role)}" for role in Role if role in used)
    lines.extend(f"  class {box.id} litBox" for box in picture.root.walk() if box.lit)
    if any(box.lit for box in picture.root.walk()):
        lines.append("  classDef litBox stroke-width:4px")
    lines.extend(_legend(picture))
    return "\n".join(lines) + "\n"


def _legend(picture: Picture) -> Iterator[str]:
    """A box without an edge that explains arrows, marks and signs. The shapes of boxes explain
    themselves; the colours of signs are not shown, so words of one sign share a line.
    """
    words: dict[str, list[str]] = {}
    for meaning, explanation in legend_of(picture):
        sign = "" if isinstance(meaning, Role) else sample_of(meaning)[0]
        if isinstance(meaning, Stroke):
            sign = _SIGNS.get(meaning, sign)
        if sign:
            words.setdefault(sign, []).append(explanation)
    entries = [_text(f"{sign} {' / '.join(lines)}") for sign, lines in words.items()]
    if entries:
        yield f'  legend["{"<br/>".join(entries)}"]:::legendBox'
        yield f"  classDef legendBox fill:none,stroke:none,color:{SOFT}"


def _colors(arrows: list[Arrow]) -> Iterator[str]:
    for stroke, color in INK_OF_STROKE.items():
        numbers = [str(n) for n, arrow in enumerate(arrows) if arrow.stroke is stroke]
        if numbers and stroke is not Stroke.SOLID:
            yield f"  linkStyle {','.join(numbers)} stroke:{color}"


def _look(role: Role) -> str:
    fill, edge = FILL_AND_EDGE[role]
    ink = "#ffffff" if role is Role.START else INK
    dashes = ",stroke-dasharray:4" if role in DASHED_BOXES else ""
    return f"fill:{fill},stroke:{edge},color:{ink}{dashes}"


def _frame(frame: Frame, indent: str) -> Iterator[str]:
    for box in frame.boxes:
        opening, closing = _BRACKETS.get(box.role, _BOX)
        yield f'{indent}{box.id}{opening}"{_label(box)}"{closing}:::{box.role.value}Box'
    for inner in frame.frames:
        title = "<br/>".join((_text(inner.title) or " ", *map(_row, inner.rows)))
        yield f'{indent}subgraph {inner.id}["{title}"]'
        yield from _frame(inner, indent + "  ")
        yield f"{indent}end"


def _label(box: Box) -> str:
    mark = _mark(box.mark)
    if not box.rows:
        return f"{_text(box.title)}{mark}"
    return "<br/>".join((f"<b>{_text(box.title)}</b>{mark}", *map(_row, box.rows)))


def _row(row: Row) -> str:
    sign = f"{_text(SIGN_OF_TONE[row.tone])} " if row.tone in SIGN_OF_TONE else ""
    name = f"{sign}{_text(row.name)}{_mark(row.mark)}"
    return f"{name} <i>{_text(row.remark)}</i>" if row.remark else name


def _mark(mark: Mark) -> str:
    return f" {_text(SIGN_OF_MARK[mark])}" if mark is not Mark.NONE else ""


def _arrow(arrow: Arrow) -> str:
    line = f"<{_LINES[arrow.stroke]}" if arrow.both else _LINES[arrow.stroke]
    label = f'|"{"<br/>".join(map(_text, arrow.label))}"|' if arrow.label else ""
    return f"{arrow.source} {line}{label} {arrow.target}"


def _text(text: str) -> str:
    """Text for a quoted label: letters and digits as they are, other characters as entities."""
    return "".join(map(_entity, printable(text)))


def _entity(char: str) -> str:
    return char if char.isalnum() or char in _PLAIN else f"#{ord(char)};"
