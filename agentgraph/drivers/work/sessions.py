"""Reading a run's session and saving to it.

If the store fails, the run ends with a ``SessionError`` that names the session. The run can be
resumed, and then saves again.
"""

from __future__ import annotations

from functools import partial

from agentgraph.drivers.work.blocked_output import blocked_message
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.memory.runs.compaction import compact_after_save
from agentgraph.memory.runs.session_log import Saved, SessionLog
from agentgraph.memory.session import is_openai_responses_compaction_aware_session
from agentgraph.memory.transcripts.writing import Kept
from agentgraph.record.payloads import Loaded, SavedTurn
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph_compiler.machine import Event, Keep


async def load(bench: Workbench, command: Perform) -> Outcome:
    """Read the history, and store the new part of the input."""
    log = _log(bench)
    await bench.caches.journal.flush()
    agents = bench.caches.bindings.agents.values()
    # Whether the output of a tool may be the final output of the run.
    answers = any(bound.agent.tool_use_behavior != "run_llm_again" for bound in agents)
    first_input, saved = await log.load(
        bench.facts.config,
        tools_answer=answers,
        durable=bench.caches.journal.is_durable,
        again=command.id in bench.caches.doubtful,
    )
    payload = Loaded(tuple(first_input), _recorded(bench, saved))
    return Outcome(command.id, Event.DONE, payload)


async def save(bench: Workbench, command: Perform) -> Outcome:
    """Store the items that the phase keeps."""
    log, view, keep = _log(bench), bench.view, command.phase.keep
    if bench.caches.resumed:
        bench.caches.resumed = False
        log.restore(*view.stored())
    # A process that is killed now finds in the journal what it finds in the session.
    await bench.caches.journal.flush()
    blocked = None
    extent = Kept.ALL if keep is Keep.ALL else Kept.SETTLED
    if keep is Keep.WITHHELD and view.output_tripped is not None:
        extent = Kept.WITHHELD
        if not view.recovered:  # a tool's output may have been the final output
            tripped = view.output_tripped
            blocked = partial(blocked_message, bench.facts.config, tripped, bench.context)
    saved = await log.save(
        view.items,
        blocked=blocked,
        kept=extent,
        turn_start=view.turn_start,
        again=command.id in bench.caches.doubtful,
    )
    if keep is Keep.ALL:
        await _compact(bench, saved)
    return Outcome(command.id, Event.DONE, _recorded(bench, saved))


async def _compact(bench: Workbench, saved: Saved) -> None:
    """Let the session compact its history, of which this turn is a part now."""
    session, reply = bench.facts.session, bench.view.reply
    if reply is None or not is_openai_responses_compaction_aware_session(session):
        return
    response, request = reply.response, bench.view.requests[-1]
    await compact_after_save(
        session,
        saved.written,
        [*bench.view.input_of(request), *response.to_input_items()],
        response_id=response.response_id,
        store=request.settings.store,
        context=bench.context,
    )


def _log(bench: Workbench) -> SessionLog:
    """The session, as the run writes it.

    Raises:
        UserError: The run has a session, and was resumed without one in the middle of a turn.
    """
    log = bench.caches.session
    if log is None:
        raise UserError(
            "The run has a session and was resumed without one. Pass session=... again."
        )
    return log


def _recorded(bench: Workbench, saved: Saved) -> SavedTurn:
    ordinals = bench.view.ordinals(saved.written) if saved.written else ()
    return SavedTurn(ordinals, saved.items, saved.block, saved.anew)
