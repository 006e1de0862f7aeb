"""Items as references into the log of a run, for the result of a handoff filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.items import HandoffOutputItem, ToolCallItem, ToolCallOutputItem
from agentgraph.record.payloads import LogItem

if TYPE_CHECKING:
    from agentgraph.items import RunItem
    from agentgraph.items.tool_origin import ToolOrigin


def references(
    items: Sequence[RunItem], log: Sequence[RunItem], agent_id: Callable[[Any], str]
) -> tuple[LogItem, ...]:
    """Items as references into the log; items that a filter made are stored whole.

    Args:
        items: The items.
        log: The run's log, with the items that the handoff is about to add.
        agent_id: Returns the id of an agent.
    """
    places = {id(item): place for place, item in enumerate(log)}
    return tuple(_reference(item, places, agent_id) for item in items)


def _reference(item: RunItem, places: Mapping[int, int], agent_id: Callable[[Any], str]) -> LogItem:
    place = places.get(id(item))
    if place is not None:
        return LogItem(place)
    more: dict[str, Any] = {}
    if item.type == HandoffOutputItem.type:
        more = {name: agent_id(getattr(item, name)) for name in ("source_agent", "target_agent")}
    elif item.type == ToolCallOutputItem.type:
        more = {"output": item.output, "custom_data": item.custom_data}
    elif item.type == ToolCallItem.type:
        more = {"description": item.description, "title": item.title}
    origin: ToolOrigin | None = getattr(item, "tool_origin", None)
    if origin is not None:
        more["tool_origin"] = origin.to_json_dict()
    return LogItem(
        place=-1, kind=item.type, agent=agent_id(item.agent), raw=item.raw_item, more=more or None
    )
