"""``Runner``, which runs a workflow.

``run``, ``run_sync`` and ``run_streamed`` make the same run; only the last passes its events on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from agentgraph.drivers.workbench import UNWATCHED, StandIn, Watcher
from agentgraph.run_config import (
    DEFAULT_MAX_TURNS,
    CallModelData,
    CallModelInputFilter,
    ModelInputData,
    OutputGuardrailBlockedMessageArgs,
    OutputGuardrailBlockedMessageFormatter,
    ReasoningItemIdPolicy,
    RunConfig,
    RunOptions,
    ToolErrorFormatter,
    ToolErrorFormatterArgs,
    ToolExecutionConfig,
    ToolNameCollisionPolicy,
    ToolNotFoundBehavior,
    coerce_run_config,
)
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.running.ending import carry_out, input_list, interruptions_of, output_of, result_of
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.launch import Launch, at_rest, launch, live_state, state_of
from agentgraph.running.moves import Moved, RunMoves, observing_runs, show_moves
from agentgraph.running.result import RunResult, RunResultStreaming
from agentgraph.running.state import RunState
from agentgraph.running.step_outputs import outputs_of
from agentgraph.running.thread_loop import wait_for
from agentgraph.running.watching import watcher_of
from agentgraph.user_code.cancellation import in_own_task

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import TResponseInputItem
    from agentgraph.lifecycle import RunHooks
    from agentgraph.memory.session import Session
    from agentgraph.models.interface import Model
    from agentgraph.program import Program
    from agentgraph.run_error_handlers import RunErrorHandlers
    from agentgraph.runtime.commands import Rest
    from agentgraph.workflow import Workflow

    Runnable = Agent[TContext] | Workflow | Program
    RunInput = str | list[TResponseInputItem] | list[TResponseInputItem | str] | RunState[TContext]

__all__ = [
    "DEFAULT_MAX_TURNS",
    "AgentRunner",
    "CallModelData",
    "CallModelInputFilter",
    "ModelInputData",
    "Moved",
    "OutputGuardrailBlockedMessageArgs",
    "OutputGuardrailBlockedMessageFormatter",
    "ReasoningItemIdPolicy",
    "RunConfig",
    "RunContextWrapper",
    "RunMoves",
    "RunOptions",
    "RunState",
    "Runner",
    "TContext",
    "ToolErrorFormatter",
    "ToolErrorFormatterArgs",
    "ToolExecutionConfig",
    "ToolNameCollisionPolicy",
    "ToolNotFoundBehavior",
    "every_model_is",
    "get_default_agent_runner",
    "observing_runs",
    "set_default_agent_runner",
]


class AgentRunner:
    """Runs workflows. To change how, subclass it and pass an instance to
    ``set_default_agent_runner``."""

    def _launch(
        self,
        source: Runnable[Any],
        input: RunInput[Any],
        options: RunOptions[Any],
        watcher: Watcher,
    ) -> Launch:
        return launch(source, input, options, watcher)

    async def run(
        self,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        **kwargs: Unpack[RunOptions[TContext]],
    ) -> RunResult:
        """See :meth:`Runner.run`."""
        launched = self._launch(starting_agent, input, kwargs, UNWATCHED)
        del kwargs  # the run refers to what it needs of them, and it may wait for a long time
        rest = await in_own_task(_carry_out(launched), _name(launched))
        result = result_of(launched.run, rest)
        result._state = partial(state_of, at_rest(launched))
        return result

    def run_sync(
        self,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        **kwargs: Unpack[RunOptions[TContext]],
    ) -> RunResult:
        """See :meth:`Runner.run_sync`."""
        return wait_for(self.run(starting_agent, input, **kwargs))

    def run_streamed(
        self,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        **kwargs: Unpack[RunOptions[TContext]],
    ) -> RunResultStreaming:
        """See :meth:`Runner.run_streamed`."""
        queue = EventQueue()
        launched = self._launch(starting_agent, input, kwargs, watcher_of(queue))
        result = _live_result(launched)
        result._begin(
            launched.run,
            queue,
            partial(_carry_out, launched),
            partial(_settle, launched, result),
            _name(launched),
        )
        return result


def _name(launched: Launch) -> str:
    return f"The run of agent '{launched.run.agent.name}'"


async def _carry_out(launched: Launch) -> Rest:
    journal = launched.journal
    async with journal.claim:
        context = launched.shared_context
        journal.account = None if context is None else context.usage
        rows = len(journal)
        try:
            return await carry_out(launched.run)
        finally:
            show_moves(journal, rows)


def _settle(launched: Launch, result: RunResultStreaming, rest: Rest) -> None:
    result.final_output = output_of(launched.run, rest)
    result.interruptions = interruptions_of(launched.run, rest)
    result.outputs = outputs_of(launched.run, rest)


def _live_result(launched: Launch) -> RunResultStreaming:
    run, record = launched.run, launched.run.record
    log = record.transcript
    return RunResultStreaming(
        input=log.input,
        new_items=log.new_items,
        raw_responses=record.raw_responses,
        final_output=None,
        input_guardrail_results=record.input_guardrail_results,
        output_guardrail_results=record.output_guardrail_results,
        tool_input_guardrail_results=record.tool_input_guardrail_results,
        tool_output_guardrail_results=record.tool_output_guardrail_results,
        context_wrapper=run.bench.context,
        max_turns=run.facts.limit,
        _input_list=partial(input_list, run.record.transcript, run.facts.config),
        _state=partial(live_state, launched),
    )


class Runner:
    """Runs a workflow: compiles it, checks it, and follows the machine until it finishes."""

    @classmethod
    async def run(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
    ) -> RunResult:
        """Run a workflow to its end.

        Args:
            starting_agent: The agent to start with, or a ``Workflow`` or compiled ``Program``.
            input: A text, a list of input items (a plain string is a user message), or the state
                of a run at rest.
            context: The object for tools, guardrails and hooks; the model never sees it. If it is
                the context of another run, such as a tool receives, this run uses the object in
                it, and this run's usage also counts into its usage.
            max_turns: The most model calls; ``None`` means no limit.
            hooks: Called when something happens in the run.
            run_config: The configuration of the whole run.
            error_handlers: Turn failures (``max_turns``, ``model_refusal``,
                ``invalid_final_output``) into final outputs.
            previous_response_id: The stored response to continue from; only new items are sent.
            auto_previous_response_id: Whether each call continues from the response before it.
            conversation_id: The conversation that the server stores.
            session: Stores the conversation between runs.

        Returns:
            The result. Its ``interruptions`` lists the calls that wait for approval.

        Raises:
            CompileError: The workflow has errors; no model was called.
            MaxTurnsExceeded: The run used up its turns.
            InputGuardrailTripwireTriggered: An input guardrail stopped the run.
            OutputGuardrailTripwireTriggered: An output guardrail stopped the run.
            ModelBehaviorError: The model's reply cannot be used.
            UserError: The program uses the library in a way that cannot work.
        """
        return await get_default_agent_runner().run(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
        )

    @classmethod
    def run_sync(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        *,
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        error_handlers: RunErrorHandlers[TContext] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
    ) -> RunResult:
        """Run a workflow to its end from sync code; see :meth:`run`.

        Raises:
            RuntimeError: An event loop is running in this thread; use ``await Runner.run(...)``
                instead.
        """
        return get_default_agent_runner().run_sync(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
        )

    @classmethod
    def run_streamed(
        cls,
        starting_agent: Runnable[TContext],
        input: RunInput[TContext],
        context: TContext | None = None,
        max_turns: int | None = DEFAULT_MAX_TURNS,
        hooks: RunHooks[TContext] | None = None,
        run_config: RunConfig | dict[str, Any] | None = None,
        previous_response_id: str | None = None,
        auto_previous_response_id: bool = False,
        conversation_id: str | None = None,
        session: Session | None = None,
        *,
        error_handlers: RunErrorHandlers[TContext] | None = None,
    ) -> RunResultStreaming:
        """Begin a run in the background and return its live result at once; see :meth:`run`.

        Consume ``result.stream_events()`` to follow the run. The run finishes even if the program
        consumes no events.

        Raises:
            CompileError: The workflow has errors; no model was called.
        """
        return get_default_agent_runner().run_streamed(
            starting_agent,
            input,
            context=context,
            max_turns=max_turns,
            hooks=hooks,
            run_config=run_config,
            error_handlers=error_handlers,
            previous_response_id=previous_response_id,
            auto_previous_response_id=auto_previous_response_id,
            conversation_id=conversation_id,
            session=session,
        )


_STOCK = AgentRunner()
_current: AgentRunner = _STOCK


def set_default_agent_runner(runner: AgentRunner | None) -> None:
    """Set the runner that carries out ``Runner``'s calls; ``None`` restores the stock runner."""
    global _current
    _current = _STOCK if runner is None else runner


def get_default_agent_runner() -> AgentRunner:
    """Return the runner that carries out ``Runner``'s calls."""
    return _current


class _OneModelRunner(AgentRunner):
    def __init__(self, model: str | Model, stand_in: StandIn | None = None) -> None:
        self._model, self._stand_in = model, stand_in

    def _launch(
        self,
        source: Runnable[Any],
        input: RunInput[Any],
        options: RunOptions[Any],
        watcher: Watcher,
    ) -> Launch:
        launched = super()._launch(source, input, options, watcher)
        launched.run.caches.stand_in = self._stand_in
        return launched

    async def run(
        self,
        starting_agent: Runnable[Any],
        input: RunInput[Any],
        **kwargs: Unpack[RunOptions[Any]],
    ) -> RunResult:
        return await super().run(starting_agent, input, **self._with_model(kwargs))

    def run_streamed(
        self,
        starting_agent: Runnable[Any],
        input: RunInput[Any],
        **kwargs: Unpack[RunOptions[Any]],
    ) -> RunResultStreaming:
        return super().run_streamed(starting_agent, input, **self._with_model(kwargs))

    def _with_model(self, options: RunOptions[Any]) -> RunOptions[Any]:
        config = coerce_run_config(options.get("run_config"))
        return {**options, "run_config": replace(config, model=self._model)}


@contextmanager
def every_model_is(model: str | Model, stand_in: StandIn | None = None) -> Iterator[None]:
    """Use one model, or the model of that name, in all runs, those of guardrails and tools too.

    Args:
        model: The model or its name.
        stand_in: Answers the calls of tools in their place.
    """
    before = get_default_agent_runner()
    set_default_agent_runner(_OneModelRunner(model, stand_in))
    try:
        yield
    finally:
        set_default_agent_runner(before)
