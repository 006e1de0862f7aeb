"""Launching: the caller's arguments become a run.

One constructor (``drivers.run.make_run``) makes new, resumed and nested runs. This module reads the
arguments of the first two; ``agent_call`` makes nested runs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from agentgraph.approvals import RunPath
from agentgraph.authoring.recording import current_recorder
from agentgraph.drivers.journal import MemoryJournal
from agentgraph.drivers.run import Run, make_run
from agentgraph.drivers.work.guard import check_outputs_can_be_withheld
from agentgraph.drivers.workbench import InnerRuns, Watcher
from agentgraph.exceptions import UserError
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope
from agentgraph.items.question_item import Interruption
from agentgraph.items.text import carried
from agentgraph.models.multi_provider import default_provider
from agentgraph.program import Program, program_for
from agentgraph.record.facts import NO_CONVERSATION, ConversationIds, RunFacts
from agentgraph.record.payloads import Resumed
from agentgraph.run_config import DEFAULT_MAX_TURNS, RunConfig, coerce_run_config
from agentgraph.run_context import RunContextWrapper
from agentgraph.running.agent_call import call_agent
from agentgraph.running.arguments import check_input, check_options
from agentgraph.running.branch_call import run_branch
from agentgraph.running.durable import DurableJournal, IfRunning
from agentgraph.running.needed_context import check_context
from agentgraph.running.persist import classes_of
from agentgraph.running.recompile import Recompile
from agentgraph.running.state import OVER, RunState
from agentgraph.runtime.outcomes import Call
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.items import TResponseInputItem
    from agentgraph.workflow import Source

_OUTERMOST: RunPath = ()
INNER = InnerRuns(call_agent, run_branch)
"""What runs agents inside any run."""


class Launch(NamedTuple):
    """A run about to begin.

    Args:
        run: The run.
        program: The program it runs.
        journal: The rows of the run, shared by all its states.
        shared_context: The context of another run, if the caller passed that one.
        if_running: What to do if a durable run is alive in another place.
    """

    run: Run
    program: Program
    journal: MemoryJournal
    shared_context: RunContextWrapper[Any] | None = None
    if_running: IfRunning = "wait"


def note_start(source: Source | Program, options: Mapping[str, Any]) -> None:
    """Tell a recorder of the command line that a run begins; it may end the run there."""
    recorder = current_recorder()
    if recorder is not None:
        recorder.started(source, options)


def launch(
    source: Source | Program,
    input: str | list[Any] | RunState[Any],
    options: Mapping[str, Any],
    watcher: Watcher,
) -> Launch:
    """Make a run from the caller's arguments.

    Args:
        source: An agent, a ``Workflow`` or a ``Program``.
        input: A text, a list of items, or a ``RunState`` to resume.
        options: The keyword arguments of the runner (``RunOptions``).
        watcher: Receives the events of the run.

    Raises:
        CompileError: The workflow has errors.
        UserError: The options contradict each other or have the wrong type.
    """
    note_start(source, options)
    check_options(options)
    config = coerce_run_config(options.get("run_config"))
    handlers = options.get("error_handlers") or {}
    if isinstance(input, RunState):
        return _resumed(input, options, config, watcher)
    check_input(input)
    if isinstance(input, str):
        input = carried(input)
    plain = options.get("run_config") is None and not handlers
    program = program_for(source, DEFAULT_SCOPE if plain else RunScope.of(config, handlers))
    facts = RunFacts(
        run_id=options.get("run_id") or os.urandom(16).hex(),
        path=_OUTERMOST,
        machine="",
        input=input,
        config=config,
        provider=config.model_provider or default_provider(),
        limit=options.get("max_turns", DEFAULT_MAX_TURNS),
        session=options.get("session"),
        hooks=options.get("hooks"),
        handlers=handlers,
        conversation=_conversation(options),
    )
    journal = _journal(options, config, facts.run_id, program)
    context, caller_context = _unwrapped(options)
    check_context((bound.agent for bound in program.bindings.agents.values()), context)
    run = make_run(
        facts,
        (program.machine, program.bindings),
        Recompile(program.source, program.scope),
        journal,
        inner=INNER,
        watcher=watcher,
        context=context,
        caller_context=caller_context,
        resumption=Resumed() if journal.is_durable else None,
    )
    check_outputs_can_be_withheld(run.agent, config, facts.conversation)
    waits = options.get("if_running", "wait")
    return Launch(run, program, journal, shared_context=caller_context, if_running=waits)


def _journal(
    options: Mapping[str, Any], config: RunConfig, run_id: str, program: Program
) -> MemoryJournal:
    """The journal of a run; nothing of a stored one was read yet.

    Raises:
        UserError: The caller names a run, but no journal.
    """
    store = options.get("journal") or config.journal
    if store is None:
        if options.get("run_id") is not None:
            raise UserError("run_id names a run in a journal, so pass journal=, too.")
        return MemoryJournal()
    machines = {program.machine.fingerprint: program.machine}
    return DurableJournal(store, run_id, partial(classes_of, program.bindings), machines)


def _conversation(options: Mapping[str, Any]) -> ConversationIds:
    """The conversation that the server keeps when the run begins."""
    conversation, previous = options.get("conversation_id"), options.get("previous_response_id")
    chained = bool(previous or options.get("auto_previous_response_id"))
    if conversation is None and previous is None and not chained:
        return NO_CONVERSATION
    return ConversationIds(conversation, previous, chained)


def _unwrapped(options: Mapping[str, Any]) -> tuple[Any, RunContextWrapper[Any] | None]:
    """The context object of the run, and the wrapper if the caller passed one.

    A tool may pass the context of its own run, which wraps the object.
    """
    context = options.get("context")
    return (context.context, context) if isinstance(context, RunContextWrapper) else (context, None)


def _resumed(
    state: RunState[Any], options: Mapping[str, Any], config: RunConfig, watcher: Watcher
) -> Launch:
    handlers = options.get("error_handlers") or {}
    configured = RunScope.of(config, handlers)
    program = state.program
    if state._read:
        # A stored text lacks what the run's configuration added, so the caller passes it again.
        program = program_for(program.source, configured, whole=True)
    # The error handlers passed now apply; the guardrails are those that the run began with.
    scope = program.scope.admitting(configured.policy)
    first = state.facts
    facts = RunFacts(
        run_id=first.run_id,
        path=first.path,
        machine=first.machine,
        input=first.input,
        config=config,
        provider=config.model_provider or default_provider(),
        limit=state.max_turns,
        session=options.get("session"),
        hooks=options.get("hooks"),
        handlers=handlers,
        conversation=first.conversation,
    )
    context, caller_context = _unwrapped(options)
    journal = state.journal
    if not journal.is_durable:
        stored = _journal(options, config, first.run_id, program)
        if isinstance(stored, DurableJournal):
            stored.continues(journal)
            journal = stored
    run = make_run(
        facts,
        (program.machine, program.bindings),
        Recompile(program.source, scope),
        journal,
        inner=INNER,
        watcher=watcher,
        context=state.context.context if context is None else context,
        tool_input=state.context.tool_input,
        resumption=Resumed(state.context._approvals.unrecorded(), state._pending_input),
    )
    run.caches.stale |= scope is not program.scope
    waits = options.get("if_running", "wait")
    return Launch(run, program, journal, shared_context=caller_context, if_running=waits)


class AtRest(NamedTuple):
    """The parts of a run at rest that its state needs; the run itself can then be released."""

    context: RunContextWrapper[Any]
    usage: Usage
    input: str | list[TResponseInputItem]
    agent: Agent[Any]
    program: Program
    journal: MemoryJournal
    facts: RunFacts
    interruptions: list[Interruption]
    turn: int
    over: bool
    rows: int
    calls: tuple[Call, ...]


def at_rest(launched: Launch) -> AtRest:
    """Keep the parts of a run that later calls of ``to_state`` need."""
    run = launched.run
    record = run.record
    # The usage of nested runs may grow: another state may continue the same journal.
    inside = run.caches.journal.inside(run.facts.path)
    usage = run.spent() if inside.requests or inside.total_tokens else record.usage
    return AtRest(
        context=run.bench.context,
        usage=usage,
        input=record.transcript.original,
        agent=run.agent,
        program=launched.program,
        journal=launched.journal,
        facts=run.facts,
        interruptions=record.waiting,
        turn=record.turn,
        over=run.caches.machine.state[run.state.state].kind in OVER,
        rows=run.rows,
        calls=record.calls,
    )


def live_state(launched: Launch) -> RunState[Any]:
    """The state of the run behind a live result."""
    return state_of(at_rest(launched))


def state_of(rest: AtRest) -> RunState[Any]:
    """The state of a run at rest; all states of one run share its journal."""
    original, usage = rest.context, Usage()
    usage.add(rest.usage)
    # Each state has decisions of its own.
    context = RunContextWrapper(
        context=original.context,
        usage=usage,
        turn_input=list(original.turn_input),
        _approvals=original._approvals.copy(),
        tool_input=original.tool_input,
    )
    return RunState(
        context=context,
        original_input=rest.input,
        current_agent=rest.agent,
        max_turns=rest.facts.limit,
        program=rest.program,
        journal=rest.journal,
        facts=rest.facts,
        _interruptions=list(rest.interruptions),
        _turn=rest.turn,
        _over=rest.over,
        _rows=rest.rows,
        _called=frozenset(call.name for call in rest.calls),
    )
