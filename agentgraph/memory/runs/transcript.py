"""The transcript: an append-only log of run items beside the state, and what the model sees of it.

Both grow by what is new. The two differ only after a handoff filter: the log keeps everything, the
model sees what the filter left. The answers to one reply stand in the order of its calls, whenever
each was given: the model is shown none until all of them are there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from agentgraph.handoffs import HandoffInputData
from agentgraph.items import InputItem, ItemHelpers
from agentgraph.memory.transcripts.plain import plainly_legal
from agentgraph.memory.transcripts.repeats import without_repeats
from agentgraph.memory.transcripts.writing import (
    DistinctIds,
    Kept,
    distinct,
    legal_input,
    writable_positions,
)

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem

_FROM_THIS_SIDE = frozenset(
    {"tool_call_output_item", "handoff_output_item", "mcp_approval_response_item", "input_item"}
)
"""Items that a server which keeps the conversation has not seen yet."""


class Transcript:
    """The items of one run.

    Args:
        original: The input as the caller gave it.
        prepared: What the model is shown before anything was generated: session history and input.
        continued: Whether the server keeps the conversation, so that only what is new is sent.

    Attributes:
        turn_input: What the agent at work was given before anything was generated; the same list
            for the life of the run, which contexts of the run share.
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
        self._shown: list[TResponseInputItem] = without_repeats(prepared)
        self._generated: list[RunItem] = []
        self._generated_at_turn = 0
        self._answers: list[tuple[int, RunItem]] = []
        self._added: list[InputItem] = []
        self._converted = 0
        self._base = len(self._shown)
        self.turn_input = self._shown.copy()
        self._delivered = 0
        # What models were shown before each handoff filter that began it anew.
        self._left: list[list[TResponseInputItem]] = []
        self._produced: list[RunItem] = []
        self._replied: set[int] = set()
        self._ids: DistinctIds | None = None

    def prepare(self, shown: list[TResponseInputItem]) -> None:
        """Begin with a history before the caller's input; only before anything was generated."""
        self.history = list(shown)
        self.first_shown = tuple(shown)
        self._shown = shown
        self.turn_input[:] = shown
        self._base = len(shown)
        self._ids = None

    def begin_turn(self) -> None:
        """Mark where the items of the coming turn begin; input that was added stands before it."""
        if self._added:
            self.append(self._added)
            self._added.clear()
        self._convert()
        self.turn_start = len(self.new_items)
        self._generated_at_turn = len(self._generated)
        self._answers.clear()

    def settled(self) -> list[RunItem]:
        """The items of the finished turns, and of a turn cut short the calls that were answered.

        A tool that did its work did it, whatever became of the turn: its call and output are kept
        with what a legal history needs around them, not what was said beside it. A turn without any
        output leaves nothing.
        """
        turn = self.new_items[self.turn_start :]
        items = [item for item in turn if item.type != "tool_approval_item"]
        forms = distinct(item.to_input_item() for item in items)
        kept = writable_positions(forms, kept=Kept.SETTLED)
        return self.new_items[: self.turn_start] + [items[position] for position in kept]

    def append(self, items: Sequence[RunItem]) -> None:
        """Log what was produced."""
        self.new_items += items
        self._generated += items
        self._produced += items

    def has_replied(self, items: Iterable[RunItem]) -> None:
        """Note that items came with a reply: a server that keeps the conversation has them, and the
        outputs of its own calls among them."""
        self._replied.update(map(id, items))

    def add_input(self, items: Iterable[TResponseInputItem]) -> None:
        """Take input that was added while the run was at rest: it is logged where the next turn
        begins, behind the outputs of the calls that a reply asked for."""
        added = without_repeats(list(items))
        self._added += [InputItem(agent=None, raw_item=item) for item in added]
        if len(self.new_items) == self.turn_start:  # this turn has not begun to show anything
            self.begin_turn()

    def ordinals(self, items: Collection[RunItem]) -> tuple[int, ...]:
        """Which of everything produced some items are, counted in the order of production: the log
        puts answers into the order of the calls, and this order never changes."""
        wanted = {id(item): -1 for item in items}
        missing = len(wanted)
        for ordinal in range(len(self._produced) - 1, -1, -1):
            if not missing:
                break
            if id(self._produced[ordinal]) in wanted:
                wanted[id(self._produced[ordinal])] = ordinal
                missing -= 1
        return tuple(wanted.values())

    def produced(self, ordinals: Iterable[int]) -> list[RunItem]:
        """The items that :meth:`ordinals` counted."""
        return [self._produced[ordinal] for ordinal in ordinals]

    def answer(self, call: int, items: Sequence[RunItem]) -> None:
        """Log what a call gave, in front of what later calls of the reply have given already.

        Args:
            call: The place of the call among the calls of the reply.
            items: What it gave.
        """
        answers = self._answers
        if not answers or answers[-1][0] < call:
            self.append(items)
            answers.extend((call, item) for item in items)
            return
        place = next(place for place, (other, _) in enumerate(answers) if other > call)
        later = answers[place][1]
        self._produced += items
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
        return self._shown[self._delivered :] if self.continued else self._shown.copy()

    def _convert(self) -> None:
        """Show what was generated since, without what cannot stand in a history.

        Reasoning at the end of a turn is such: what a later turn brings is not the item it belongs
        to.
        """
        new = self._generated[self._converted :]
        self._converted = len(self._generated)
        if self.continued:
            self._shown += [
                item.to_input_item()
                for item in new
                if item.type in _FROM_THIS_SIDE and id(item) not in self._replied
            ]
        elif new:
            self._shown += self._legal(new, self._shown)

    def _legal(
        self, items: Sequence[RunItem], before: Sequence[TResponseInputItem]
    ) -> list[TResponseInputItem]:
        if self._ids is None:
            self._ids = DistinctIds(before)
        form_of = self._ids.form
        forms = [form_of(item.to_input_item()) for item in items]
        # Nearly every turn is a call with its output, or several, and messages.
        if _is_answered_call(forms):
            return cast("list[TResponseInputItem]", forms)
        standing = [form for form in forms if form is not None]
        if plainly_legal(standing):
            return standing
        positions = writable_positions(forms, before=before)
        return [form for form in map(forms.__getitem__, positions) if form is not None]

    def range(self) -> tuple[int, int, int]:
        """Which part of what models are shown comes next: first, one past the last, and how often
        a handoff filter has begun it anew."""
        return self._delivered, len(self._shown), len(self._left)

    def between(self, first: int, last: int, epoch: int) -> list[TResponseInputItem]:
        """The part of what models were shown that :meth:`range` gave then."""
        log = self._shown if epoch == len(self._left) else self._left[epoch]
        return log[first:last]

    def delivered(self) -> None:
        """Note that the server now has what it was shown."""
        if self.continued:
            self._delivered = len(self._shown)

    def normalized(self) -> list[TResponseInputItem]:
        """The conversation as the model saw it, filters applied."""
        before = self._shown[: self._base]
        return [*before, *legal_input(_forms(self._generated), before)]

    def input_list(self) -> list[TResponseInputItem]:
        """The run as input for another one: its input, then everything that was produced and may
        stand there."""
        before = ItemHelpers.input_to_new_input_list(self.input)
        forms = _forms(self.new_items)
        if self._left:
            # A filter may have kept items as they are in the input that it made.
            kept = list(before)
            forms = [form for form in forms if not _taken(form, kept)]
        return [*before, *legal_input(forms, before)]

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
        self._left.append(self._shown)
        self._shown = without_repeats(ItemHelpers.input_to_new_input_list(self.history))
        self.turn_input[:] = self._shown
        self._base = len(self._shown)
        self._ids = None
        self._delivered = 0
        latest = filtered.new_items if filtered.input_items is None else filtered.input_items
        self._generated = [*filtered.pre_handoff_items, *latest]
        self._converted = 0


def _is_answered_call(forms: Sequence[Any]) -> bool:
    if len(forms) != 2:
        return False
    call, output = forms
    return (
        call is not None
        and output is not None
        and call.get("type") == "function_call"
        and output.get("type") == "function_call_output"
        and type(call["call_id"]) is str
        and call["call_id"] == output["call_id"]
    )


def _forms(items: Iterable[RunItem]) -> list[TResponseInputItem]:
    return [item.to_input_item() for item in items if item.type != "tool_approval_item"]


def _taken(form: TResponseInputItem, kept: list[TResponseInputItem]) -> bool:
    """Take an item out of those that a filter kept, if it is one of them."""
    if form not in kept:
        return False
    kept.remove(form)
    return True
