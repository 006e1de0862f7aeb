"""A part of a picture: one agent and the agents around it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace

from agentgraph_compiler.render.layout import RenderError
from agentgraph_compiler.render.picture import Frame, Picture, Role, Row

_BOXES_OF_AGENTS = frozenset(
    {
        Role.ENTRY,
        Role.AGENT,
        Role.TOOL,
        Role.CODE,
        Role.OUTSIDE,
        Role.FUNCTION,
        Role.QUESTION,
        Role.BRANCHES,
    }
)


def group_of(groups: Mapping[str, str], agent: str) -> str:
    """The key of an agent that a person names.

    Args:
        groups: The names of the agents, by key.
        agent: A name, in any case, or a key.

    Raises:
        RenderError: The picture has no such agent.
    """
    for group, name in groups.items():
        if agent in (group, name):
            return group
    folded = {name.casefold(): group for group, name in groups.items()}
    if agent.casefold() in folded:
        return folded[agent.casefold()]
    near = difflib.get_close_matches(agent.casefold(), folded, 1, 0.5)
    names = ", ".join(dict.fromkeys(groups.values()))
    hint = f"did you mean '{groups[folded[near[0]]]}'?" if near else f"the agents are {names}"
    raise RenderError(f"there is no agent '{agent}'; {hint}")


def around(picture: Picture, agent: str, depth: int) -> Picture:
    """The part of a picture around an agent.

    Args:
        picture: The whole.
        agent: The agent's name or key.
        depth: The most arrows between it and an agent that stays, in either direction.

    Returns:
        The part. A box with further neighbours says how many.

    Raises:
        RenderError: The picture has no such agent.
    """
    group_of_box = {box.id: box.group for box in picture.root.walk()}
    neighbours: dict[str, set[str]] = {}
    for arrow in picture.arrows:
        one, other = group_of_box[arrow.source], group_of_box[arrow.target]
        if one and other and one != other:
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    kept = layer = {group_of(picture.groups, agent)}
    for _ in range(depth):
        layer = {other for one in layer for other in neighbours.get(one, ())} - kept
        kept = kept | layer
    boxes = {id for id, group in group_of_box.items() if group in kept}
    # The ends of a run, and its start, stay where an agent that stays leads to or comes from.
    boxes |= {
        end
        for arrow in picture.arrows
        for end, other in ((arrow.source, arrow.target), (arrow.target, arrow.source))
        if not group_of_box[end] and other in boxes and group_of_box[other]
    }
    hidden = {one: len(neighbours.get(one, set()) - kept) for one in kept}
    return replace(
        picture,
        root=_part(picture.root, boxes, hidden),
        arrows=[one for one in picture.arrows if one.source in boxes and one.target in boxes],
    )


def _part(frame: Frame, boxes: set[str], hidden: Mapping[str, int]) -> Frame:
    kept = []
    for box in frame.boxes:
        if box.id in boxes:
            more = hidden.get(box.group, 0) if box.role in _BOXES_OF_AGENTS else 0
            note = (Row(f"… {more} more neighbour{'s' if more > 1 else ''}"),) if more else ()
            kept.append(replace(box, rows=box.rows + note))
    frames = [_part(inner, boxes, hidden) for inner in frame.frames]
    inner = [one for one in frames if one.boxes or one.frames]
    return replace(frame, boxes=kept, frames=inner)
