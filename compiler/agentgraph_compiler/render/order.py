"""One order of all boxes, in which the boxes of a frame stand together and most arrows lead on."""

from __future__ import annotations

from collections import deque

from agentgraph_compiler.render.picture import Frame, Picture, Role


def order_of(picture: Picture) -> dict[str, int]:
    """The place of each box: frames and boxes in the order in which arrows first reach them from
    the boxes where runs begin.

    Since the boxes of a frame stand together, the arrows that lead on make no cycle, neither
    between boxes nor between frames.
    """
    starts_first = sorted(picture.root.walk(), key=lambda box: box.role is not Role.START)
    onward: dict[str, list[str]] = {}
    for arrow in picture.arrows:
        onward.setdefault(arrow.source, []).append(arrow.target)
    reached: dict[str, int] = {}
    for first in starts_first:
        waiting = deque([first.id])
        while waiting:
            here = waiting.popleft()
            if here not in reached:
                reached[here] = len(reached)
                waiting.extend(onward.get(here, ()))
    return {box: place for place, box in enumerate(_sorted(picture.root, reached))}


def _sorted(frame: Frame, reached: dict[str, int]) -> list[str]:
    parts = [[box.id] for box in frame.boxes]
    parts += [_sorted(inner, reached) for inner in frame.frames]
    parts.sort(key=lambda part: min((reached[id] for id in part), default=0))
    return [id for part in parts for id in part]
