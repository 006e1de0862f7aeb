"""Bundles: many like arrows from one box become one arrow to a frame around their targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil, sqrt

from agentgraph_compiler.render.picture import Arrow, Box, Frame, Meaning, Picture, Role, Stroke

_FEWEST_BOXES = 13
"""A smaller picture is clear with an arrow to each box."""
_FEWEST_TARGETS = 4


@dataclass(frozen=True, slots=True)
class Bundle:
    """A frame whose boxes a single arrow reaches.

    Args:
        arrow: The arrow; its target is the frame.
        lines: The ids of the boxes, in lines along the direction in which the picture reads.
    """

    arrow: Arrow
    lines: tuple[tuple[str, ...], ...]


def bundled(picture: Picture) -> tuple[Picture, tuple[Bundle, ...]]:
    """Bundle the arrows of a large picture.

    Args:
        picture: The picture.

    Returns:
        The picture with a frame for each bundle and without the bundled arrows, and the bundles.
        The arrow to a frame stands for one to each box in it.
    """
    boxes = {box.id: box for box in picture.root.walk()}
    if len(boxes) < _FEWEST_BOXES:
        return picture, ()
    frame_of = dict(_frames(picture.root))
    uses = Counter(end for arrow in picture.arrows for end in (arrow.source, arrow.target))
    alike: dict[tuple[object, ...], list[Arrow]] = {}
    for arrow in picture.arrows:
        leaf = boxes[arrow.target]
        if uses[leaf.id] == 1 and leaf.role is not Role.START:
            key = (
                arrow.source,
                arrow.stroke,
                arrow.label,
                arrow.both,
                arrow.cover,
                frame_of[leaf.id],
            )
            alike.setdefault(key, []).append(arrow)
    many = [arrows for arrows in alike.values() if len(arrows) >= _FEWEST_TARGETS]
    bundles: list[Bundle] = []
    inside: dict[str, list[Frame]] = {}
    for arrows in many:
        id = f"all_{arrows[0].target}"
        targets = [arrow.target for arrow in arrows]
        frame = Frame(id, "", [boxes[target] for target in targets])
        inside.setdefault(frame_of[targets[0]], []).append(frame)
        lines = _lines(targets, picture.across, len(many))
        bundles.append(Bundle(replace(arrows[0], target=id), lines))
    moved = {box.id for frames in inside.values() for frame in frames for box in frame.boxes}
    root = _with_frames(picture.root, inside, moved)
    arrows = [arrow for arrow in picture.arrows if arrow.target not in moved]
    return replace(picture, root=root, arrows=arrows), tuple(bundles)


def legend_of(picture: Picture) -> list[tuple[Meaning, str]]:
    """The legend of a picture whose arrows are bundled."""
    entries = picture.legend()
    if entries and bundled(picture)[1]:
        entries.append((Stroke.EACH, "one to each agent in the frame"))
    return entries


def _frames(frame: Frame) -> Iterable[tuple[str, str]]:
    for box in frame.boxes:
        yield box.id, frame.id
    for inner in frame.frames:
        yield from _frames(inner)


def _with_frames(frame: Frame, inside: dict[str, list[Frame]], moved: set[str]) -> Frame:
    frames = [_with_frames(inner, inside, moved) for inner in frame.frames]
    stay: list[Box] = [box for box in frame.boxes if box.id not in moved]
    return replace(frame, boxes=stay, frames=[*frames, *inside.get(frame.id, ())])


def _lines(ids: list[str], across: bool, bundles: int) -> tuple[tuple[str, ...], ...]:
    """Boxes in lines, so that all bundles together are about as wide as high: a box is wider than
    high, and bundles stand across the direction in which the picture reads.
    """
    columns = max(2, round(sqrt(len(ids) * (0.6 * bundles if across else 0.6 / bundles))))
    longest = columns if across else ceil(len(ids) / columns)
    length = ceil(len(ids) / ceil(len(ids) / longest))
    return tuple(tuple(ids[first : first + length]) for first in range(0, len(ids), length))
