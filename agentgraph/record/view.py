"""The record as work reads it: everything in it, and no way to change it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import CallKey, Decision
from agentgraph.handoffs.input_data import HandoffInputData
from agentgraph.items.read_only import ReadOnly
from agentgraph.record.facts import ConversationIds
from agentgraph.record.items import interruption
from agentgraph.record.payloads import Identity, Question, Request
from agentgraph.record.record import Names, Record
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call

if TYPE_CHECKING:
    from agentgraph.guardrail import OutputGuardrailResult
    from agentgraph.items import (
        ModelResponse,
        RunItem,
        TResponseInputItem,
    )
    from agentgraph.items.question_item import Interruption
    from agentgraph.run_context import RunContextWrapper


class Stored(NamedTuple):
    """The part of a run that its session holds.

    Args:
        first_input: The items that the model saw first.
        written: The run's items in the session.
        items: The stored forms of everything of the run.
        block: The block that holds them.
    """

    first_input: Sequence[TResponseInputItem]
    written: Sequence[RunItem]
    items: Sequence[TResponseInputItem]
    block: Any


class View:
    """A read-only record.

    Args:
        record: The record; no method returns it.
        names: Resolves symbols.
    """

    __slots__ = ("__names", "__record")

    def __init__(self, record: Record, names: Names) -> None:
        self.__record = record
        self.__names = names

    def payload(self, id: CommandId | None) -> Any:
        """The payload of the outcome of a command; ``None`` if there is none."""
        return None if id is None else self.__record.payloads.get(id)

    @property
    def reply(self) -> Any:
        """The payload of the last reply."""
        record = self.__record
        return None if record.replied is None else record.payloads[record.replied]

    @property
    def replied(self) -> CommandId | None:
        """The id of the outcome that holds the last reply."""
        return self.__record.replied

    @property
    def input(self) -> str | list[TResponseInputItem]:
        """The input; after a handoff filter, the input that it returned."""
        current = self.__record.transcript.input
        return current if isinstance(current, str) else list(current)

    @property
    def history(self) -> str | list[TResponseInputItem]:
        """What the model saw before the run produced anything."""
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
        """The index of the first item of this turn."""
        return self.__record.transcript.turn_start

    def model_input(self) -> tuple[list[TResponseInputItem], tuple[int, int, int]]:
        """The next input of the model, as a new list, and the part of the log that it is: first,
        one past the last, epoch."""
        return self.__record.transcript.model_input()

    def normalized(self) -> list[TResponseInputItem]:
        """The conversation as the model saw it."""
        return self.__record.transcript.normalized()

    def handoff_data(
        self, transfer: Sequence[RunItem], context: RunContextWrapper[Any] | None
    ) -> HandoffInputData:
        """The argument of a handoff filter."""
        return self.__record.transcript.handoff_data(transfer, context)

    @property
    def conversation(self) -> ConversationIds:
        """The conversation that the server keeps now."""
        return self.__record.conversation

    @property
    def identities(self) -> Mapping[str, Identity]:
        """The call that each call id of the run names."""
        return MappingProxyType(self.__record.identities)

    @property
    def attempts(self) -> int:
        """The number of failed attempts at the current model call."""
        return self.__record.attempts

    @property
    def locks(self) -> int:
        """How many of these attempts failed because the stored conversation was locked."""
        return self.__record.locks

    @property
    def entered(self) -> CommandId | None:
        """The id of the last outcome that chose an edge."""
        return self.__record.entered

    @property
    def outputs(self) -> Mapping[str, tuple[CommandId, str]]:
        """The outcome with the output of each step that the run has left, and its agent."""
        return MappingProxyType(self.__record.outputs)

    def branches(self, split: CommandId) -> Mapping[int, tuple[CommandId, Any]]:
        """The outcomes of the branches that are over, with their payloads, by lane."""
        record = self.__record
        rows = record.branches.get(split, {})
        return {lane: (rows[lane], record.payloads[rows[lane]]) for lane in sorted(rows)}

    @property
    def acted(self) -> Collection[str]:
        """The agents that have used a tool."""
        return self.__record.acted

    @property
    def requests(self) -> ReadOnly[Request]:
        """The requests to models, oldest first."""
        return ReadOnly(self.__record.requests)

    def input_of(self, request: Request) -> list[TResponseInputItem]:
        """The input of a request, with reasoning ids even if the run's policy omits them."""
        if request.replaced is not None:
            return list(request.replaced)
        return self.__record.transcript.between(request.first, request.last, request.epoch)

    def ordinals(self, items: Collection[RunItem]) -> tuple[int, ...]:
        """The ordinals of some items among everything the run produced."""
        return self.__record.transcript.ordinals(items)

    def stored(self) -> Stored:
        """The part of the run that its session holds."""
        record = self.__record
        return Stored(
            record.transcript.first_shown,
            tuple(record.transcript.produced(record.written)),
            tuple(record.stored),
            record.saved_block,
        )

    def results(self) -> tuple[tuple[Call, Any], ...]:
        """The answered calls of the last reply with the payloads of the answers, in call order."""
        record = self.__record
        return tuple(
            (record.calls[lane], record.payloads[record.results[lane]])
            for lane in sorted(record.results)
        )

    @property
    def output_tripped(self) -> OutputGuardrailResult | None:
        """The result of the output guardrail that stopped the run."""
        verdicts = self.__record.output_guardrail_results
        return next((one for one in verdicts if one.output.tripwire_triggered), None)

    @property
    def recovered(self) -> bool:
        """Whether an error handler gave the final output."""
        return self.__record.recovered

    def ruling_on(self, key: CallKey, tool: tuple[str, str], content: str) -> Decision | None:
        """The decision on a call, if there is one."""
        return self.__record.ledger.ruling_on(key, tool, content)

    def interruption(self, question: Question) -> Interruption:
        """The item with which a person is asked."""
        return interruption(question, self.__names)
