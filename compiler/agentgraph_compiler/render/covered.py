"""The colours of coverage: which parts of a picture tests have met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from agentgraph_compiler.render.picture import (
    Box,
    Cover,
    Frame,
    Mark,
    Meaning,
    Picture,
    Place,
    Role,
    Stroke,
)

Covers = Mapping[Place, Cover]
_WORDS: Mapping[Meaning, str] = {
    Cover.COVERED: "covered",
    Cover.PARTLY: "partly covered",
    Cover.MISSING: "missing",
    Cover.EXCUSED: "not counted",
}


def covered(picture: Picture, covers: Covers) -> Picture:
    """Colour a picture.

    Args:
        picture: The picture.
        covers: What tests have met, by the place of each part; a part without a place keeps its
            colour.

    Returns:
        The same picture; the legend explains the colours in place of those of boxes and rows.
    """
    words: dict[Meaning, str] = {
        meaning: text
        for meaning, text in picture.words.items()
        if isinstance(meaning, Stroke | Mark)
    }
    arrows = [replace(one, cover=_cover(one.about, covers)) for one in picture.arrows]
    root = _frame(picture.root, covers)
    return replace(picture, root=root, arrows=arrows, words={**_WORDS, **words} if words else {})


def _frame(frame: Frame, covers: Covers) -> Frame:
    boxes = [_box(box, covers) for box in frame.boxes]
    return replace(frame, boxes=boxes, frames=[_frame(one, covers) for one in frame.frames])


def _box(box: Box, covers: Covers) -> Box:
    """A box that tests have met is covered if its rows are."""
    if box.role is Role.START:
        return box
    rows = tuple(replace(row, cover=_cover(row.about, covers)) for row in box.rows)
    own = _cover(box.about, covers)
    if own is Cover.COVERED:
        own = united([own, *(row.cover for row in rows)])
    return replace(box, rows=rows, cover=own)


def _cover(about: Iterable[Place], covers: Covers) -> Cover:
    return united(covers.get(place, Cover.NONE) for place in about)


def united(covers: Iterable[Cover]) -> Cover:
    """What holds for several parts together."""
    parts = set(covers) - {Cover.NONE}
    owed = parts - {Cover.EXCUSED}
    if not owed:
        return Cover.EXCUSED if parts else Cover.NONE
    return owed.pop() if len(owed) == 1 else Cover.PARTLY
