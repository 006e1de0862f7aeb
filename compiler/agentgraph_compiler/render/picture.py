"""The contents of a drawing, for any back end: boxes, frames around them and arrows between them.

The words differ from the chart's on purpose: a box may stand for an agent, for guardrails, for a
state or for an end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]+")


class Role(StrEnum):
    """What a box stands for; a back end gives each its shape and colour."""

    START = "start"
    AGENT = "agent"
    ENTRY = "entry"
    OUTSIDE = "outside"
    GUARDRAIL = "guardrail"
    STATE = "state"
    DONE = "done"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


class Stroke(StrEnum):
    """The meaning of an arrow: a move, a move that a function may forbid, a call that returns, a
    move off the main path.
    """

    SOLID = "solid"
    DASHED = "dashed"
    CALL = "call"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Box:
    """A box.

    Args:
        id: Letters, digits and underscores; unique in the picture.
        role: What it stands for.
        title: Its first line.
        rows: Further lines, each a name and a remark on it.
    """

    id: str
    role: Role
    title: str
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two boxes, by id; ``both`` if it has a head at each end."""

    source: str
    target: str
    stroke: Stroke = Stroke.SOLID
    label: tuple[str, ...] = ()
    both: bool = False


@dataclass(slots=True)
class Frame:
    """A frame around boxes and further frames. Back ends do not draw the outermost frame, which is
    the edge of the picture.
    """

    id: str
    title: str
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


@dataclass(slots=True)
class Picture:
    """A drawing.

    Args:
        root: The outermost frame, with everything in the drawing.
        arrows: Between boxes of any frame.
        across: Whether it reads from left to right rather than downwards.
    """

    root: Frame
    arrows: list[Arrow] = field(default_factory=list)
    across: bool = True


class Ids:
    """Hands out ids of boxes and frames: readable, and the same for the same chart."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, kind: str, name: str) -> str:
        """A new id: ``kind``, then ``name`` as far as its characters are allowed in ids."""
        base = f"{kind}_{_NOT_IN_IDS.sub('_', name).strip('_').lower()}".rstrip("_")
        candidate, number = base, 1
        while candidate in self._taken:
            number += 1
            candidate = f"{base}_{number}"
        self._taken.add(candidate)
        return candidate
