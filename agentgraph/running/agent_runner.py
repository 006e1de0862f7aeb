"""The runner behind `Runner`: it carries runs out, and a program may put its own in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import Unpack

from agentgraph.drivers.workbench import UNWATCHED, StandIn, Watcher
from agentgraph.run_config import RunOptions, coerce_run_config
from agentgraph.run_context import TContext
from agentgraph.running.claims import claimed
from agentgraph.running.ending import carry_out, input_list, interruptions_of, output_of, result_of
from agentgraph.running.event_queue import EventQueue
from agentgraph.running.launch import Launch, at_rest, launch, live_state, state_of
from agentgraph.running.moves import show_moves
from agentgraph.running.result import RunResult, RunResultStreaming
from agentgraph.running.state import RunState
from agentgraph.running.step_outputs import outputs_of
from agentgraph.running.thread_loop import wait_for
from agentgraph.running.watching import watcher_of
from agentgraph.user_code.cancellation import in_own_task

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import TResponseInputItem
    from agentgraph.models.interface import Model
    from agentgraph.program import Program
    from agentgraph.runtime.commands import Rest
    from agentgraph.workflow import Workflow

    Runnable = Agent[TContext] | Workflow | Program
    RunInput = str | list[TResponseInputItem] | list[TResponseInputItem | str] | RunState[TContext]

__all__ = [
    "AgentRunner",
    "every_model_is",
    "get_default_agent_runner",
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
        watcher = watcher_of(queue, replays=kwargs.get("replay_events", False))
        launched = self._launch(starting_agent, input, kwargs, watcher)
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
    async with claimed(launched):
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
