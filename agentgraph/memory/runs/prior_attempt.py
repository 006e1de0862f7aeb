"""A prior attempt at the end of a history: an input, and the work on it so far.

A run that failed leaves its input and its finished turns in the session. A new run with the same
input continues there: the input is stored once, and no work is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agentgraph.memory.runs.saves import Block
from agentgraph.memory.transcripts.automaton import ANSWERED_BY

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["PriorAttempt", "is_stored_form"]

_OUTPUTS = frozenset(ANSWERED_BY.values())
_NOT_SEEN = -1


@dataclass(slots=True)
class PriorAttempt:
    """Searches the end of a session for the history and a failed attempt with the same input.

    A store reads its latest `window` items and passes them to `take`, until that returns True.

    Args:
        new: The input of the run.
        limit: The number of history items that the model sees; None: all. The input and the work on
            it do not count: the model always sees all of them.
        tools_answer: Whether the output of a tool may be the answer (`tool_use_behavior`); then an
            attempt that ends with one is complete.
        block: The block that the run begins if there is no prior attempt.
        adopts: Whether to look for a prior attempt.

    Attributes:
        window: How many of the latest items to read next; None: all.
        history: The items of the session before the input.
        done: The work of the prior attempt; None if there is no prior attempt.
        items: The stored input and the work of the prior attempt; empty if there is none.
        start: The position of the input among the items of the last `take`.
        legal: Whether the store knows that the history is a legal transcript.
    """

    new: list[TResponseInputItem]
    limit: int | None = None
    tools_answer: bool = False
    block: Block = field(default_factory=Block.begun)
    adopts: bool = True
    window: int | None = field(init=False)
    history: list[TResponseInputItem] = field(init=False, default_factory=list)
    done: list[TResponseInputItem] | None = field(init=False, default=None)
    items: list[TResponseInputItem] = field(init=False, default_factory=list)
    start: int = field(init=False, default=0)
    legal: bool = field(init=False, default=False)
    _read: list[TResponseInputItem] = field(init=False, default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self.window = None if self.limit is None else self.limit + len(self.new)

    def take(self, latest: list[TResponseInputItem]) -> bool:
        """Search the latest items of the session.

        Args:
            latest: The latest `window` items, or all there are; oldest first.

        Returns:
            Whether that was enough. If not, read `window` items, which has grown.
        """
        cut = self.window is not None and len(latest) >= self.window
        start = self._start(latest) if self.new and self.adopts else None
        if start == _NOT_SEEN:
            if cut:
                self.window = 4 * len(latest)
                return False
            start = None
        self._read = latest
        if start is None:
            self.decline()
            return True
        if cut and self.limit is not None and start < self.limit:
            self.window = self.limit + len(latest) - start
            return False
        self.start, self.items = start, latest[start:]
        self.done = self.items[len(self.new) :]
        self.history = _latest(latest[:start], self.limit)
        return True

    def decline(self) -> None:
        """Treat what was found as history: another run works on the same input."""
        self.start, self.done, self.items = len(self._read), None, []
        self.history = _latest(self._read, self.limit)

    def _start(self, latest: Sequence[TResponseInputItem]) -> int | None:
        """The position of the unanswered input; None if there is none, `_NOT_SEEN` to read on."""
        count, worked = len(self.new), False
        for last in range(len(latest) - 1, -1, -1):
            start = last + 1 - count
            if start < 0:
                break
            if is_stored_form(latest[last], self.new[-1]) and is_stored_form(
                latest[start : last + 1], self.new
            ):
                return None if worked and self.tools_answer else start
            kind = _kind(latest[last])
            worked = worked or kind in _OUTPUTS
            # A message beside calls has their outputs after it, so it is not an answer.
            if kind == "client" or (not worked and kind in ("assistant", "mcp_approval_request")):
                return None
        return _NOT_SEEN if latest else None


def is_stored_form(stored: object, item: object) -> bool:
    """Whether `stored` is the form in which a store keeps `item`.

    The Conversations API stores the text of a message as a part, and adds ids and other keys.
    """
    if stored == item:
        return True
    match stored, item:
        case Mapping(), Mapping():
            return all(key in stored and is_stored_form(stored[key], item[key]) for key in item)
        case [{"text": text}], str():
            return bool(text == item)
        case list(), list():
            return len(stored) == len(item) and all(map(is_stored_form, stored, item))
    return False


def _kind(item: TResponseInputItem) -> str:
    """The type of an item; for a message, its author."""
    kind = item.get("type")
    if isinstance(kind, str) and kind != "message":
        return kind
    return "assistant" if item.get("role") == "assistant" else "client"


def _latest(items: list[TResponseInputItem], limit: int | None) -> list[TResponseInputItem]:
    return items if limit is None else items[max(0, len(items) - limit) :]
