"""The contents of a drawing, for any back end: boxes, frames around them and arrows between them.

The words differ from the chart's on purpose: a box may stand for an agent, for a state or for an
end. A box, a row or an arrow says what it means (role, tone, mark, stroke); each back end gives the
meaning a look, and the legend lists the meanings that the picture uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]+")


class Role(StrEnum):
    """What a box stands for."""

    START = "start"
    ENTRY = "entry"
    AGENT = "agent"
    TOOL = "tool"
    CODE = "code"
    OUTSIDE = "outside"
    FUNCTION = "function"
    QUESTION = "question"
    BRANCHES = "branches"
    END = "end"
    GUARDRAIL = "guardrail"
    STATE = "state"
    DONE = "done"
    BLOCKED = "blocked"
    EXHAUSTED = "exhausted"
    FAILED = "failed"


class Stroke(Enum):
    """The meaning of an arrow."""

    SOLID = auto()
    """A move: a handoff, a transition."""
    DASHED = auto()
    """A move that a function may forbid."""
    OFF = auto()
    """A move that is disabled for good."""
    CALL = auto()
    """A call of an agent or a machine, which returns."""
    SOMETIMES_CALL = auto()
    """A call that a function may forbid."""
    BRANCH = auto()
    """A branch runs an agent or a workflow."""
    RETURNING = auto()
    """A handoff after which the caller goes on."""
    SOMETIMES_RETURNING = auto()
    """Such a handoff that a function may forbid."""
    CODE = auto()
    """A run that the code of a tool or guardrail starts."""
    EDGE = auto()
    """A move from step to step that the source fixes, by a value or always."""
    CATCH = auto()
    """Such a move after an exception."""
    FAINT = auto()
    """A move off the main path."""
    EACH = auto()
    """Many moves of one kind, one to each box in a frame; only in legends."""


class Tone(Enum):
    """The meaning of a row in a box."""

    PLAIN = auto()
    GUARDRAIL = auto()
    OFF = auto()
    ERROR = auto()
    WARNING = auto()
    NOTE = auto()


class Mark(Enum):
    """How an agent or a tool can end the run."""

    NONE = auto()
    ENDS = auto()
    MAY_END = auto()
    STUCK = auto()


class Cover(Enum):
    """Whether tests have met what a part of the picture stands for."""

    NONE = auto()
    """Nothing was measured."""
    COVERED = auto()
    PARTLY = auto()
    MISSING = auto()
    EXCUSED = auto()
    """No test owes it."""


Meaning = Role | Stroke | Tone | Mark | Cover
Place = tuple[str, str]
"""A part of a chart: the name of the sub-chart, empty for the root, and an id, a symbol, or the
words of a transition there."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a box: a name and a remark on it, and what of the chart it stands for."""

    name: str
    remark: str = ""
    tone: Tone = Tone.PLAIN
    mark: Mark = Mark.NONE
    about: tuple[Place, ...] = field(default=(), compare=False)
    cover: Cover = Cover.NONE


@dataclass(frozen=True, slots=True)
class Box:
    """A box.

    Args:
        id: Letters, digits and underscores; unique in the picture.
        role: What it stands for.
        title: Its first line.
        rows: Further lines.
        mark: How it can end the run.
        group: The agent it belongs to, a key of ``Picture.groups``; empty for none.
        lit: Whether a run came by here.
        about: What of the chart it stands for.
        cover: Whether tests have met that.
    """

    id: str
    role: Role
    title: str
    rows: tuple[Row, ...] = ()
    mark: Mark = Mark.NONE
    group: str = ""
    lit: bool = False
    about: tuple[Place, ...] = ()
    cover: Cover = Cover.NONE


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two boxes, by id; ``both`` if it has a head at each end.

    ``about`` is what of the chart it stands for; arrows that differ only there are equal.
    """

    source: str
    target: str
    stroke: Stroke = Stroke.SOLID
    label: tuple[str, ...] = ()
    both: bool = False
    about: tuple[Place, ...] = field(default=(), compare=False)
    cover: Cover = Cover.NONE


@dataclass(slots=True)
class Frame:
    """A frame around boxes and further frames. Back ends do not draw the outermost frame, which is
    the edge of the picture.
    """

    id: str
    title: str
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    rows: tuple[Row, ...] = ()

    def walk(self) -> Iterator[Box]:
        """All boxes, those of inner frames last."""
        yield from self.boxes
        for inner in self.frames:
            yield from inner.walk()

    def frames_within(self) -> Iterator[Frame]:
        """This frame and all inner ones."""
        yield self
        for inner in self.frames:
            yield from inner.frames_within()


@dataclass(slots=True)
class Picture:
    """A drawing.

    Args:
        root: The outermost frame, with everything in the drawing; its rows are remarks on the
            whole.
        arrows: Between boxes of any frame.
        across: Whether it reads from left to right rather than downwards.
        groups: The names of the agents that boxes belong to.
        words: The meanings that a legend explains, in its order.
    """

    root: Frame
    arrows: list[Arrow] = field(default_factory=list)
    across: bool = True
    groups: dict[str, str] = field(default_factory=dict)
    words: Mapping[Meaning, str] = field(default_factory=dict)

    def legend(self) -> list[tuple[Meaning, str]]:
        """The meanings that this picture uses, with their explanations."""
        starts = {box.id for box in self.root.walk() if box.role is Role.START}
        one_move = len(starts) == sum(arrow.source in starts for arrow in self.arrows)
        used: set[Meaning] = {
            arrow.stroke
            for arrow in self.arrows
            # Where a run begins in one way, the arrow from its start explains itself.
            if not (one_move and arrow.source in starts)
        }
        used |= {arrow.cover for arrow in self.arrows}
        for box in self.root.walk():
            used |= {box.role, box.mark, box.cover}
            for row in box.rows:
                used |= {row.tone, row.mark, row.cover}
        used |= {row.tone for frame in self.root.frames_within() for row in frame.rows}
        return [(meaning, text) for meaning, text in self.words.items() if meaning in used]


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
