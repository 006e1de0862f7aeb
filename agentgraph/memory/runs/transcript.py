"""The transcript: an append-only log of run items beside the state, and the model's view of it.

Both only grow. They differ only after a handoff filter: the log keeps everything, the model sees
the result of the filter. The answers to one reply stand in the order of its calls, whatever the
order in which they came: the model sees none of them before all are there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from agentgraph.handoffs import HandoffInputData
from agentgraph.items import InputItem, ItemHelpers
from agentgraph.items.model_input import Conversions, ModelInput
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
    from agentgraph.items.question_item import Interruption
    from agentgraph.run_context import RunContextWrapper

_FROM_THIS_SIDE = frozenset(
    {"tool_call_output_item", "handoff_output_item", "mcp_approval_response_item", "input_item"}
)
"""The types of items that are new to a server that keeps the conversation."""


_input_form = methodcaller("to_input_item")


class Transcript:
    """The items of one run.

    Args:
        original: The input as the caller gave it.
        prepared: The first input of the model: session history and input.
        continued: Whether the server keeps the conversation, so that only new items are sent.

    Attributes:
        turn_input: The first input of the agent at work. It is one list for the whole run, which
            all contexts of the run share.
    """

    __slots__ = (
        "_added",
        "_answers",
        "_base",
        "_conversions",
        "_converted",
        "_delivered",
        "_earlier",
        "_generated",
        "_generated_at_turn",
        "_ids",
        "_log",
        "_produced",
        "_replied",
        "continued",
        "first_shown",
        "history",
        "input",
        "new_items",
        "original",
        "turn_input",
        "turn_start",
    )

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
        self._log: list[TResponseInputItem] = without_repeats(prepared)
        self._generated: list[RunItem] = []
        self._generated_at_turn = 0
        self._answers: list[tuple[int, RunItem]] = []
        self._added: list[InputItem] = []
        self._converted = 0
        self._base = len(self._log)
        self.turn_input = self._log.copy()
        self._delivered = 0
        # The inputs of models up to each handoff filter, which started a new one.
        self._earlier: list[list[TResponseInputItem]] = []
        self._produced: list[RunItem] = []
        self._replied: set[int] | None = None
        self._ids: DistinctIds | None = None
        self._conversions: Conversions = {}

    def prepare(self, items: list[TResponseInputItem]) -> None:
        """Set the model's first input, with a history; only before the run has produced items."""
        self.history = list(items)
        self.first_shown = tuple(items)
        self._log = items
        self.turn_input[:] = items
        self._base = len(items)
        self._ids = None

    def begin_turn(self) -> None:
        """Mark the start of the next turn; input that was added comes before it."""
        if self._added:
            self.append(self._added)
            self._added.clear()
        self._convert()
        self.turn_start = len(self.new_items)
        self._generated_at_turn = len(self._generated)
        self._answers.clear()

    def settled(self) -> list[RunItem]:
        """The items of finished turns, and the answered calls of a turn that was cut short.

        A tool has done its work even if its turn was cut short. Its call and output are kept with
        the items that a legal history needs around them, but without messages of the model. A turn
        without any output leaves nothing.
        """
        turn = self.new_items[self.turn_start :]
        items = [item for item in turn if item.type != "tool_approval_item"]
        forms = distinct(item.to_input_item() for item in items)
        positions = writable_positions(forms, kept=Kept.SETTLED)
        return self.new_items[: self.turn_start] + [items[position] for position in positions]

    def drop_unsettled(self) -> None:
        """Keep what is settled of a turn that was cut short: the run goes on without it."""
        kept = self.settled()
        settled = set(map(id, kept[self.turn_start :]))
        mark = self._generated_at_turn
        self.new_items[self.turn_start :] = kept[self.turn_start :]
        self._generated[mark:] = [one for one in self._generated[mark:] if id(one) in settled]
        self.begin_turn()

    def append(self, items: Sequence[RunItem]) -> None:
        """Log new items."""
        self.new_items += items
        self._generated += items
        self._produced += items

    def note_reply(self, items: Iterable[RunItem]) -> None:
        """Note items that came with a reply, outputs of the server's own calls included: a server
        that keeps the conversation has them already."""
        if self._replied is None:
            self._replied = set()
        self._replied.update(map(id, items))

    def add_input(self, items: Iterable[TResponseInputItem]) -> None:
        """Take input that was added while the run was at rest.

        It is logged at the start of the next turn, after the outputs of the reply's calls.
        """
        added = without_repeats(list(items))
        no_agent: Any = None  # the program added them, not a model
        self._added += [InputItem(agent=no_agent, raw_item=item) for item in added]
        if len(self.new_items) == self.turn_start:  # the turn has no items yet
            self.begin_turn()

    def ordinals(self, items: Collection[RunItem]) -> tuple[int, ...]:
        """The ordinals of some items in the order of production.

        That order never changes, while the log sorts answers into the order of the calls.
        """
        ordinal_of = {id(item): -1 for item in items}
        remaining = len(ordinal_of)
        for ordinal in range(len(self._produced) - 1, -1, -1):
            if not remaining:
                break
            if id(self._produced[ordinal]) in ordinal_of:
                ordinal_of[id(self._produced[ordinal])] = ordinal
                remaining -= 1
        return tuple(ordinal_of.values())

    def produced(self, ordinals: Iterable[int]) -> list[RunItem]:
        """The items with some ordinals (:meth:`ordinals`)."""
        return [self._produced[ordinal] for ordinal in ordinals]

    def answer(self, call: int, item: RunItem) -> None:
        """Log the item that answers a call, before those of later calls of the reply.

        Args:
            call: The place of the call among the calls of the reply.
            item: Its item.
        """
        answers = self._answers
        if not answers or answers[-1][0] < call:
            self.append((item,))
            answers.append((call, item))
            return
        place = next(place for place, (other, _) in enumerate(answers) if other > call)
        later = answers[place][1]
        self._produced.append(item)
        for log in (self.new_items, self._generated):
            log.insert(next(at for at in range(len(log) - 1, -1, -1) if log[at] is later), item)
        answers.insert(place, (call, item))

    def note(self, items: Iterable[Interruption]) -> None:
        """Log items that no model sees: the calls that wait for a decision, each once. The question
        of a workflow is no item of the conversation."""
        calls = [item for item in items if item.type == "tool_approval_item"]
        logged = {id(item.raw_item) for item in self.new_items if item.type == "tool_approval_item"}
        self.new_items += [item for item in calls if id(item.raw_item) not in logged]

    def model_input(self) -> tuple[list[TResponseInputItem], tuple[int, int, int]]:
        """The next input of the model.

        Returns:
            A new list of shared items, and the part of the models' input that it is: the first
            item, one past the last, and how many times a handoff filter has replaced the input.
        """
        log, first = self._log, self._delivered
        part = first, len(log), len(self._earlier)
        if self.continued:
            return log[first:], part
        return ModelInput(log, self._conversions), part

    def _convert(self) -> None:
        """Add the new items to the model's input, except those that cannot stand in a history.

        One such item is reasoning at the end of a turn: the items of a later turn do not belong to
        it.
        """
        new = self._generated[self._converted :]
        self._converted = len(self._generated)
        if self.continued:
            replied = self._replied or ()
            self._log += [
                item.to_input_item()
                for item in new
                if item.type in _FROM_THIS_SIDE and id(item) not in replied
            ]
        elif new:
            self._log += self._legal(new, self._log)

    def _legal(
        self, items: Sequence[RunItem], before: Sequence[TResponseInputItem]
    ) -> list[TResponseInputItem]:
        if self._ids is None:
            self._ids = DistinctIds(before)
        form_of = self._ids.form
        forms: list[Any] = [
            form_of(form) if "id" in form else form for form in map(_input_form, items)
        ]
        # Nearly every turn consists of calls with their outputs, and messages.
        if _is_answered_call(forms):
            return forms
        standing = [form for form in forms if form is not None]
        if plainly_legal(standing):
            return standing
        positions = writable_positions(forms, before=before)
        return [form for form in map(forms.__getitem__, positions) if form is not None]

    def between(self, first: int, last: int, epoch: int) -> list[TResponseInputItem]:
        """A part of the models' input, as :meth:`model_input` described it then."""
        log = self._log if epoch == len(self._earlier) else self._earlier[epoch]
        return log[first:last]

    def delivered(self) -> None:
        """Note that the server now has the whole input so far."""
        if self.continued:
            self._delivered = len(self._log)

    def normalized(self) -> list[TResponseInputItem]:
        """The conversation as the model saw it, after filters."""
        before = self._log[: self._base]
        return [*before, *legal_input(_forms(self._generated), before)]

    def input_list(self) -> list[TResponseInputItem]:
        """The run as input for another run: its input, then all its items that may stand there."""
        before = ItemHelpers.input_to_new_input_list(self.input)
        forms = _forms(self.new_items)
        if self.input is not self.original:
            # A filter may have copied items unchanged into the input that it made.
            copied = list(before)
            forms = [form for form in forms if not _remove(form, copied)]
        return [*before, *legal_input(forms, before)]

    def handoff_data(
        self, transfer: Sequence[RunItem], context: RunContextWrapper[Any] | None
    ) -> HandoffInputData:
        """The argument of a handoff filter.

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

    def restart(self, input: str | tuple[TResponseInputItem, ...]) -> None:
        """Make a text or items the input of the next model; the log and the run's input stay as
        they are."""
        whole = self.input
        self.rebase(HandoffInputData(input_history=input, pre_handoff_items=(), new_items=()))
        self.input = whole

    def rebase(self, filtered: HandoffInputData) -> None:
        """Make the result of a filter the model's input; the log keeps everything."""
        history = filtered.input_history
        self.input = self.history = history if isinstance(history, str) else list(history)
        self._earlier.append(self._log)
        self._log = without_repeats(ItemHelpers.input_to_new_input_list(self.history))
        self.turn_input[:] = self._log
        self._base = len(self._log)
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


def _remove(form: TResponseInputItem, items: list[TResponseInputItem]) -> bool:
    """Remove an item from a list if it is there; return whether it was."""
    if form not in items:
        return False
    items.remove(form)
    return True
