"""The record: everything that a run knows beside its control state.

Only ``fold`` writes it. Work reads it through a ``View``; results are projections of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from agentgraph.approvals import ApprovalLedger, RunPath
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.memory.runs.transcript import Transcript
from agentgraph.record.facts import ConversationIds, RunFacts
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Call
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from agentgraph.guardrail import InputGuardrailResult, OutputGuardrailResult
    from agentgraph.items import ModelResponse, TResponseInputItem
    from agentgraph.items.question_item import Interruption
    from agentgraph.items.tool_origin import ToolOrigin
    from agentgraph.record.payloads import Identity, Note, Request
    from agentgraph.tool_guardrails import ToolInputGuardrailResult, ToolOutputGuardrailResult


class Names(Protocol):
    """Resolves the symbols in payloads to the objects of the current program."""

    def agent(self, id: str, machine: str = "") -> Any: ...

    def guardrail(self, symbol: str) -> Any: ...

    def tool_guardrail(self, tool: str, place: int, name: str, *, output: bool) -> Any: ...


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """Everything a run knows.

    Args:
        facts: The inputs of the run.
        ledger: The decisions of people, shared with the runs that it is nested in.

    Attributes:
        path: The calls that the run is nested in.
        acted: The agents that have used a tool.
        calls: The calls of the last reply.
        entered: The id of the last outcome that chose an edge.
        inputs: The first inputs of the agents that an edge may enter now.
        outputs: The outcome with the output of each step that the run has left, and the agent that
            was last at work in it.
        branches: The outcomes with the outputs of branches, by the outcome that began them and by
            lane.
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
        waiting: The calls and questions that wait for a person, in call order.
    """

    facts: InitVar[RunFacts]
    ledger: ApprovalLedger
    transcript: Transcript = field(init=False)
    path: RunPath = field(init=False)
    conversation: ConversationIds = field(init=False)
    acted: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    entered: CommandId | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: dict[str, tuple[CommandId, str]] = field(default_factory=dict)
    branches: dict[CommandId, dict[int, CommandId]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    last_failure: CommandId | None = None
    payloads: dict[CommandId, Any] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    attached: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)
    replied: CommandId | None = None
    results: dict[int, CommandId] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    agent_id: str = ""
    turn: int = 0
    attempts: int = 0
    locks: int = 0
    judged: bool = False
    recovered: bool = False
    saved_block: object = None
    stored: list[TResponseInputItem] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    waiting: list[Interruption] = field(default_factory=list)
    raw_responses: list[ModelResponse] = field(default_factory=list)
    input_guardrail_results: list[InputGuardrailResult] = field(default_factory=list)
    output_guardrail_results: list[OutputGuardrailResult] = field(default_factory=list)
    tool_input_guardrail_results: list[ToolInputGuardrailResult] = field(default_factory=list)
    tool_output_guardrail_results: list[ToolOutputGuardrailResult] = field(default_factory=list)

    def __post_init__(self, facts: RunFacts) -> None:
        items = ItemHelpers.input_to_new_input_list(facts.input)
        # The caller may change the list later, and the result must not change with it.
        original = facts.input if isinstance(facts.input, str) else list(items)
        self.transcript = Transcript(original, items, continued=facts.conversation.kept_by_server)
        self.path, self.conversation = facts.path, facts.conversation

    def origin_of(self, lane: int) -> ToolOrigin | None:
        """Where the tool of a call of the last reply comes from."""
        if lane >= len(self.calls):
            return None
        # A repeated call has no note, so a note need not stand at its position.
        place = bisect_left(self.notes, self.calls[lane].position, key=attrgetter("position"))
        return self.notes[place].origin
