"""The transcript: an append-only log of run items beside the state, and what the model sees of it.

Both grow by what is new. The two differ only after a handoff filter: the log keeps everything, the
model sees what the filter left. The answers to one reply stand in the order of its calls, whenever
each was given: until all of them are there, nobody has been shown any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.handoffs import HandoffInputData
from agentgraph.items import ItemHelpers
from agentgraph.memory.transcript import repair

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem

_FROM_THIS_SIDE = frozenset(
    {"tool_call_output_item", "handoff_output_item", "mcp_approval_response_item"}
)
"""Items that a server which keeps the conversation has not seen yet."""


class Transcript:
    """The items of one run.

    Args:
        original: The input as the caller gave it.
        prepared: What the model is shown before anything was generated: session history and input.
        continued: Whether the server keeps the conversation, so that only what is new is sent.
    """

    def __init__(
        self,
        original: str | list[TResponseInputItem],
        prepared: list[TResponseInputItem],
        *,
        continued: bool = False,
    ) -> None:
        self.input = self.original = original
        self.first_shown = tuple(prepared)
        self.new_items: list[RunItem] = []
        self.turn_start = 0
        self.continued = continued
        alone = isinstance(original, str) and len(prepared) == 1
        self.history: str | list[TResponseInputItem] = original if alone else list(prepared)
        self._shown: list[TResponseInputItem] = prepared
        self._generated: list[RunItem] = []
        self._generated_at_turn = 0
        self._answers: list[tuple[int, RunItem]] = []
        self._converted = 0
        self._base = len(prepared)
        self._delivered = 0

    def prepare(self, shown: list[TResponseInputItem]) -> None:
        """Begin with a history before the caller's input; only before anything was generated."""
        self.history = list(shown)
        self.first_shown = tuple(shown)
        self._shown = shown
        self._base = len(shown)

    def begin_turn(self) -> None:
        """Mark where the items of the coming turn begin."""
        self.turn_start = len(self.new_items)
        self._generated_at_turn = len(self._generated)
        self._answers.clear()

    def settled(self) -> list[RunItem]:
        """The items of the finished turns, and of a turn cut short the calls that were answered.

        A tool that did its work did it, whatever became of the turn: its call and output are kept
        with what a legal history needs around them, not what was said beside it. A turn without any
        output leaves nothing.
        """
        latest = [
            item
            for item in unsaid(self.new_items[self.turn_start :])
            if item.type != "tool_approval_item"
        ]
        before = self.new_items[: self.turn_start]
        if not any(item.type == "tool_call_output_item" for item in latest):
            return before
        forms = [item.to_input_item() for item in latest]
        kept = {id(form) for form in repair(forms).items}
        return before + [item for item, form in zip(latest, forms, strict=True) if id(form) in kept]

    def append(self, items: Iterable[RunItem]) -> None:
        """Log what was produced."""
        for item in items:
            self.new_items.append(item)
            self._generated.append(item)

    def answer(self, call: int, items: Sequence[RunItem]) -> None:
        """Log what a call gave, in front of what later calls of the reply have given already.

        Args:
            call: The place of the call among the calls of the reply.
            items: What it gave.
        """
        answers = self._answers
        if not answers or answers[-1][0] < call:
            self.append(items)
            answers += [(call, item) for item in items]
            return
        place = next(place for place, (other, _) in enumerate(answers) if other > call)
        later = answers[place][1]
        for log in (self.new_items, self._generated):
            here = next(at for at in range(len(log) - 1, -1, -1) if log[at] is later)
            log[here:here] = items
        answers[place:place] = [(call, item) for item in items]

    def note(self, items: Iterable[RunItem]) -> None:
        """Log what no model is shown: the calls that wait for a decision, each once."""
        noted = {id(item.raw_item) for item in self.new_items if item.type == "tool_approval_item"}
        self.new_items += [item for item in items if id(item.raw_item) not in noted]

    def model_input(self) -> list[TResponseInputItem]:
        """What the model is shown next; a list of the caller's own, its items shared."""
        for item in self._generated[self._converted :]:
            if not self.continued or item.type in _FROM_THIS_SIDE:
                self._shown.append(item.to_input_item())
        self._converted = len(self._generated)
        return self._shown[self._delivered :] if self.continued else self._shown.copy()

    def delivered(self) -> None:
        """Note that the server now has what it was shown."""
        if self.continued:
            self._delivered = len(self._shown)

    def normalized(self) -> list[TResponseInputItem]:
        """The conversation as the model saw it, filters applied."""
        return [*self._shown[: self._base], *(item.to_input_item() for item in self._generated)]

    def handoff_data(self, transfer: Sequence[RunItem], context: Any) -> HandoffInputData:
        """What a handoff filter is given.

        Args:
            transfer: The items of the handoff itself.
            context: The run's context.
        """
        history = self.history
        mark = self._generated_at_turn
        return HandoffInputData(
            input_history=history if isinstance(history, str) else tuple(history),
            pre_handoff_items=tuple(self._generated[:mark]),
            new_items=(*self._generated[mark:], *transfer),
            run_context=context,
        )

    def rebase(self, filtered: HandoffInputData) -> None:
        """Show the model what a filter left; the log keeps everything."""
        history = filtered.input_history
        self.input = self.history = history if isinstance(history, str) else list(history)
        self._shown = ItemHelpers.input_to_new_input_list(self.history)
        self._base = len(self._shown)
        latest = filtered.new_items if filtered.input_items is None else filtered.input_items
        self._generated = [*filtered.pre_handoff_items, *latest]
        self._converted = 0


def unsaid(items: Sequence[RunItem]) -> list[RunItem]:
    """Leave out what was said, and the reasoning that led to it: no other item may follow that."""
    kept: list[RunItem] = []
    for item in items:
        if item.type == "message_output_item":
            while kept and kept[-1].type == "reasoning_item":
                kept.pop()
        else:
            kept.append(item)
    return kept
