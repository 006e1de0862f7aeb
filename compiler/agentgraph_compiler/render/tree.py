"""Pictures as a tree of text, for a terminal: every box once, below the box from which arrows first
reach it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from agentgraph_compiler.render.look import (
    SIGN_OF_MARK,
    SIGN_OF_STROKE,
    SIGN_OF_TONE,
    printable,
    sample_of,
)
from agentgraph_compiler.render.picture import (
    Arrow,
    Box,
    Mark,
    Meaning,
    Picture,
    Role,
    Row,
)

_REMARKS = {
    Role.CODE: "run by code, unchecked",
    Role.OUTSIDE: "outside this workflow",
}


def to_tree(picture: Picture) -> str:
    """Write a picture as a tree.

    Args:
        picture: What to draw.

    Returns:
        The lines; the same for the same picture.
    """
    lines = [printable(picture.root.title), *map(_row, picture.root.rows)]
    lines.extend(_Tree(picture).lines())
    legend = [_sample(meaning, words) for meaning, words in picture.legend()]
    used = [entry for entry in legend if entry]
    return "\n".join((*lines, *(("", *used) if used else ()))) + "\n"


class _Tree:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.boxes = {box.id: box for box in picture.root.walk()}
        self.out: dict[str, list[Arrow]] = {}
        for arrow in picture.arrows:
            self.out.setdefault(arrow.source, []).append(arrow)
        self.child = self._first_ways()

    def _first_ways(self) -> set[int]:
        """The arrows that reach a box first, by identity; nearest boxes first, so that the tree
        stays flat."""
        first: set[int] = set()
        seen: set[str] = set()
        for box in sorted(self.boxes.values(), key=lambda box: box.role is not Role.START):
            if box.id in seen:
                continue
            seen.add(box.id)
            waiting = deque([box.id])
            while waiting:
                for arrow in self.out.get(waiting.popleft(), ()):
                    if arrow.target not in seen:
                        seen.add(arrow.target)
                        first.add(id(arrow))
                        waiting.append(arrow.target)
        self.reached = {arrow.target for arrow in self.picture.arrows if id(arrow) in first}
        return first

    def lines(self) -> Iterator[str]:
        """The lines of all boxes that no arrow reaches first, each with the boxes below it."""
        machine = {box.id: frame.title for frame in self.picture.root.frames for box in frame.boxes}
        for box in self.boxes.values():
            if box.id not in self.reached:
                if box.role is Role.START and box.id in machine:
                    yield from ("", printable(machine[box.id]))
                yield from self._box(box)

    def _box(self, root: Box) -> Iterator[str]:
        # A stack, because a chain of handoffs may be deeper than Python's recursion allows.
        stack: list[tuple[str, str, Arrow | None, Box]] = [("", "", None, root)]
        while stack:
            prefix, margin, arrow, box = stack.pop()
            arrows = self.out.get(box.id, [])
            last = len(arrows) - 1
            if box.role is Role.START and not box.rows:
                stack.extend(("", "", None, self.boxes[one.target]) for one in reversed(arrows))
                continue
            if arrow is not None and id(arrow) not in self.child:
                yield f"{prefix}{_way(arrow)} {printable(box.title)}{_label(arrow)}  (above)"
                continue
            yield f"{prefix}{_way(arrow)}{' ' if arrow else ''}{_title(box)}{_label(arrow)}"
            bar = "│  " if arrows else "   "
            yield from (f"{margin}{bar}{_row(row)}" for row in box.rows)
            for number in range(last, -1, -1):
                branch, below = ("└─ ", "   ") if number == last else ("├─ ", "│  ")
                onward = arrows[number]
                entry = (margin + branch, margin + below, onward, self.boxes[onward.target])
                stack.append(entry)


def _title(box: Box) -> str:
    mark = f" {SIGN_OF_MARK[box.mark]}" if box.mark is not Mark.NONE else ""
    remark = f"  ({_REMARKS[box.role]})" if box.role in _REMARKS else ""
    return f"{printable(box.title)}{mark}{remark}"


def _way(arrow: Arrow | None) -> str:
    if arrow is None:
        return ""
    return "⇄" if arrow.both else SIGN_OF_STROKE[arrow.stroke]


def _label(arrow: Arrow | None) -> str:
    return f"  {', '.join(map(printable, arrow.label))}" if arrow and arrow.label else ""


def _row(row: Row) -> str:
    sign = f"{SIGN_OF_TONE[row.tone]} " if row.tone in SIGN_OF_TONE else ""
    mark = f" {SIGN_OF_MARK[row.mark]}" if row.mark is not Mark.NONE else ""
    remark = f"  {printable(row.remark)}" if row.remark else ""
    return f"{sign}{printable(row.name)}{mark}{remark}"


def _sample(meaning: Meaning, words: str) -> str:
    """A line of the legend; empty if the tree says it in words."""
    sign, _ = sample_of(meaning)
    return "" if isinstance(meaning, Role) or not sign else f"{sign:4}{words}"
