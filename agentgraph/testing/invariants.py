"""What holds of the items of a conversation at every moment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["faults_of_items", "faults_of_order"]


def faults_of_items(
    items: Iterable[Mapping[str, Any]], *, is_open: bool, reused: Collection[str] = ()
) -> Iterator[str]:
    """What is wrong with the items of a session.

    Args:
        items: The items, oldest first.
        is_open: Whether the last run has not answered, so that calls may have no output yet.
        reused: The call ids that a model has used again.
    """
    calls: dict[str, str] = {}
    outputs: set[str] = set()
    for item in items:
        kind, call_id = item.get("type", "message"), item.get("call_id")
        if call_id is None or call_id in reused:
            continue
        if not kind.endswith("_output"):
            if call_id in calls:
                yield f"the call {call_id!r} stands twice"
            calls[call_id] = item.get("name", kind)
        elif call_id not in calls:
            yield f"the output of {call_id!r} stands without or before its call"
        elif call_id in outputs:
            yield f"the call {call_id!r} has two outputs"
        if kind.endswith("_output"):
            outputs.add(call_id)
    if not is_open:
        for call_id, name in calls.items():
            if call_id not in outputs:
                yield f"the call {call_id!r} of {name} has no output"


def faults_of_order(
    before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What is wrong with a history that has grown: its earlier items must stand as they did."""
    for place, (old, new) in enumerate(zip(before, now, strict=False), 1):
        if old != new:
            yield f"item {place} was {_word(old)}, and is {_word(new)}"
            return
    if len(now) < len(before):
        yield f"the session had {len(before)} items, and has {len(now)}"


def _word(item: Mapping[str, Any]) -> str:
    kind = item.get("type", "message")
    return f"{kind} {item.get('call_id') or item.get('role') or ''}".strip()
