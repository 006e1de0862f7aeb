"""The record: everything that a run knows beside its control state.

Only ``fold`` writes it. Work reads it through a ``View``; results are projections of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from agentgraph.approvals import ApprovalLedger
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.memory.runs.transcript import Transcript
from agentgraph.record.facts import RunFacts
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from agentgraph.guardrail import InputGuardrailResult, OutputGuardrailResult
    from agentgraph.items import ModelResponse, ToolApprovalItem, TResponseInputItem
    from agentgraph.items.tool_origin import ToolOrigin
    from agentgraph.record.payloads import Identity, Note, Request
    from agentgraph.tool_guardrails import ToolInputGuardrailResult, ToolOutputGuardrailResult


class Names(Protocol):
    """Resolves the symbols in payloads to the objects of the current program."""

    def agent(self, id: str, machine: str = "") -> Any: ...

    def guardrail(self, symbol: str) -> Any: ...

    def tool_guardrail(self, tool: str, place: int, name: str, *, output: bool) -> Any: ...


class Record:
    """Everything a run knows.

    Args:
        facts: The inputs of the run.
        ledger: The decisions of people, shared with the runs that it is nested in.

    Attributes:
        path: The calls that the run is nested in.
        acted: The agents that have used a tool.
        calls: The calls of the last reply.
        notes: The notes on the output items of the last reply, in the order of their positions.
        last_failure: The id of the last outcome that reports a failure.
        payloads: The payload of each outcome, by the id of its command.
        transcript: The log of items, and the part of it that a model sees.
        usage: The usage of the run itself, as its outcomes report it.
        attached: The data that the program attached to judged outputs of the last reply, by lane.
        conversation: The conversation that the server keeps now.
        identities: The call that each call id of the run names.
        replied: The id of the outcome that holds the last reply.
        results: The ids of the outcomes that answer the calls of the last reply, by lane.
        requests: The requests to models, oldest first.
        agent_id: The agent at work.
        turn: Turns begun.
        attempts: The number of failed attempts at the current model call.
        locks: How many of these failed because the stored conversation was locked.
        judged: Whether an output guardrail has judged.
        recovered: Whether an error handler gave the final output.
        saved_block: The block in which the session's store keeps the run.
        stored: The run's items in the session, in their stored forms.
        written: The run's items that the session holds, as ordinals of production.
        waiting: The calls that wait for a decision, in call order.
    """

    __slots__ = (
        "acted",
        "agent_id",
        "attached",
        "attempts",
        "calls",
        "conversation",
        "identities",
        "input_guardrail_results",
        "judged",
        "last_failure",
        "ledger",
        "locks",
        "notes",
        "output_guardrail_results",
        "path",
        "payloads",
        "raw_responses",
        "recovered",
        "replied",
        "requests",
        "results",
        "saved_block",
        "stored",
        "tool_input_guardrail_results",
        "tool_output_guardrail_results",
        "transcript",
        "turn",
        "usage",
        "waiting",
        "written",
    )

    def __init__(self, facts: RunFacts, ledger: ApprovalLedger) -> None:
        items = ItemHelpers.input_to_new_input_list(facts.input)
        # The caller may change the list later, and the result must not change with it.
        original = facts.input if isinstance(facts.input, str) else list(items)
        self.transcript = Transcript(original, items, continued=facts.conversation.kept_by_server)
        self.ledger = ledger
        self.path = facts.path
        self.acted: frozenset[str] = frozenset()
        self.calls: tuple[Call, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self.last_failure: CommandId | None = None
        self.payloads: dict[CommandId, Any] = {}
        self.usage = Usage()
        self.attached: dict[int, Mapping[str, Any]] = {}
        self.conversation = facts.conversation
        self.identities: dict[str, Identity] = {}
        self.replied: CommandId | None = None
        self.results: dict[int, CommandId] = {}
        self.requests: list[Request] = []
        self.agent_id = ""
        self.turn = 0
        self.attempts = 0
        self.locks = 0
        self.judged = False
        self.recovered = False
        self.saved_block: object = None
        self.stored: list[TResponseInputItem] = []
        self.written: list[int] = []
        self.waiting: list[ToolApprovalItem] = []
        self.raw_responses: list[ModelResponse] = []
        self.input_guardrail_results: list[InputGuardrailResult] = []
        self.output_guardrail_results: list[OutputGuardrailResult] = []
        self.tool_input_guardrail_results: list[ToolInputGuardrailResult] = []
        self.tool_output_guardrail_results: list[ToolOutputGuardrailResult] = []

    def origin_of(self, lane: int) -> ToolOrigin | None:
        """Where the tool of a call of the last reply comes from."""
        if lane >= len(self.calls):
            return None
        notes, position = self.notes, self.calls[lane].position
        place = position
        if place >= len(notes) or notes[place].position != position:
            # A repeated call before it has no note.
            place = bisect_left(notes, position, key=_position)
        return notes[place].origin


def _position(note: Note) -> int:
    return note.position
