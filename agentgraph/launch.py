"""From what the caller passes to a run, and from how a run ended to its result or exception.

Plain, streamed, nested and resumed runs are all made here and all go through :func:`carry_out`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from agentgraph.blocked_output import blocked_message
from agentgraph.drivers.aio import Ending, drive
from agentgraph.drivers.payloads import ModelReply, Waiting
from agentgraph.drivers.perform import final_output
from agentgraph.drivers.run import Compiled, Conversation, Run, Watcher
from agentgraph.drivers.work.recover import turns_exceeded
from agentgraph.event_queue import EventQueue
from agentgraph.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    RunErrorDetails,
)
from agentgraph.frontend.lower_workflow import RunScope
from agentgraph.guardrail import InputGuardrailResult, OutputGuardrailResult
from agentgraph.item_helpers import ItemHelpers
from agentgraph.memory.run_transcript import Transcript
from agentgraph.memory.session_log import NOTHING_SAVED, SessionLog
from agentgraph.models.multi_provider import default_provider
from agentgraph.program import Program, program_for
from agentgraph.projection import project
from agentgraph.result import RunResult
from agentgraph.run_arguments import check_input, check_options
from agentgraph.run_config import DEFAULT_MAX_TURNS, RunConfig, coerce_run_config
from agentgraph.run_context import RunContextWrapper
from agentgraph.run_state import Recording, RunState
from agentgraph.runtime.commands import Finish, Perform, Suspend
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Emission, Event, StateKind

if TYPE_CHECKING:
    from agentgraph.items import RunItem, TResponseInputItem

Given = str | list["TResponseInputItem"]
CallAgent = Callable[[Run, Perform, Any, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Launch:
    """A run about to begin, and how it is resumed if it gets suspended.

    Args:
        run: The run.
        program: What it runs; ``None`` for a run inside another.
        fresh: Whether it begins at the beginning; a resumed run has its history already.
    """

    run: Run
    program: Program | None
    fresh: bool = True


def watcher_of(queue: EventQueue) -> Watcher:
    """Someone who is told of a run as stream events on a queue."""

    def show(emission: Emission, items: Sequence[RunItem], agent: Any) -> None:
        for event in project(emission, items, agent):
            queue.put(event)

    return Watcher(streamed=True, show=show, publish=queue.put, caught_up=queue.caught_up)


def launch(
    source: Any,
    given: Any,
    options: Mapping[str, Any],
    watcher: Watcher,
    call_agent: CallAgent,
) -> Launch:
    """Make a run from what the caller passes.

    Args:
        source: An agent, a ``Workflow`` or a ``Program``.
        given: The input: a text, a list of items, or a ``RunState`` to resume.
        options: The keyword arguments of the runner (``RunOptions``).
        watcher: Who is told what happens.
        call_agent: Runs agents used as tools.

    Raises:
        CompileError: The workflow has errors.
        UserError: The options contradict each other or have the wrong type.
    """
    check_options(options)
    config = coerce_run_config(options.get("run_config"))
    handlers = options.get("error_handlers") or {}
    if isinstance(given, RunState):
        return _resumed(given, options, config, watcher, call_agent)
    check_input(given)
    program = program_for(source, RunScope.of(config, handlers))
    conversation = Conversation(
        options.get("conversation_id"),
        options.get("previous_response_id"),
        bool(options.get("previous_response_id") or options.get("auto_previous_response_id")),
    )
    session = options.get("session")
    run = Run(
        machine=program.machine,
        bindings=program.bindings,
        recompile=Recompile(program.source, program.scope),
        transcript=_transcript(given, continued=conversation.kept_by_server),
        context=RunContextWrapper(context=options.get("context")),
        config=config,
        provider=config.model_provider or default_provider(),
        call_agent=call_agent,
        submachines=program.machine.submachine,
        session=None if session is None else SessionLog(session),
        hooks=options.get("hooks"),
        limit=options.get("max_turns", DEFAULT_MAX_TURNS),
        handlers=handlers,
        conversation=conversation,
        watcher=watcher,
    )
    run.agent = program.bindings.agents[program.chart.start].agent
    return Launch(run, program)


def _transcript(given: Given, *, continued: bool = False) -> Transcript:
    items = ItemHelpers.input_to_new_input_list(given)
    # The caller goes on using the list, and the result must not change with it.
    original = given if isinstance(given, str) else list(items)
    return Transcript(original, items, continued=continued)


@dataclass(frozen=True, slots=True)
class Recompile:
    """Compiles anew for a run whose agent was changed while it was going on.

    Args:
        source: What the run runs.
        scope: What the run adds to it.
    """

    source: Any
    scope: RunScope

    def __call__(self, agent: Any) -> Compiled:
        """Compile, starting with the agent at work if it can no longer be reached.

        Raises:
            CompileError: The change introduced an error.
        """
        program = program_for(self.source, self.scope)
        if not any(bound.agent is agent for bound in program.bindings.agents.values()):
            # The change cut the agent at work off from the start; what it can reach is what is
            # left.
            program = program_for(agent, self.scope)
        return program.machine, program.bindings


def _resumed(
    state: RunState[Any],
    options: Mapping[str, Any],
    config: RunConfig,
    watcher: Watcher,
    call_agent: CallAgent,
) -> Launch:
    recording = state.recording
    handlers = options.get("error_handlers") or {}
    # What the run can recover from now counts; what it began with keeps its guardrails.
    scope = state.program.scope.admitting(RunScope.of(config, handlers).policy)
    program = _within(scope, state.program)
    session = options.get("session")
    log = None if session is None else SessionLog(session, recording.saved)
    given = state.context
    context = RunContextWrapper(
        given.context if options.get("context") is None else options["context"],
        deepcopy(given.usage),
        [],
        given._approvals.copy(),
        given.tool_input,
    )
    run = replaying(
        Run(
            machine=program.machine,
            bindings=program.bindings,
            recompile=Recompile(program.source, scope),
            transcript=_transcript(recording.input),
            context=context,
            config=config,
            provider=config.model_provider or default_provider(),
            call_agent=call_agent,
            submachines=program.machine.submachine,
            session=log,
            hooks=options.get("hooks"),
            limit=state.max_turns,
            handlers=handlers,
            conversation=Conversation(*recording.conversation),
            watcher=watcher,
        ),
        recording,
    )
    run.agent = state.current_agent
    return Launch(run, program, fresh=False)


def _within(scope: RunScope, program: Program) -> Program:
    """A program in a scope that admits more than its own. One whose agents were changed since
    cannot be compiled as it was, and stays."""
    if scope is program.scope or not program.current:
        return program
    return program_for(program.source, scope)


def replaying(run: Run, recording: Recording) -> Run:
    """Give a run what was recorded of it before it was suspended."""
    run.transcript = Transcript(
        recording.input, list(recording.shown), continued=run.conversation.kept_by_server
    )
    run.recorded = recording.outcomes
    run.switches = dict(recording.switches)
    run.waiting = recording.waiting
    run.asked = recording.asked
    return run


async def carry_out(launched: Launch) -> Ending:
    """Carry a run out, from the reading of its session to the saving of its last turn.

    Args:
        launched: The run.

    Returns:
        How it came to rest: done, suspended, or ``None`` if it was asked to stop.

    Raises:
        AgentsException: What ended it otherwise, with the run's data so far.
    """
    run = launched.run
    ending: Ending = None
    log = run.session
    async with nullcontext() if log is None else log.at_work(run.transcript.original):
        try:
            # A run told to stop before it began asks nobody anything, so nothing is stored of it.
            if log is not None and launched.fresh and not run.stopping:
                await _load(run, log)
            ending = await drive(run)
            try:
                if isinstance(ending, Finish) and ending.kind is not StateKind.DONE:
                    raise _fault(run, ending)
            finally:
                # A store that fails now fails on top of what ended the run, and says both.
                await _settle(run, ending)
        except AgentsException as error:
            # A run inside this one may have left its own data there; the caller's run counts.
            error.run_data = _details(run, ending)
            raise
    return ending


async def _load(run: Run, log: SessionLog) -> None:
    agents = run.bindings.agents.values()
    # Whether the output of a tool may be the final one of the run.
    answers = any(bound.agent.tool_use_behavior != "run_llm_again" for bound in agents)
    shown = await log.load(run.config, tools_answer=answers)
    run.transcript.prepare(shown)


async def _settle(run: Run, ending: Ending) -> None:
    """Save the turn in which a run came to rest, as far as it may be kept (BEHAVIOUR.md, section
    9)."""
    if run.session is None or ending is None:
        return
    if isinstance(ending, Suspend):
        await run.save()
        return
    tripped = run.payload(ending.source) if ending.kind is StateKind.BLOCKED else None
    if isinstance(tripped, OutputGuardrailResult):
        blocked = partial(blocked_message, run.config, tripped, run.context)
        await run.session.save(run.transcript.new_items, blocked=blocked)
    elif ending.kind in (StateKind.DONE, StateKind.EXHAUSTED) or run.checked:
        await run.session.save(run.transcript.new_items)
    else:
        await run.session.save(run.transcript.settled())


def _fault(run: Run, ending: Finish) -> BaseException:
    """The exception that a final state other than ``done`` stands for."""
    if ending.kind is StateKind.EXHAUSTED:
        return turns_exceeded(run)
    payload = run.payload(ending.source)
    if ending.kind is StateKind.BLOCKED:
        if isinstance(payload, InputGuardrailResult):
            return InputGuardrailTripwireTriggered(payload)
        return OutputGuardrailTripwireTriggered(payload)
    fault = payload.fault if isinstance(payload, ModelReply) else payload
    assert isinstance(fault, BaseException)
    return fault


def _details(run: Run, ending: Ending) -> RunErrorDetails:
    log = run.transcript
    exhausted = isinstance(ending, Finish) and ending.kind is StateKind.EXHAUSTED
    whole = run.checked or exhausted
    return RunErrorDetails(
        input=log.input,
        new_items=list(log.new_items) if whole else log.settled(),
        raw_responses=list(run.raw_responses),
        last_agent=run.agent,
        context_wrapper=run.context,
        input_guardrail_results=list(run.input_guardrail_results),
        output_guardrail_results=list(run.output_guardrail_results),
        tool_input_guardrail_results=list(run.tool_input_guardrail_results),
        tool_output_guardrail_results=list(run.tool_output_guardrail_results),
    )


def result_of(launched: Launch, ending: Ending) -> RunResult:
    """The result of a run that came to rest."""
    run = launched.run
    log = run.transcript
    return RunResult(
        input=log.input,
        new_items=log.new_items,
        raw_responses=run.raw_responses,
        final_output=output_of(run, ending),
        input_guardrail_results=run.input_guardrail_results,
        output_guardrail_results=run.output_guardrail_results,
        tool_input_guardrail_results=run.tool_input_guardrail_results,
        tool_output_guardrail_results=run.tool_output_guardrail_results,
        context_wrapper=run.context,
        max_turns=run.limit,
        interruptions=interruptions_of(run, ending),
        _normalized=log.normalized,
        _state=partial(state_of, launched, ending) if isinstance(ending, Suspend) else None,
        _last_agent=run.agent,
    )


def output_of(run: Run, ending: Ending) -> Any:
    """The final output of a run; ``None`` if it did not come that far."""
    if isinstance(ending, Finish) and ending.kind is StateKind.DONE:
        return final_output(run, ending.source, run.agent)
    return None


def interruptions_of(run: Run, ending: Ending) -> list[Any]:
    """The calls that a suspended run waits for."""
    if not isinstance(ending, Suspend):
        return []
    return [item for id in ending.awaiting for item in run.payload(id).items]


def state_of(launched: Launch, ending: Suspend) -> RunState[Any]:
    """The state of a suspended run; a snapshot that can be run more than once."""
    run, program = launched.run, launched.program
    assert program is not None  # a run inside another is resumed with that one
    given = run.context
    context = RunContextWrapper(
        given.context, deepcopy(given.usage), [], given._approvals.copy(), given.tool_input
    )
    return RunState(
        context=context,
        original_input=run.transcript.input,
        current_agent=run.agent,
        max_turns=run.limit,
        program=program,
        recording=recording_of(run, ending),
        _interruptions=interruptions_of(run, ending),
    )


def recording_of(run: Run, ending: Suspend) -> Recording:
    """What was recorded of a suspended run, with the resumption as its last outcome."""
    waiting = {}
    for id in ending.awaiting:
        payload: Waiting = run.payload(id)
        if payload.inner is not None:
            waiting[payload.call_id] = payload.inner
    log = run.transcript
    return Recording(
        outcomes=(*run.journal, Outcome(ending.id, Event.RESUMED)),
        switches=dict(run.switches),
        waiting=waiting,
        input=log.original,
        shown=log.first_shown,
        saved=NOTHING_SAVED if run.session is None else run.session.saved,
        conversation=(
            run.conversation.conversation_id,
            run.conversation.previous_response_id,
            run.conversation.chained,
        ),
    )
