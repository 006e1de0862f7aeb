"""A fast check for plain histories, since long ones are read often and nearly all are plain.

It accepts only transcripts that are plainly legal; the automaton judges all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from agentgraph.models.fake_id import PLACEHOLDER_IDS, has_placeholder_id

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["PlainTranscript", "plainly_legal"]


class PlainTranscript:
    """A check of a transcript of messages and answered function calls, with each id once.

    Args:
        items: Input items, oldest first.
    """

    __slots__ = ("_identified", "_ids", "_open_calls", "_plain")

    def __init__(self, items: Iterable[TResponseInputItem] = ()) -> None:
        self._ids: set[str] = set()
        self._identified = 0
        self._open_calls: set[str] = set()
        self._plain = self._take(items)

    @property
    def legal(self) -> bool:
        """Whether the transcript is plain and every call has its output."""
        return self._plain and not self._open_calls and len(self._ids) == self._identified

    def extend(self, items: Iterable[TResponseInputItem]) -> None:
        """Check further items."""
        self._plain = self._plain and self._take(items)

    def pop(self, fields: Mapping[str, Any]) -> None:
        """Remove the latest item."""
        if not self._plain or len(self._ids) != self._identified:
            # With equal ids, the set cannot tell which one goes.
            self._plain = False
            return
        if "id" in fields and not has_placeholder_id(fields):
            self._identified -= 1
            self._ids.discard(fields["id"])
        kind = fields.get("type")
        if kind == "function_call":
            self._open_calls.discard(fields["call_id"])
        elif kind == "function_call_output":
            self._open_calls.add(fields["call_id"])

    def _take(self, items: Iterable[TResponseInputItem]) -> bool:
        ids, open_calls = self._ids, self._open_calls
        identified = 0
        for item in items:
            fields: Mapping[str, Any] = item
            kind = fields.get("type")
            if "id" in fields:
                identity = fields["id"]
                if type(identity) is not str:
                    return False
                if identity not in PLACEHOLDER_IDS and identity != fields.get("call_id"):
                    identified += 1
                    ids.add(identity)
            if kind == "message" or (kind is None and "role" in fields):
                continue
            call_id = fields.get("call_id")
            if type(call_id) is not str:
                return False
            if kind == "function_call":
                if call_id in open_calls:
                    return False
                open_calls.add(call_id)
            elif kind == "function_call_output" and call_id in open_calls:
                open_calls.remove(call_id)
            else:
                return False
        self._identified += identified
        return True


def plainly_legal(items: Iterable[TResponseInputItem]) -> bool:
    """Tell whether a transcript is plain and legal.

    Args:
        items: Input items, oldest first.
    """
    return PlainTranscript(items).legal
