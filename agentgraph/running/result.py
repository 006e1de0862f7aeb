"""The result of a finished run, and the live result of a streamed one."""

from __future__ import annotations

import abc
import asyncio
import sys
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from agentgraph.authoring.notebook import ShownInNotebooks
from agentgraph.authoring.pydantic_fields import kept_as_is
from agentgraph.exceptions import AgentsException, InputGuardrailTripwireTriggered, UserError
from agentgraph.guardrail import InputGuardrailResult, OutputGuardrailResult
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.run_context import RunContextWrapper
from agentgraph.running.event_queue import STARTED, EventQueue, take_first_step
from agentgraph.running.held_events import held, screening_of
from agentgraph.running.step_outputs import StepOutputs
from agentgraph.tool_guardrails import ToolInputGuardrailResult, ToolOutputGuardrailResult
from agentgraph.user_code.cancellation import finished, in_own_task

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.drivers.run import Run
    from agentgraph.items import Interruption, ModelResponse, RunItem, TResponseInputItem
    from agentgraph.running.state import RunState
    from agentgraph.stream_events import StreamEvent

__all__ = ["RunResult", "RunResultBase", "RunResultStreaming", "ToInputListMode"]

T = TypeVar("T")

ToInputListMode = Literal["preserve_all", "normalized"]
"""Everything the run produced, or what the model saw, after handoff filters."""


@dataclass(kw_only=True)
class RunResultBase(ShownInNotebooks, abc.ABC):
    """The common part of plain and streamed results.

    Attributes:
        input: The caller's input; after a handoff filter, the input that it returned.
        new_items: The run items that the run produced, oldest first.
        raw_responses: The model's responses, oldest first.
        final_output: The final output of the last agent; ``None`` while there is none.
        input_guardrail_results: In the order in which they finished.
        output_guardrail_results: In the order in which they finished.
        tool_input_guardrail_results: Verdicts on tool calls, over all turns.
        tool_output_guardrail_results: Verdicts on tool results, over all turns.
        context_wrapper: The run's context, with the usage.
        interruptions: The calls and questions that wait for a person, if the run was suspended.
        max_turns: The limit of model calls; ``None`` means no limit.
        outputs: The outputs of the steps of a workflow with edges, by step.
    """

    input: str | list[TResponseInputItem]
    new_items: list[RunItem]
    raw_responses: list[ModelResponse]
    final_output: Any
    input_guardrail_results: list[InputGuardrailResult]
    output_guardrail_results: list[OutputGuardrailResult]
    tool_input_guardrail_results: list[ToolInputGuardrailResult]
    tool_output_guardrail_results: list[ToolOutputGuardrailResult]
    context_wrapper: RunContextWrapper[Any]
    max_turns: int | None = 10
    interruptions: list[Interruption] = field(default_factory=list)
    outputs: StepOutputs = field(default_factory=StepOutputs)
    _input_list: Callable[[ToInputListMode], list[TResponseInputItem]] | None = field(
        default=None, repr=False
    )
    _state: Callable[[], RunState[Any]] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """The run in a few lines; ``repr`` shows everything."""
        try:
            agent = f"agent {self.last_agent.name!r}"
        except AgentsException:
            agent = "an agent that was released"
        output = self.final_output
        outcome = "no final output" if output is None else f"{type(output).__name__}: {output}"
        counts = f"{len(self.new_items)} run items, {len(self.raw_responses)} model responses"
        undecided = f", {len(self.interruptions)} calls to decide on" if self.interruptions else ""
        return f"{type(self).__name__} of {agent}\n  {outcome}\n  {counts}{undecided}"

    @property
    @abc.abstractmethod
    def last_agent(self) -> Agent[Any]:
        """The agent that was at work last."""

    @property
    def last_response_id(self) -> str | None:
        """The id of the last model response, to continue from it; ``None`` without one."""
        return self.raw_responses[-1].response_id if self.raw_responses else None

    def final_output_as(self, cls: type[T], raise_if_incorrect_type: bool = False) -> T:
        """The final output, typed.

        Args:
            cls: The type to view it as.
            raise_if_incorrect_type: Whether to check the type; otherwise only type checkers see it.

        Raises:
            TypeError: The check is on and the output has another type.
        """
        if raise_if_incorrect_type and not isinstance(self.final_output, cls):
            raise TypeError(
                f"Final output is not of type {cls.__name__},"
                f" but {type(self.final_output).__name__}"
            )
        return cast(T, self.final_output)

    def to_input_list(self, *, mode: ToInputListMode = "preserve_all") -> list[TResponseInputItem]:
        """The run as input for another one: the original input, then the run's items.

        Args:
            mode: Everything the run produced, or the conversation as the model saw it.
        """
        if self._input_list is not None:
            return self._input_list(mode)
        produced = [
            item.to_input_item() for item in self.new_items if item.type != "tool_approval_item"
        ]
        return [*ItemHelpers.input_to_new_input_list(self.input), *produced]

    def to_state(self) -> RunState[Any]:
        """The state of a run at rest, from which the run can be resumed.

        A suspended run resumes with the decisions on its ``interruptions``; a stopped or failed run
        resumes where it came to rest. A finished run returns its result again without a model call.

        Raises:
            UserError: The run is still going, or its agents were released.
        """
        if self._state is None or not self._at_rest:
            raise UserError(
                "This run has no state: it is still going, or its agents were released. Call"
                " to_state() after the run has ended and before release_agents()."
            )
        return self._state()

    @property
    def _at_rest(self) -> bool:
        return True

    def release_agents(self, *, release_new_items: bool = True) -> None:
        """Hold the agents weakly from now on, so that they can be garbage-collected.

        Args:
            release_new_items: Whether the items release their agents as well.
        """
        self._release_last_agent()
        for verdict in self.output_guardrail_results:
            verdict.release_agent()
        if release_new_items:
            for item in self.new_items:
                item.release_agent()

    @abc.abstractmethod
    def _release_last_agent(self) -> None: ...


def _referent(ref: weakref.ReferenceType[Any] | None) -> Any:
    agent = ref() if ref is not None else None
    if agent is None:
        raise AgentsException(
            "The last agent of this result was released and no longer exists. Keep a reference to"
            " it, or read last_agent before release_agents()."
        )
    return agent


@kept_as_is()
@dataclass(kw_only=True)
class RunResult(RunResultBase):
    """The result of a run that is over."""

    _last_agent: Agent[Any] | None = None
    _last_agent_ref: weakref.ReferenceType[Agent[Any]] | None = field(default=None, repr=False)

    @property
    def last_agent(self) -> Agent[Any]:
        """The agent that was at work last.

        Raises:
            AgentsException: It was released and no longer exists.
        """
        return self._last_agent if self._last_agent is not None else _referent(self._last_agent_ref)

    def _release_last_agent(self) -> None:
        if self._last_agent is not None:
            self._last_agent_ref = weakref.ref(self._last_agent)
            self._last_agent = None
            self._state = self._input_list = None


@kept_as_is()
@dataclass(kw_only=True)
class RunResultStreaming(RunResultBase):
    """The result of a run that may still be going; until it ends, its lists grow.

    Attributes:
        is_complete: Whether the run is over and every list is final.
    """

    is_complete: bool = False
    _current_agent: Agent[Any] | None = None
    _current_turn: int = 0
    _agent_ref: weakref.ReferenceType[Agent[Any]] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # No dataclass fields: `dataclasses.asdict` copies every field.
        self._run: Run | None = None
        self._events = EventQueue()
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._cancelled = False
        self._raised = False
        self._released = False

    @property
    def current_agent(self) -> Agent[Any]:
        """The agent at work.

        Raises:
            AgentsException: It was released and no longer exists.
        """
        agent = self._current_agent if self._run is None else self._run.agent
        return agent if agent is not None else _referent(self._agent_ref)

    @property
    def current_turn(self) -> int:
        """The number of turns begun."""
        return self._current_turn if self._run is None else self._run.caches.turn

    @property
    def last_agent(self) -> Agent[Any]:
        """The agent at work or, after the run, the one that worked last.

        Raises:
            AgentsException: It was released and no longer exists.
        """
        return self.current_agent

    @property
    def _at_rest(self) -> bool:
        return self._run is None

    @property
    def run_loop_task(self) -> asyncio.Task[None] | None:
        """The task that carries out the run."""
        return self._task

    @property
    def run_loop_exception(self) -> BaseException | None:
        """The exception that ended the run, if it failed."""
        return self._error

    def cancel(self, mode: Literal["immediate", "after_turn"] = "immediate") -> None:
        """Stop the run.

        Args:
            mode: ``immediate`` ends it now: no further event, and nothing keeps running.
                ``after_turn`` lets the current turn finish, tools, saving and usage included, and
                stops before the next one.
        """
        if self._run is not None:
            # Also for ``immediate``: a tool may swallow its cancellation, and no turn may follow.
            self._run.caches.stopping = True
        if mode == "after_turn":
            # The consumer may stop reading, so the run must no longer wait for it.
            self._events.stop_waiting()
            return
        self._cancelled = True
        self.is_complete = True
        self._events.close(discard="everything")
        if self._task is not None:
            self._task.cancel()

    def stream_events(self, *, hold_until_cleared: bool = False) -> AsyncIterator[StreamEvent]:
        """The events of the run, as they happen.

        Args:
            hold_until_cleared: Whether events wait while input guardrails run beside the model. If
                one trips, nothing of the model's reply was shown.

        Leaving the loop early cancels the run; so does cancelling the task that consumes the
        events, and dropping or closing (`aclose`) the iterator before its first event.

        Returns:
            An async generator; `anext`, `async for` and `contextlib.aclosing` take it.

        Raises:
            AgentsException: It ended the run. The iterator raises it, not this call, after all
                events that came before it.
        """
        # Only a running loop closes a generator that is dropped after its first step.
        started = sys.get_asyncgen_hooks().finalizer is not None
        events = self._consume(started, hold_until_cleared)
        if started:
            take_first_step(events)
        return events

    async def _consume(self, started: bool, hold: bool) -> AsyncGenerator[StreamEvent, None]:
        """The events, and the end of the run for a consumer that leaves.

        Args:
            started: Whether :func:`take_first_step` takes the first step instead of the consumer.
            hold: Whether events wait for input guardrails.
        """
        over = False
        try:
            if started:
                yield STARTED
            queued = self._events.events()
            screened = held(queued, lambda: screening_of(self._run, self._error))
            async with aclosing(screened if hold else queued) as events:
                async for event in events:
                    yield event
                    if self._cancelled:
                        break
            over = True
        finally:
            if not over and not self.is_complete:
                self.cancel()
            if self._task is not None:
                await finished(self._task)
        if self._error is not None and not self._cancelled and not self._raised:
            self._raised = True
            raise self._error

    def _release_last_agent(self) -> None:
        self._released = True
        if self._current_agent is not None:
            self._agent_ref = weakref.ref(self._current_agent)
            self._current_agent = None
            self._state = self._input_list = None

    def _settle(self) -> None:
        """Copy the values that were read from the live run, and release the run."""
        run = self._run
        if run is None:
            return
        self.input = run.record.transcript.input
        # A resumed run that begins no turn is still at the one before.
        self._current_agent, self._current_turn = run.agent, run.caches.turn or run.record.turn
        self._run = None
        if self._released:
            self._release_last_agent()

    def _begin(
        self,
        run: Run,
        events: EventQueue,
        work: Callable[[], Coroutine[Any, Any, T]],
        settle: Callable[[T], None],
        what: str,
    ) -> None:
        """Start ``work`` in the background; it puts the events of the run on ``events``.

        Args:
            run: The run.
            events: The queue of its events.
            work: Carries out the run.
            settle: Stores the result of the work, before the run counts as complete.
            what: Names the work in errors.
        """
        loop = asyncio.get_running_loop()
        self._run, self._events = run, events
        self._task = loop.create_task(self._carry_out(work, settle, what))
        # A task that is cancelled before it starts runs no line of its coroutine.
        self._task.add_done_callback(lambda _: self._over())

    async def _carry_out(
        self, work: Callable[[], Coroutine[Any, Any, T]], settle: Callable[[T], None], what: str
    ) -> None:
        try:
            settle(await in_own_task(work(), what))
        except asyncio.CancelledError:
            self._events.close(discard="everything")
            raise
        except BaseException as error:
            self._error = error
            # The consumer still gets the events before the fault, except what a model said to an
            # input that a guardrail stopped.
            stopped = isinstance(error, InputGuardrailTripwireTriggered)
            self._events.close(discard="raw" if stopped else "nothing")
            if not isinstance(error, Exception):
                raise
        finally:
            self._over()

    def _over(self) -> None:
        """Close the stream and release the run."""
        self._settle()
        self.is_complete = True
        self._events.close()
