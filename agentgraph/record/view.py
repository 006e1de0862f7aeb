"""What work sees of a run: everything that the record holds, and no way to change it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from agentgraph.approvals import CallKey, Decision
from agentgraph.handoffs.input_data import HandoffInputData
from agentgraph.record.facts import ConversationIds
from agentgraph.record.items import approval_item
from agentgraph.record.payloads import Identity, Question, Request
from agentgraph.record.record import Names, Record
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call

if TYPE_CHECKING:
    from agentgraph.guardrail import OutputGuardrailResult
    from agentgraph.items import (
        ModelResponse,
        RunItem,
        ToolApprovalItem,
        TResponseInputItem,
    )


T = TypeVar("T")


class ReadOnly(Sequence[T]):
    """A list that grows elsewhere, to be read; a slice of it is a tuple.

    Args:
        rows: The list.
    """

    __slots__ = ("__rows",)

    def __init__(self, rows: list[T]) -> None:
        self.__rows = rows

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        if isinstance(place, slice):
            return tuple(self.__rows[place])
        return self.__rows[place]

    def __len__(self) -> int:
        return len(self.__rows)

    def __iter__(self) -> Iterator[T]:
        return iter(self.__rows)


class Stored(NamedTuple):
    """What a session has of a run.

    Args:
        shown: What the model was shown first.
        written: The run's items that are written.
        items: The forms in which everything of the run stands.
        block: Where it stands.
    """

    shown: Sequence[TResponseInputItem]
    written: Sequence[RunItem]
    items: Sequence[TResponseInputItem]
    block: Any


class View:
    """A record, read-only.

    Args:
        record: The record; nothing here hands it out.
        names: What symbols stand for.
    """

    __slots__ = ("__names", "__record")

    def __init__(self, record: Record, names: Names) -> None:
        self.__record = record
        self.__names = names

    def payload(self, id: CommandId | None) -> Any:
        """What the outcome of a command brought; ``None`` for no command."""
        return None if id is None else self.__record.payloads[id]

    def payload_or_none(self, id: CommandId) -> Any:
        """What the outcome of a command brought; ``None`` if it has none."""
        return self.__record.payloads.get(id)

    @property
    def reply(self) -> Any:
        """What the last reply brought."""
        record = self.__record
        return None if record.replied is None else record.payloads[record.replied]

    @property
    def replied(self) -> CommandId | None:
        """The id of the outcome that holds the last reply."""
        return self.__record.replied

    @property
    def original_input(self) -> str | list[TResponseInputItem]:
        """The input as the caller gave it, as a list of the reader's own."""
        original = self.__record.transcript.original
        return original if isinstance(original, str) else list(original)

    @property
    def input(self) -> str | list[TResponseInputItem]:
        """The input; after a handoff filter, what it left of it."""
        current = self.__record.transcript.input
        return current if isinstance(current, str) else list(current)

    @property
    def history(self) -> str | list[TResponseInputItem]:
        """What the model was shown before anything was generated."""
        history = self.__record.transcript.history
        return history if isinstance(history, str) else list(history)

    @property
    def items(self) -> ReadOnly[RunItem]:
        """The run's items, oldest first."""
        return ReadOnly(self.__record.transcript.new_items)

    @property
    def raw_responses(self) -> ReadOnly[ModelResponse]:
        """The models' responses, oldest first."""
        return ReadOnly(self.__record.raw_responses)

    @property
    def turn_start(self) -> int:
        """The place of the first item of this turn."""
        return self.__record.transcript.turn_start

    def model_input(self) -> list[TResponseInputItem]:
        """What the model is shown next, as a list of the reader's own."""
        return self.__record.transcript.model_input()

    @property
    def shown(self) -> tuple[int, int, int]:
        """Which part of the log the model is shown next: first, one past the last, epoch."""
        return self.__record.transcript.range()

    def normalized(self) -> list[TResponseInputItem]:
        """The conversation as the model saw it."""
        return self.__record.transcript.normalized()

    def handoff_data(self, transfer: Sequence[RunItem], context: Any) -> HandoffInputData:
        """What a handoff filter is given."""
        return self.__record.transcript.handoff_data(transfer, context)

    @property
    def conversation(self) -> ConversationIds:
        """Which conversation the server keeps now."""
        return self.__record.conversation

    @property
    def identities(self) -> Mapping[str, Identity]:
        """What each call id of the run stands for."""
        return MappingProxyType(self.__record.identities)

    @property
    def attempts(self) -> int:
        """Failed attempts at the model call under way."""
        return self.__record.attempts

    @property
    def acted(self) -> Collection[str]:
        """The agents that have used a tool."""
        return self.__record.acted

    @property
    def turn(self) -> int:
        """Turns begun."""
        return self.__record.turn

    @property
    def requests(self) -> ReadOnly[Request]:
        """What the models were asked, oldest first."""
        return ReadOnly(self.__record.requests)

    def input_of(self, request: Request) -> list[TResponseInputItem]:
        """The input of a request, with the ids of reasoning whatever the run's policy for them."""
        if request.replaced is not None:
            return list(request.replaced)
        return self.__record.transcript.between(request.first, request.last, request.epoch)

    def ordinals(self, items: Collection[RunItem]) -> tuple[int, ...]:
        """Which of everything produced some items are, counted in the order of production."""
        return self.__record.transcript.ordinals(items)

    def stored(self) -> Stored:
        """What the session has of the run."""
        record = self.__record
        return Stored(
            record.transcript.first_shown,
            tuple(record.transcript.produced(record.written)),
            tuple(record.stored),
            record.saved_block,
        )

    def results(self) -> tuple[tuple[Call, Any], ...]:
        """The calls of the last reply that have an answer, with its payload, in call order."""
        record = self.__record
        return tuple(
            (record.calls[lane], record.payloads[record.results[lane]])
            for lane in sorted(record.results)
        )

    def settled(self) -> list[RunItem]:
        """The items of finished turns, and of a turn cut short the calls that were answered."""
        return self.__record.transcript.settled()

    @property
    def output_tripped(self) -> OutputGuardrailResult | None:
        """What the output guardrail said that stopped the run."""
        verdicts = self.__record.output_guardrail_results
        return next((one for one in verdicts if one.output.tripwire_triggered), None)

    @property
    def recovered(self) -> bool:
        """Whether an error handler gave the final output."""
        return self.__record.recovered

    def ruling_on(self, key: CallKey, tool: tuple[str, str], content: str) -> Decision | None:
        """What was decided about a call."""
        return self.__record.ledger.ruling_on(key, tool, content)

    def approval_item(self, question: Question) -> ToolApprovalItem:
        """The item with which a person is asked about a call."""
        return approval_item(question, self.__names)
