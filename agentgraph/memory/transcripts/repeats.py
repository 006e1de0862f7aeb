"""Repeated items in a caller's input: each is sent once, in its latest form.

Two items are the same if their type and id are equal: the call id of a call or of an output, the id
of reasoning, of a hosted call or of a reference. Equal messages are not repeats. A call, and the
reasoning that leads to it, keeps its first place; other items keep their last place, so that an
output stays after its call. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from agentgraph.memory.transcripts.automaton import ANSWERED_BY, CALL_OF, keys_of, kind_of
from agentgraph.models.fake_id import has_placeholder_id

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["without_repeats"]

_LEADING = frozenset({*ANSWERED_BY, "reasoning"})


def without_repeats(items: list[TResponseInputItem]) -> list[TResponseInputItem]:
    """Remove repeated items.

    Args:
        items: Items in input form; neither the list nor an item is changed.

    Returns:
        The list itself if nothing is repeated, else a new list of the same item objects.
    """
    if _plainly_distinct(items):
        return items
    keys = [_key(item) for item in items]
    named = [key for key in keys if key is not None]
    if len(set(named)) == len(named):
        return items
    last = {key: place for place, key in enumerate(keys)}
    first = {key: place for place, key in reversed([*enumerate(keys)])}
    remaining = []
    for place, (key, item) in enumerate(zip(keys, items, strict=True)):
        if key is None:
            remaining.append(item)
        elif place == (first if kind_of(item) in _LEADING else last)[key]:
            remaining.append(items[last[key]])
    return remaining


def _plainly_distinct(items: list[TResponseInputItem]) -> bool:
    """Tell in one pass whether all items are messages or function calls without a repeat.

    Nearly all histories are like that, and they may be long.
    """
    calls: list[tuple[str, str]] = []
    for item in items:
        if type(item) is not dict:
            return False
        fields: Mapping[str, object] = item
        kind = fields.get("type")
        if kind == "function_call" or kind == "function_call_output":
            call_id = fields.get("call_id")
            if type(call_id) is not str or not call_id:
                return False
            calls.append((kind, call_id))
        elif kind != "message" and (kind is not None or "role" not in fields):
            return False
    return len(set(calls)) == len(calls)


def _key(item: object) -> Hashable:
    """The identity of an item; ``None`` for an item that is never a repeat."""
    if not isinstance(item, Mapping):
        return None
    kind = kind_of(item)
    if kind == "message":
        return None
    answers = kind in CALL_OF
    if answers or kind in ANSWERED_BY:
        keys = keys_of(CALL_OF.get(kind, kind), item, output=answers)
        if keys:
            return answers, keys[0]
    identity = item.get("id")
    if not isinstance(identity, str) or has_placeholder_id(item):
        return None
    return kind, identity
