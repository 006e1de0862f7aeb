"""Watching a run: turns the library's stream events and results into the events of the display."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from agentgraph.cli.faults import OutputClosed, OutputFailed, Status
from agentgraph.cli.run_events import (
    AgentUpdated,
    Approval,
    Asked,
    GuardrailCompleted,
    HandoffCalled,
    HandoffOutputCreated,
    ItemCreated,
    MessageOutputCreated,
    ReasoningCreated,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunSuspended,
    StepStarted,
    TextDelta,
    ToolCalled,
    ToolOutputCreated,
    Warned,
)
from agentgraph.cli.tracebacks import own_traceback
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.items import ItemHelpers, QuestionItem, RunItem
from agentgraph.items.run_items import (
    HandoffCallItem,
    HandoffOutputItem,
    MessageOutputItem,
    ReasoningItem,
    ToolCallItem,
    ToolCallOutputItem,
    raw_field,
)
from agentgraph.running.result import RunResultStreaming
from agentgraph.workflow.steps import STEP_BEGINS

if TYPE_CHECKING:
    from agentgraph.guardrail import GuardrailFunctionOutput
    from agentgraph.stream_events import RunItemStreamEvent, StreamEvent
    from agentgraph.tool_guardrails import ToolGuardrailFunctionOutput

__all__ = ["Show", "Watch", "warnings_shown"]

Show = Callable[[RunEvent], None]
"""Takes each event as it happens."""

_TEXT_DELTAS = frozenset({"response.output_text.delta", "response.refusal.delta"})


@dataclass
class Watch:
    """Follows a run and the runs that resume it, without repeating events from before a suspension.

    Args:
        show: Called with every event.
    """

    show: Show
    _result: RunResultStreaming | None = field(default=None, init=False)
    _agent: str = field(default="", init=False)
    _tools: dict[str, str] = field(default_factory=dict, init=False)
    _verdicts_seen: dict[str, int] = field(default_factory=dict, init=False)
    _events_read: int = field(default=0, init=False)
    _steps: list[tuple[int, str]] = field(default_factory=list, init=False)

    def begin(self, tools: Mapping[str, str] = MappingProxyType({})) -> None:
        """Begin to follow a run that no run before resumes.

        Args:
            tools: The tools of calls that it made before, by the ids of the calls.
        """
        self._result = None
        self._agent = ""
        self._tools = dict(tools)
        self._verdicts_seen.clear()
        self._events_read = 0
        self._steps.clear()
        STEP_BEGINS.set(self._step_begins)

    def catch_up(self) -> None:
        """Show the verdicts that guardrails have given by now, before the stream says more."""
        if self._result is not None and self._agent:
            for verdict in self._verdicts(self._result):
                self.show(verdict)

    async def follow(self, result: RunResultStreaming) -> Status:
        """Follow a run until it ends or waits.

        Args:
            result: The result of a run, with all of its events still unread.

        Returns:
            `DONE`, or `FOUND` if the run was stopped or waits for a decision.

        Raises:
            Exception: An exception of the user's own code. Faults that the library knows are shown
                instead.
        """
        self._result = result
        try:
            async for event in result.stream_events():
                for run_event in self._run_events(result, event):
                    self.show(run_event)
                self._events_read += 1
                self._show_steps(self._events_read)
        except (OutputClosed, OutputFailed):
            raise
        except Exception as error:
            self._show_steps()
            for verdict in self._last_verdicts(result):
                self.show(verdict)
            if not _is_known(error):
                raise
            cause = error.__cause__ if isinstance(error, UserError) else None
            where = "" if cause is None else own_traceback(cause)
            self.show(RunFailed(type(error).__name__, str(getattr(error, "message", error)), where))
            return Status.FOUND
        self._show_steps()
        for verdict in self._last_verdicts(result):
            self.show(verdict)
        self.show(_ending(result))
        return Status.FOUND if result.interruptions else Status.DONE

    def _step_begins(self, step: str) -> None:
        # The run is ahead of its reader, so a step waits for the events before it.
        unread = 0 if self._result is None else self._result._events.pending
        self._steps.append((self._events_read + unread, step))
        self._show_steps(self._events_read)

    def _show_steps(self, events: int | None = None) -> None:
        """Show the steps that began by a number of events; by now if it is left out."""
        while self._steps and (events is None or self._steps[0][0] <= events):
            self.show(StepStarted(self._steps.pop(0)[1]))

    def _run_events(self, result: RunResultStreaming, event: StreamEvent) -> Iterator[RunEvent]:
        if event.type == "raw_response_event":
            raw: object = event.data  # an event of the client, or anything that a model yields
            if getattr(raw, "type", None) in _TEXT_DELTAS:
                yield TextDelta(self._agent, getattr(raw, "delta", ""))
            return
        if self._agent:
            yield from self._verdicts(result)
        if event.type == "agent_updated_stream_event":
            self._agent = event.new_agent.name
            yield AgentUpdated(self._agent)
        else:
            yield self._item(event)

    def _item(self, event: RunItemStreamEvent) -> RunEvent:
        item: RunItem = event.item
        match item:
            case MessageOutputItem():
                text = ItemHelpers.text_message_output(item)
                refusal = ItemHelpers.extract_last_content(item)
                return MessageOutputCreated(self._agent, text or refusal)
            case ReasoningItem():
                return ReasoningCreated(self._agent, _summary(item.raw_item))
            case ToolCallItem():
                return ToolCalled(self._agent, *self._call(item.raw_item, item.tool_name))
            case ToolCallOutputItem():
                call_id = item.call_id or ""
                tool = self._tools.get(call_id, "")
                return ToolOutputCreated(self._agent, tool, call_id, item.output)
            case HandoffCallItem():
                return HandoffCalled(self._agent, *self._call(item.raw_item, item.raw_item.name))
            case HandoffOutputItem():
                return HandoffOutputCreated(item.source_agent.name, item.target_agent.name)
            case _:
                return ItemCreated(event.name, self._agent, item.raw_item)

    def _call(self, raw: object, name: str | None) -> tuple[str, str, str]:
        call_id = str(raw_field(raw, "call_id") or raw_field(raw, "id") or "")
        self._tools[call_id] = name or ""
        return name or "", call_id, str(raw_field(raw, "arguments") or "")

    def _last_verdicts(self, result: RunResultStreaming) -> Iterator[GuardrailCompleted]:
        """The verdicts of the end: those not shown yet, then those on the final output."""
        yield from self._verdicts(result)
        for row in self._new("output", result.output_guardrail_results):
            yield _verdict("output", row.guardrail.get_name(), row.output)

    def _verdicts(self, result: RunResultStreaming) -> Iterator[GuardrailCompleted]:
        # A stream announces no verdicts, and the run is ahead of its reader. So look verdicts up
        # between items, never within a text, and those on the output at the end.
        for row in self._new("input", result.input_guardrail_results):
            yield _verdict("input", row.guardrail.get_name(), row.output)
        for row in self._new("tool_input", result.tool_input_guardrail_results):
            yield _tool_verdict("tool_input", row.guardrail.get_name(), row.output)
        for row in self._new("tool_output", result.tool_output_guardrail_results):
            yield _tool_verdict("tool_output", row.guardrail.get_name(), row.output)

    def _new(self, kind: str, results: list[Any]) -> list[Any]:
        # A resumed run replays its verdicts, in the same order, before it gives new ones.
        seen = self._verdicts_seen.get(kind, 0)
        self._verdicts_seen[kind] = max(seen, len(results))
        return results[seen:]


@contextlib.contextmanager
def warnings_shown(show: Show, *, verbose: bool = False) -> Iterator[None]:
    """Show the warnings that the library logs as events, instead of printing them in between.

    Args:
        show: Shows a warning.
        verbose: Whether to show the failures of tools too, each with its place.
    """
    logger = logging.getLogger("agentgraph")
    handler = _WarningHandler(show, verbose=verbose)
    logger.addHandler(handler)
    propagates, logger.propagate = logger.propagate, False
    level = logger.level
    if verbose:
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.propagate = propagates
        logger.removeHandler(handler)


class _WarningHandler(logging.Handler):
    def __init__(self, show: Show, *, verbose: bool) -> None:
        super().__init__(logging.DEBUG if verbose else logging.WARNING)
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        error: BaseException | None = getattr(record, "tool_exception", None)
        if error is not None or record.levelno >= logging.WARNING:
            self._show(Warned(record.getMessage(), "" if error is None else own_traceback(error)))


def _is_known(error: Exception) -> bool:
    """Whether the message of an exception says what happened, so that a traceback adds nothing."""
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, AgentsException) or library == "openai"


def _ending(result: RunResultStreaming) -> RunEvent:
    if result.interruptions:
        return RunSuspended(
            result.last_agent.name,
            tuple(
                Approval(item.name or "", item.call_id or "", item.arguments or "")
                for item in result.interruptions
                if not isinstance(item, QuestionItem)
            ),
            tuple(
                Asked(
                    name=item.name,
                    id=item.call_id,
                    question=item.question,
                    received=item.received,
                    schema=item.schema,
                )
                for item in result.interruptions
                if isinstance(item, QuestionItem)
            ),
        )
    usage = result.context_wrapper.usage
    return RunCompleted(
        agent=result.last_agent.name,
        output=result.final_output,
        turns=result.current_turn,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
    )


def _verdict(
    kind: Literal["input", "output"], name: str, output: GuardrailFunctionOutput
) -> GuardrailCompleted:
    verdict: Literal["passed", "tripped"] = "tripped" if output.tripwire_triggered else "passed"
    return GuardrailCompleted(kind, name, verdict, output.output_info)


def _tool_verdict(
    kind: Literal["tool_input", "tool_output"], name: str, output: ToolGuardrailFunctionOutput
) -> GuardrailCompleted:
    match output.behavior["type"]:
        case "reject_content":
            return GuardrailCompleted(kind, name, "rejected", output.output_info)
        case "raise_exception":
            return GuardrailCompleted(kind, name, "tripped", output.output_info)
        case _:
            return GuardrailCompleted(kind, name, "passed", output.output_info)


def _summary(raw: object) -> str:
    parts = raw_field(raw, "summary") or []
    return "\n".join(str(raw_field(part, "text") or "") for part in parts)
