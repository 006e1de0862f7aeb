"""Launching: what the caller passes becomes a run.

A new run, a resumed one and one inside an agent tool are made by one constructor
(``drivers.run.make_run``); this module reads the arguments of the first two.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from agentgraph.approvals import RunPath
from agentgraph.drivers.journal import MemoryJournal
from agentgraph.drivers.run import Run, make_run
from agentgraph.drivers.work.guard import check_outputs_can_be_withheld
from agentgraph.drivers.workbench import Watcher
from agentgraph.frontend.scope import DEFAULT_SCOPE, RunScope
from agentgraph.items import ToolApprovalItem
from agentgraph.models.multi_provider import default_provider
from agentgraph.program import Program, program_for
from agentgraph.record.facts import NO_CONVERSATION, ConversationIds, RunFacts
from agentgraph.record.payloads import Resumed
from agentgraph.run_config import DEFAULT_MAX_TURNS, RunConfig, coerce_run_config
from agentgraph.run_context import RunContextWrapper
from agentgraph.running.agent_call import call_agent
from agentgraph.running.arguments import check_input, check_options
from agentgraph.running.recompile import Recompile
from agentgraph.running.state import OVER, RunState
from agentgraph.runtime.outcomes import Call
from agentgraph.usage import Usage

_OUTERMOST: RunPath = ()


class Launch(NamedTuple):
    """A run about to begin.

    Args:
        run: The run.
        program: What it runs.
        journal: Where its rows stand, shared by every state of it.
        given: The context of another run, where the caller passed that one.
    """

    run: Run
    program: Program
    journal: MemoryJournal
    given: RunContextWrapper[Any] | None = None


def launch(source: Any, input: Any, options: Mapping[str, Any], watcher: Watcher) -> Launch:
    """Make a run from what the caller passes.

    Args:
        source: An agent, a ``Workflow`` or a ``Program``.
        input: A text, a list of items, or a ``RunState`` to resume.
        options: The keyword arguments of the runner (``RunOptions``).
        watcher: Who is told what happens.

    Raises:
        CompileError: The workflow has errors.
        UserError: The options contradict each other or have the wrong type.
    """
    check_options(options)
    config = coerce_run_config(options.get("run_config"))
    handlers = options.get("error_handlers") or {}
    if isinstance(input, RunState):
        return _resumed(input, options, config, watcher)
    check_input(input)
    plain = options.get("run_config") is None and not handlers
    program = program_for(source, DEFAULT_SCOPE if plain else RunScope.of(config, handlers))
    facts = RunFacts(
        os.urandom(16).hex(),
        _OUTERMOST,
        "",
        input,
        config,
        config.model_provider or default_provider(),
        options.get("max_turns", DEFAULT_MAX_TURNS),
        options.get("session"),
        options.get("hooks"),
        handlers,
        _conversation(options),
    )
    journal = MemoryJournal()
    context, given = _unwrapped(options)
    run = make_run(
        facts,
        (program.machine, program.bindings),
        Recompile(program.source, program.scope),
        journal,
        call_agent=call_agent,
        watcher=watcher,
        context=context,
        given=given,
    )
    check_outputs_can_be_withheld(run.agent, config, facts.conversation)
    return Launch(run, program, journal, given)


def _conversation(options: Mapping[str, Any]) -> ConversationIds:
    """Which conversation the server keeps as the run begins."""
    conversation, previous = options.get("conversation_id"), options.get("previous_response_id")
    chained = bool(previous or options.get("auto_previous_response_id"))
    if conversation is None and previous is None and not chained:
        return NO_CONVERSATION
    return ConversationIds(conversation, previous, chained)


def _unwrapped(options: Mapping[str, Any]) -> tuple[Any, RunContextWrapper[Any] | None]:
    """The context object that the caller passed; where that is the context of another run, as a
    tool has one, the object in it, and that context."""
    context = options.get("context")
    return (context.context, context) if isinstance(context, RunContextWrapper) else (context, None)


def _resumed(
    state: RunState[Any], options: Mapping[str, Any], config: RunConfig, watcher: Watcher
) -> Launch:
    handlers = options.get("error_handlers") or {}
    added = RunScope.of(config, handlers)
    program = state.program
    if state._read:
        # No text holds what the run's configuration added: it is the caller's to bring again.
        program = program_for(program.source, added, whole=True)
    # What the run can recover from now counts; what it began with keeps its guardrails.
    scope = program.scope.admitting(added.policy)
    began = state.facts
    facts = RunFacts(
        began.run_id,
        began.path,
        began.machine,
        began.input,
        config,
        config.model_provider or default_provider(),
        state.max_turns,
        options.get("session"),
        options.get("hooks"),
        handlers,
        began.conversation,
    )
    context, given = _unwrapped(options)
    run = make_run(
        facts,
        (program.machine, program.bindings),
        Recompile(program.source, scope),
        state.journal,
        call_agent=call_agent,
        watcher=watcher,
        context=state.context.context if context is None else context,
        tool_input=state.context.tool_input,
        resumption=Resumed(state.context._approvals.unrecorded(), state._pending_input),
    )
    run.caches.stale |= scope is not program.scope
    return Launch(run, program, state.journal, given)


class AtRest(NamedTuple):
    """What a state needs of a run at rest, so that the rest of the run can go."""

    context: RunContextWrapper[Any]
    spent: Usage
    input: Any
    agent: Any
    program: Program
    journal: MemoryJournal
    facts: RunFacts
    waiting: list[ToolApprovalItem]
    turn: int
    over: bool
    rows: int
    calls: tuple[Call, ...]


def at_rest(launched: Launch) -> AtRest:
    """What is kept of a run for the states that are asked for later."""
    run = launched.run
    record = run.record
    # What the runs inside have spent may grow: another state may go on with the same journal.
    inside = run.caches.journal.inside(run.facts.path)
    spent = run.spent() if inside.requests or inside.total_tokens else record.usage
    return AtRest(
        run.bench.context,
        spent,
        record.transcript.original,
        run.agent,
        launched.program,
        launched.journal,
        run.facts,
        record.waiting,
        record.turn,
        run.caches.machine.state[run.state.state].kind in OVER,
        run.rows,
        record.calls,
    )


def live_state(launched: Launch) -> RunState[Any]:
    """The state of a run that a live result follows."""
    return state_of(at_rest(launched))


def state_of(rest: AtRest) -> RunState[Any]:
    """The state of a run at rest; all states of one run share its journal."""
    of_run, spent = rest.context, Usage()
    spent.add(rest.spent)
    # Decisions in one state are not those in another.
    context = RunContextWrapper(
        of_run.context,
        spent,
        list(of_run.turn_input),
        of_run._approvals.copy(),
        of_run.tool_input,
    )
    return RunState(
        context=context,
        original_input=rest.input,
        current_agent=rest.agent,
        max_turns=rest.facts.limit,
        program=rest.program,
        journal=rest.journal,
        facts=rest.facts,
        _interruptions=list(rest.waiting),
        _turn=rest.turn,
        _over=rest.over,
        _rows=rest.rows,
        _called=frozenset(call.name for call in rest.calls),
    )
