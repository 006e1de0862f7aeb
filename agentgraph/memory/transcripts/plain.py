"""A shortcut for the long histories that are read again and again, which are nearly all plain.

It knows no more than the automaton: whatever is not plainly legal gets no yes here, and the
automaton judges it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agentgraph.models.fake_id import PLACEHOLDER_IDS

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["PlainTranscript", "plainly_legal"]


class PlainTranscript:
    """A transcript as far as it holds messages and answered function calls, each id once.

    Args:
        items: Input items, oldest first.
    """

    __slots__ = ("_identified", "_ids", "_plain", "_waiting")

    def __init__(self, items: Iterable[TResponseInputItem] = ()) -> None:
        self._ids: set[str] = set()
        self._identified = 0
        self._waiting: set[str] = set()
        self._plain = self._take(items)

    @property
    def legal(self) -> bool:
        """Whether it is plain, and every call has its output."""
        return self._plain and not self._waiting and len(self._ids) == self._identified

    def extend(self, items: Iterable[TResponseInputItem]) -> None:
        """Go on with these items."""
        self._plain = self._plain and self._take(items)

    def pop(self, item: TResponseInputItem) -> None:
        """Take away the latest item."""
        fields: Any = item
        if not self._plain or len(self._ids) != self._identified:
            # Which of equal ids goes is not known here.
            self._plain = False
            return
        if "id" in fields and fields["id"] not in PLACEHOLDER_IDS:
            self._identified -= 1
            self._ids.discard(fields["id"])
        kind = fields.get("type")
        if kind == "function_call":
            self._waiting.discard(fields["call_id"])
        elif kind == "function_call_output":
            self._waiting.add(fields["call_id"])

    def _take(self, items: Iterable[TResponseInputItem]) -> bool:
        ids, waiting = self._ids, self._waiting
        identified = 0
        for item in items:
            fields: Any = item
            kind = fields.get("type")
            if "id" in fields:
                identity = fields["id"]
                if type(identity) is not str:
                    return False
                if identity not in PLACEHOLDER_IDS:
                    identified += 1
                    ids.add(identity)
            if kind == "message" or (kind is None and "role" in fields):
                continue
            call_id = fields.get("call_id")
            if type(call_id) is not str:
                return False
            if kind == "function_call":
                if call_id in waiting:
                    return False
                waiting.add(call_id)
            elif kind == "function_call_output" and call_id in waiting:
                waiting.remove(call_id)
            else:
                return False
        self._identified += identified
        return True


def plainly_legal(items: Iterable[TResponseInputItem]) -> bool:
    """Tell whether a transcript is legal as nearly all are.

    Args:
        items: Input items, oldest first.
    """
    return PlainTranscript(items).legal
