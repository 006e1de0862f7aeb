"""The spans of one run: when they begin, what they are inside of, and when they end.

A span of work begins with the work of its command and ends when the fold has taken the outcome. A
call of a tool walks several phases and has one span. The spans of the run, of an agent and of a
turn begin with the first command that needs them and end before the next one begins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from agentgraph.drivers.run import Run
from agentgraph.drivers.traced import contents
from agentgraph.drivers.work.think import PreparedCall
from agentgraph.record.payloads import Failure, GuardrailVerdict, ModelReply, Transfer
from agentgraph.runtime.commands import CommandId, Perform, Rest
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tracing.setup import get_trace_provider
from agentgraph.tracing.span_data import SpanData, TaskSpanData, TurnSpanData
from agentgraph.tracing.spans import CURRENT_SPAN, Span, SpanError
from agentgraph.tracing.traces import CURRENT_TRACE, Trace
from agentgraph_compiler.machine import StateKind, WorkKind

_OF_THE_RUN: Final = frozenset({WorkKind.LOAD, WorkKind.SAVE})
_OF_A_TURN: Final = frozenset({WorkKind.INPUT_GUARDRAIL, WorkKind.GREET, WorkKind.MODEL})
_GUARDRAILS: Final = frozenset({WorkKind.INPUT_GUARDRAIL, WorkKind.OUTPUT_GUARDRAIL})
_WITHOUT_SPAN: Final = frozenset({WorkKind.MISSING, WorkKind.BRANCH})
_NOT_OF_A_TURN: Final = ("requests", "total_tokens")

Level: TypeAlias = Literal["task", "agent", "turn"]


class _Open(NamedTuple):
    """The span of a run, an agent or a turn, and what the run had used when it began."""

    span: Span[Any]
    before: dict[str, int]


class RunSpans:
    """The spans of one run, from the beginning of its work to its rest.

    Args:
        run: The run.

    Attributes:
        trace: The trace that the run belongs to; ``None`` before its first work.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._bench, self._config = run, run.bench, run.facts.config
        self._sensitive = self._config.trace_include_sensitive_data
        settings = self._config.tracing or {}
        self._has_tasks = settings.get("include_task_and_turn_spans", True)
        self._provider = get_trace_provider()
        self.trace: Trace | None = self._provider.get_current_trace()
        self._around: Span[Any] | None = self._provider.get_current_span()
        self._own_trace: Trace | None = None
        # Outermost first.
        self._levels: dict[Level, _Open] = {}
        self._turns = 0
        self._agent_id = ""
        # By command or, for the calls of tools, by state and lane.
        self._work: dict[tuple[int, ...], Span[Any]] = {}
        self._requested: list[str] = []

    @contextmanager
    def inside(self, span: Span[Any] | None) -> Iterator[None]:
        """Make the trace and a span current for a block."""
        tokens = CURRENT_TRACE.set(self.trace), CURRENT_SPAN.set(span)
        try:
            with nullcontext() if span is None else self._provider.inside(span):
                yield
        finally:
            CURRENT_SPAN.reset(tokens[1])
            CURRENT_TRACE.reset(tokens[0])

    def begin(self, command: Perform) -> Span[Any] | None:
        """Begin the spans that a command needs.

        Args:
            command: Its work starts now.

        Returns:
            The span that the work is inside of: its own, or that of its turn, agent or run.
        """
        kind, bench = command.phase.kind, self._bench
        self._enter(command)
        if kind in _GUARDRAILS:
            return self._start(contents.guardrail(bench, command), command.id, command.id)
        if kind is WorkKind.HANDOFF:
            data = contents.handoff(bench, command, self._requested)
            return self._start(data, command.id, command.id)
        if command.position < 0 or kind in _WITHOUT_SPAN:
            return self._innermost
        place = command.id[:2]
        if place in self._work:
            return self._work[place]
        call = contents.call(bench, command, sensitive=self._sensitive)
        return self._start(call, place, command.id)

    def asked(self, command: Perform, prepared: PreparedCall) -> Span[Any]:
        """Begin the span of a call of a model.

        Args:
            command: The call.
            prepared: The model and what it is asked.
        """
        self._enter(command)
        contents.offered(self._levels["agent"].span.span_data, prepared)
        data = contents.model_call(prepared, sensitive=self._sensitive)
        return self._start(data, command.id, command.id)

    def recorded(self, outcome: Outcome, command: Perform | None, *, goes_on: bool) -> None:
        """Complete the span of an outcome that the fold has taken.

        Args:
            outcome: The outcome.
            command: The command it answers, if the run is still in the state of the command.
            goes_on: Whether the lane of the outcome has further work.
        """
        payload, bench = outcome.payload, self._bench
        place: tuple[int, ...] = outcome.id if outcome.id in self._work else outcome.id[:2]
        span = self._work.get(place)
        if span is not None:
            contents.complete(span, bench, outcome, self._requested, sensitive=self._sensitive)
            if place == outcome.id or not goes_on:
                del self._work[place]
                span.finish()
        match payload:
            case ModelReply():
                requests = () if outcome.reply is None else outcome.reply.requests
                self._requested = contents.targets(bench, payload.agent, requests)
                self._note(contents.unusable(bench, payload, sensitive=self._sensitive), "turn")
            case GuardrailVerdict() if payload.tripped:
                level: Level = "agent" if payload.about_output else "turn"
                self._note(contents.tripped(bench, payload), level)
            case Transfer():
                self._agent_id = ""  # a handoff to the same agent begins a new span
            case _ if command is not None and command.phase.kind is WorkKind.MISSING:
                raw = bench.call(command)
                self._note(contents.tool_not_found(getattr(raw, "name", raw.type)), "turn")
            case _:
                pass

    def tool_failed(self, command: Perform, error: Exception) -> None:
        """Note a failure of a tool that becomes the output of its call."""
        span = self._work.get(command.id[:2])
        if span is not None:
            sensitive = self._sensitive
            span.set_error(contents.tool_error(span, str(error), sensitive=sensitive, fatal=False))

    def cancelled(self, command: Perform) -> None:
        """End the span of work that was cancelled without an outcome."""
        for place in (command.id, command.id[:2]):
            span = self._work.pop(place, None)
            if span is not None:
                span.set_error(SpanError(message="Cancelled", data=None))
                span.finish()

    def rested(self, rest: Rest) -> None:
        """End all spans: the run came to rest."""
        if rest.kind is StateKind.EXHAUSTED:
            limit = self._run.facts.limit
            self._note(SpanError(message="Max turns exceeded", data={"max_turns": limit}), "agent")
        elif rest.source is not None and rest.kind is not StateKind.DONE:
            payload = self._run.record.payloads[rest.source]
            if isinstance(payload, Failure):
                self._note_failure(payload.fault.message)
        self._finish()

    def failed(self, error: BaseException) -> None:
        """End all spans: an exception ended the run without a rest."""
        if isinstance(error, Exception):
            self._note_failure(str(error))
        self._finish()

    @property
    def _innermost(self) -> Span[Any] | None:
        return next((one.span for one in reversed(self._levels.values())), self._around)

    def _enter(self, command: Perform) -> None:
        """Begin and end the spans of the run, the agents and the turns around a command."""
        if self.trace is None:
            self.trace = self._begin_trace()
        if self._has_tasks and "task" not in self._levels:
            self._open("task", TaskSpanData(self._config.workflow_name))
        kind, turn = command.phase.kind, self._run.state.turn
        if kind in _OF_THE_RUN:
            return
        if command.agent != self._agent_id:
            self._close("turn", "agent")
            self._agent_id = command.agent
            self._open("agent", contents.agent(self._bench, command.agent))
        if kind is WorkKind.OUTPUT_GUARDRAIL:
            self._close("turn")
        elif kind in _OF_A_TURN and ("turn" not in self._levels or turn > self._turns):
            self._close("turn")
            self._turns = max(turn, self._turns + 1)
            if self._has_tasks:
                name = self._bench.agent(command).name
                self._open("turn", TurnSpanData(self._turns, name))

    def _begin_trace(self) -> Trace:
        config, journal = self._config, self._run.caches.journal
        tracing: Any = config.tracing
        trace = self._provider.create_trace(
            name=config.workflow_name,
            trace_id=config.trace_id or f"trace_{_digest(self._run.facts.run_id)[:32]}",
            group_id=config.group_id,
            metadata=config.trace_metadata,
            tracing=tracing,
        )
        if trace.trace_id not in journal.traces:
            journal.traces |= {trace.trace_id}
            self._own_trace = trace
            trace.start()
        return trace

    def _open(self, level: Level, data: SpanData) -> None:
        span = self._make(data, (level, self._run.state.sequence))
        self._levels[level] = _Open(span, contents.spent(self._run))

    def _close(self, *levels: Level) -> None:
        for level in levels:
            if level not in self._levels:
                continue
            span, before = self._levels.pop(level)
            if level != "agent":
                counts = {key: n - before[key] for key, n in contents.spent(self._run).items()}
                if counts["requests"]:
                    of_turn = {key: n for key, n in counts.items() if key not in _NOT_OF_A_TURN}
                    span.span_data.usage = of_turn if level == "turn" else counts
            span.finish()

    def _finish(self) -> None:
        for span in self._work.values():
            span.finish()
        self._work.clear()
        self._close("turn", "agent", "task")
        if self._own_trace is not None:
            self._own_trace.finish()

    def _note(self, error: SpanError | None, level: Level) -> None:
        one = self._levels.get(level) or self._levels.get("agent")
        if error is not None and one is not None:
            one.span.set_error(error)

    def _note_failure(self, message: str) -> None:
        text = message if self._sensitive else contents.REDACTED
        self._note(SpanError(message="Error in agent run", data={"error": text}), "agent")

    def _start(self, data: SpanData, place: tuple[int, ...], id: CommandId) -> Span[Any]:
        span = self._work[place] = self._make(data, id)
        return span

    def _make(self, data: SpanData, parts: tuple[object, ...]) -> Span[Any]:
        facts = self._run.facts
        id = f"span_{_digest(facts.run_id, facts.path, *parts)[:24]}"
        span = self._provider.create_span(data, id, self._innermost or self.trace)
        span.start()
        return span


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
