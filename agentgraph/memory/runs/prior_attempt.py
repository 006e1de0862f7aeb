"""The exchange that a history ends with: an input, and what was done about it so far.

A run that failed leaves its input in the session, and the turns it finished. When the same input
comes again, the run goes on from there: the question stands once, and no work is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentgraph.memory.transcripts.automaton import ANSWERED_BY

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["PriorAttempt", "says"]

_OUTPUTS = frozenset(ANSWERED_BY.values())
_NOT_SEEN = -1


@dataclass(slots=True)
class PriorAttempt:
    """Looks back from the end of a session, for the history and for a failed try of the same input.

    A store reads its latest `window` items and gives them to `take`, until that says it is enough.

    Args:
        new: The input of the run.
        limit: How many items of history the model is shown; None: all. The input, and what was done
            about it, do not count: the model is always shown them whole.
        at_work: Tells whether another run is at work on the same input. Asked when the input was
            found, because that run may have stored it just before; then it was not left over.
        tools_answer: Whether the output of a tool may be the answer (`tool_use_behavior`), so that
            an exchange that ends with one is over.

    Attributes:
        window: How many items to read next, of the latest; None: all.
        history: What stood in the session before the input.
        done: What was done about the input before it failed; None if it is not in the session.
        items: The input as it is stored, and what was done about it; empty if it is not there.
        start: The position of the input among the items that were taken last.
        legal: Whether the store knows that the history is a legal transcript.
    """

    new: list[TResponseInputItem]
    limit: int | None = None
    at_work: Callable[[], bool] = bool
    tools_answer: bool = False
    window: int | None = field(init=False)
    history: list[TResponseInputItem] = field(init=False, default_factory=list)
    done: list[TResponseInputItem] | None = field(init=False, default=None)
    items: list[TResponseInputItem] = field(init=False, default_factory=list)
    start: int = field(init=False, default=0)
    legal: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.window = None if self.limit is None else self.limit + len(self.new)

    def take(self, stored: list[TResponseInputItem]) -> bool:
        """Look at the latest items of the session.

        Args:
            stored: So many as were wanted, or all there are; oldest first.

        Returns:
            Whether that was enough. If not, read as many as are `window` now.
        """
        cut = self.window is not None and len(stored) >= self.window
        start = self._start(stored) if self.new else None
        if start == _NOT_SEEN:
            if cut:
                self.window = 4 * len(stored)
                return False
            start = None
        if start is None or self.at_work():
            self.start, self.done = len(stored), None
            self.history = _latest(stored, self.limit)
            return True
        if cut and self.limit is not None and start < self.limit:
            self.window = self.limit + len(stored) - start
            return False
        self.start, self.items = start, stored[start:]
        self.done = self.items[len(self.new) :]
        self.history = _latest(stored[:start], self.limit)
        return True

    def _start(self, stored: Sequence[TResponseInputItem]) -> int | None:
        """Where the input stands that nothing has answered; `_NOT_SEEN` if further back."""
        count, worked = len(self.new), False
        for last in range(len(stored) - 1, -1, -1):
            start = last + 1 - count
            if start < 0:
                break
            if says(stored[last], self.new[-1]) and says(stored[start : last + 1], self.new):
                return None if worked and self.tools_answer else start
            kind = _kind(stored[last])
            worked = worked or kind in _OUTPUTS
            # A message that came with calls is followed by their outputs, and is no answer.
            if kind == "client" or (not worked and kind in ("assistant", "mcp_approval_request")):
                return None
        return _NOT_SEEN if stored else None


def says(stored: Any, given: Any) -> bool:
    """Whether a store made the one of the other, or kept it as it was.

    The Conversations API writes the text of a message as a part, and adds ids and other keys.
    """
    if stored == given:
        return True
    match stored, given:
        case Mapping(), Mapping():
            return all(key in stored and says(stored[key], given[key]) for key in given)
        case [{"text": text}], str():
            return bool(text == given)
        case list(), list():
            return len(stored) == len(given) and all(map(says, stored, given))
    return False


def _kind(item: Any) -> str:
    """The type of an item; of a message who said it."""
    kind = item.get("type")
    if isinstance(kind, str) and kind != "message":
        return kind
    return "assistant" if item.get("role") == "assistant" else "client"


def _latest(items: list[TResponseInputItem], limit: int | None) -> list[TResponseInputItem]:
    return items if limit is None else items[max(0, len(items) - limit) :]
