"""One run: everything that stands beside its control state.

The state says where a run is; a ``Run`` holds what the work needs: the machine and its bindings,
the context, the transcript, the journal, and what has to be told to whoever watches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.journal import Journal
from agentgraph.drivers.payloads import FinalOutput, ModelReply, ToolReturn, Transfer, Waiting
from agentgraph.frontend.bindings import AgentBinding, Bindings
from agentgraph.memory.run_transcript import Transcript
from agentgraph.memory.session_log import SessionLog
from agentgraph.run_config import RunConfig
from agentgraph.run_context import RunContextWrapper
from agentgraph.runtime.commands import CommandId, Emit, Perform, Suspend
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph_compiler.machine import Emission, Event, InvokeKind, Machine, Verdict

if TYPE_CHECKING:
    from agentgraph.guardrail import InputGuardrailResult, OutputGuardrailResult
    from agentgraph.items import ModelResponse, RunItem
    from agentgraph.stream_events import StreamEvent
    from agentgraph.tool_guardrails import ToolInputGuardrailResult, ToolOutputGuardrailResult

Compiled = tuple[Machine, Bindings]

_WITH_ITEMS = (ModelReply, ToolReturn, Transfer, FinalOutput)
_RETURNED, _VERDICTS = Event.RETURNED, (Event.PASSED, Event.TRIPPED)
_SHOW_AGENT = Emission.AGENT


@dataclass(slots=True)
class Watcher:
    """Who is told what happens in a run, and how.

    Args:
        streamed: Whether the model is asked to stream.
        show: Told each emission with its items and the agent that made them.
        publish: Told each raw event of the model.
        room: Waited for after each raw event, where a slow watcher slows the model down.
        caught_up: Waited for between two turns; returns once everything shown was seen.
    """

    streamed: bool = False
    show: Callable[[Emission, Sequence[RunItem], Any], None] | None = None
    publish: Callable[[StreamEvent], None] | None = None
    room: Callable[[], Awaitable[None]] | None = None
    caught_up: Callable[[], Awaitable[None]] | None = None


@dataclass(slots=True)
class Conversation:
    """Which conversation the server keeps, if it keeps one."""

    conversation_id: str | None = None
    previous_response_id: str | None = None
    chained: bool = False

    @property
    def kept_by_server(self) -> bool:
        return self.chained or self.conversation_id is not None

    def follow(self, response_id: str | None) -> None:
        """Continue from a response in the next call."""
        if self.chained and self.conversation_id is None and response_id is not None:
            self.previous_response_id = response_id


@dataclass(slots=True)
class Run:
    """One run of a machine.

    Args:
        machine: The machine.
        bindings: What its symbols stand for.
        recompile: Lowers and compiles anew, starting with the given agent if it is no longer
            reachable.
        transcript: The log of items.
        context: What user code sees of the run.
        config: Its configuration.
        provider: Gives models by name.
        submachines: The machines of agents used as tools, by name.
        session: Where the conversation is kept, if anywhere.
        hooks: The caller's hooks.
        limit: The most turns allowed; ``None`` means no limit.
        handlers: The caller's error handlers, by fault.
        conversation: Which conversation the server keeps.
        watcher: Who is told what happens.
        call_agent: Runs an agent used as a tool (the layer above builds the inner run).
        recorded: Outcomes to replay before anything is performed.
        switches: Where, by sequence, the run went on in a machine compiled anew.
        waiting: Runs of agent tools that wait for approval, by the id of the call.
        asked: Ids of the calls that a person was asked about before the run was resumed.

    Attributes:
        journal: Every outcome so far.
        agent: The agent at work.
        turn: Turns begun.
        arriving: Whether the agent at work has yet to be greeted by the hooks.
        stopping: Whether the caller wants no further turn.
        replaying: Whether recorded outcomes are left; nothing is shown or stored then.
        checked: Whether an output guardrail has judged.
        returns: What the calls of the last reply gave, by their index.
        acted: Ids of the agents whose models have called or handed over.
        calls_seen: Name and arguments of every call of the run, by call id.
        gates: What lets a number of calls through at a time.
        models: What each agent's model was wanted as and is, by agent id.
        settings: What each agent's settings were made from and are, with a forced tool choice and
            without, by agent id.
        raw_responses: The model's responses; this and the lists of verdicts are the result's own.
    """

    machine: Machine
    bindings: Bindings
    recompile: Callable[[Any], Compiled]
    transcript: Transcript
    context: RunContextWrapper[Any]
    config: RunConfig
    provider: Any
    call_agent: Callable[[Run, Perform, Any, Any], Awaitable[Any]]
    submachines: Mapping[str, Machine] = field(default_factory=dict)
    session: SessionLog | None = None
    hooks: Any = None
    limit: int | None = None
    handlers: Mapping[str, Any] = field(default_factory=dict)
    conversation: Conversation = field(default_factory=Conversation)
    watcher: Watcher = field(default_factory=Watcher)
    recorded: Sequence[Outcome] = ()
    switches: dict[int, Compiled] = field(default_factory=dict)
    waiting: Mapping[str, Any] = field(default_factory=dict)
    asked: frozenset[str | None] = frozenset()
    journal: Journal = field(default_factory=Journal)
    agent: Any = None
    turn: int = 0
    arriving: bool = True
    stopping: bool = False
    replaying: bool = False
    checked: bool = False
    returns: dict[int, ToolReturn] = field(default_factory=dict)
    acted: set[int] = field(default_factory=set)
    calls_seen: dict[str, tuple[str, str]] = field(default_factory=dict)
    gates: dict[object, asyncio.Semaphore] = field(default_factory=dict)
    models: dict[str, tuple[object, Any]] = field(default_factory=dict)
    settings: dict[str, tuple[object, Any, Any]] = field(default_factory=dict)
    raw_responses: list[ModelResponse] = field(default_factory=list)
    input_guardrail_results: list[InputGuardrailResult] = field(default_factory=list)
    output_guardrail_results: list[OutputGuardrailResult] = field(default_factory=list)
    tool_input_guardrail_results: list[ToolInputGuardrailResult] = field(default_factory=list)
    tool_output_guardrail_results: list[ToolOutputGuardrailResult] = field(default_factory=list)

    def binding(self, agent_id: str) -> AgentBinding:
        """What the symbols of an agent stand for."""
        return self.bindings.agents[agent_id]

    def payload(self, id: CommandId | None) -> Any:
        """What the outcome of a command brought."""
        return self.journal.payload(id)

    def gate(self, key: object, places: int) -> asyncio.Semaphore:
        """What lets so many calls through at a time; the others wait in the order of the calls."""
        gate = self.gates.get(key)
        if gate is None:
            gate = self.gates[key] = asyncio.Semaphore(places)
        return gate

    def absorb(self, outcome: Outcome, command: Perform | None) -> None:
        """Record an outcome, and what of it the result lists.

        Args:
            outcome: The outcome.
            command: What it answers; ``None`` for a decision from outside.
        """
        self.journal.record(outcome)
        if command is None:
            return
        payload: Any = outcome.payload
        kind = command.invoke.kind
        if outcome.reply is not None:
            self._absorb_reply(outcome.reply, payload, command)
        elif outcome.event is _RETURNED:
            self.returns[outcome.id.index] = payload
        elif kind is InvokeKind.INPUT_GUARDRAIL and outcome.event in _VERDICTS:
            self.input_guardrail_results.append(payload)
        elif kind is InvokeKind.OUTPUT_GUARDRAIL:
            self.checked = True
            if outcome.event in _VERDICTS:
                self.output_guardrail_results.append(payload)

    def _absorb_reply(self, reply: Reply, payload: ModelReply, command: Perform) -> None:
        if reply.verdict is not Verdict.UNKNOWN:
            self.raw_responses.append(payload.response)
        if self.replaying and self.transcript.continued:
            # The server got what the model was shown then; it is not sent again.
            self.transcript.model_input()
            self.transcript.delivered()
        self.returns.clear()
        self.arriving = False
        for call_id, name, arguments in payload.identities:
            self.calls_seen[call_id] = (name, arguments)
        if reply.calls or reply.requests:
            self.acted.add(id(self.binding(command.agent).agent))

    def returned(self) -> list[ToolReturn]:
        """What the calls of the last reply gave, in call order."""
        return [self.returns[index] for index in sorted(self.returns)]

    def emit(self, command: Emit) -> None:
        """Log what an outcome brought and show it to whoever watches."""
        payload = self.payload(command.source)
        items: Sequence[RunItem] = ()
        if command.emission is _SHOW_AGENT:
            self.agent = self.binding(command.agent).agent
            self.arriving = True
        elif isinstance(payload, _WITH_ITEMS):
            items = payload.items
            if isinstance(payload, ToolReturn) and command.source is not None:
                self.transcript.answer(command.source.index, items)
            else:
                self.transcript.append(items)
            if isinstance(payload, Transfer) and payload.filtered is not None:
                self.transcript.rebase(payload.filtered)
        show = self.watcher.show
        if show is not None and not self.replaying:
            show(command.emission, items, self.agent)

    def wait(self, command: Suspend) -> None:
        """Log the calls of this run that wait for a decision."""
        waiting: list[Waiting] = [self.payload(id) for id in command.awaiting]
        self.transcript.note(
            item for entry in waiting if entry.inner is None for item in entry.items
        )

    async def begin_turn(self, turn: int) -> bool:
        """Settle the turn that ended: save it, let watchers catch up. False if the run is to stop
        here, before the given turn."""
        self.transcript.begin_turn()
        if not self.replaying:
            if self.session is not None:
                await self.save()
            if self.watcher.caught_up is not None and turn > 1:
                await self.watcher.caught_up()
            if self.stopping:
                return False
        self.turn = turn
        return True

    async def save(self) -> None:
        """Store in the session what is new and settled."""
        if self.session is not None:
            await self.session.save(self.transcript.new_items)

    def hooked(self, agent: Any) -> bool:
        """Whether anybody wants to hear of what this agent does."""
        return self.hooks is not None or agent.hooks is not None
