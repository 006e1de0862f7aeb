"""Pictures in Mermaid, which many code hosts draw by themselves. The back end writes every special
character as an entity.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.render.picture import Arrow, Box, Frame, Picture, Role, Stroke

_BRACKETS = {
    Role.START: ("([", "])"),
    Role.DONE: ("([", "])"),
    Role.BLOCKED: ("([", "])"),
    Role.EXHAUSTED: ("([", "])"),
    Role.FAILED: ("([", "])"),
    Role.GUARDRAIL: ("{{", "}}"),
    Role.STATE: ("(", ")"),
    Role.AGENT: ("[", "]"),
    Role.ENTRY: ("[", "]"),
    Role.OUTSIDE: ("[", "]"),
}
_LINES = {
    Stroke.SOLID: "-->",
    Stroke.DASHED: "-.->",
    Stroke.CALL: "<-.->",
    Stroke.FAINT: "-->",
}
_CLASSES = {
    Role.START: "fill:#1e293b,stroke:#1e293b,color:#ffffff",
    Role.AGENT: "fill:#f5f9ff,stroke:#5b8def,color:#1e293b",
    Role.ENTRY: "fill:#e3eeff,stroke:#2f6fe4,color:#1e293b,stroke-width:2px",
    Role.OUTSIDE: "fill:#ffffff,stroke:#94a3b8,color:#1e293b,stroke-dasharray:4",
    Role.GUARDRAIL: "fill:#fff8e6,stroke:#e0a93b,color:#1e293b",
    Role.STATE: "fill:#ffffff,stroke:#94a3b8,color:#1e293b",
    Role.DONE: "fill:#e4f7ea,stroke:#2f9e58,color:#1e293b",
    Role.BLOCKED: "fill:#fdeaea,stroke:#d64545,color:#1e293b",
    Role.EXHAUSTED: "fill:#f1f3f6,stroke:#7b8794,color:#1e293b",
    Role.FAILED: "fill:#fdeaea,stroke:#d64545,color:#1e293b",
}
_PLAIN = frozenset(" .,:()[]_-+*/…→")


def to_mermaid(picture: Picture) -> str:
    """Write a picture as a Mermaid flowchart.

    Args:
        picture: What to draw.

    Returns:
        The source; the same for the same picture.
    """
    lines = [f"flowchart {'LR' if picture.across else 'TB'}"]
    lines.extend(_frame(picture.root, "  "))
    lines.extend(f"  {_arrow(arrow)}" for arrow in picture.arrows)
    faint = [str(n) for n, arrow in enumerate(picture.arrows) if arrow.stroke is Stroke.FAINT]
    if faint:
        lines.append(f"  linkStyle {','.join(faint)} stroke:#b6c0cc,stroke-width:1px")
    used = {box.role for box in _boxes(picture.root)}
    lines.extend(f"  classDef {role.value}Box {_CLASSES[role]}" for role in Role if role in used)
    return "\n".join(lines) + "\n"


def _boxes(frame: Frame) -> Iterator[Box]:
    yield from frame.boxes
    for inner in frame.frames:
        yield from _boxes(inner)


def _frame(frame: Frame, indent: str) -> Iterator[str]:
    for box in frame.boxes:
        opening, closing = _BRACKETS[box.role]
        yield f'{indent}{box.id}{opening}"{_label(box)}"{closing}:::{box.role.value}Box'
    for inner in frame.frames:
        yield f'{indent}subgraph {inner.id}["{_text(inner.title)}"]'
        yield from _frame(inner, indent + "  ")
        yield f"{indent}end"


def _label(box: Box) -> str:
    if not box.rows:
        return _text(box.title)
    rows = (
        f"{_text(name)} <i>{_text(remark)}</i>" if remark else _text(name)
        for name, remark in box.rows
    )
    return "<br/>".join((f"<b>{_text(box.title)}</b>", *rows))


def _arrow(arrow: Arrow) -> str:
    line = f"<{_LINES[arrow.stroke]}" if arrow.both else _LINES[arrow.stroke]
    label = f'|"{"<br/>".join(map(_text, arrow.label))}"|' if arrow.label else ""
    return f"{arrow.source} {line}{label} {arrow.target}"


def _text(text: str) -> str:
    """Text for a quoted label: letters and digits as they are, other characters as entities."""
    return "".join(map(_entity, text))


def _entity(char: str) -> str:
    if char.isalnum() or char in _PLAIN:
        return char
    return f"#{ord(char)};" if char.isprintable() else " "
