"""The fold: the one function that writes the record.

``absorb`` adds one outcome to the record; ``show`` logs what a move of the machine shows and
returns its items. A live run, a resumed run and a reader of a journal all call these two
(docs/design/architecture.md, rule 8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.guardrail import (
    GuardrailFunctionOutput,
    InputGuardrailResult,
    OutputGuardrailResult,
)
from agentgraph.record.items import (
    final_items,
    interruption,
    item_of,
    logged,
    reply_items,
    transfer_items,
    withheld,
)
from agentgraph.record.payloads import (
    FailedAttempt,
    Failure,
    GuardrailVerdict,
    Loaded,
    ModelReply,
    Resumed,
    Ruled,
    SavedTurn,
    Screened,
    ToolReturn,
)
from agentgraph.record.record import Names, Record
from agentgraph.record.step_payloads import BranchOutput, Chosen, FinalOutput
from agentgraph.runtime.commands import CommandId, Emit, Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailResult,
    ToolOutputGuardrailResult,
)
from agentgraph_compiler.machine import Emission, Event, Verdict, WorkKind

if TYPE_CHECKING:
    from agentgraph.items import RunItem
    from agentgraph.usage import Usage

_ACCEPTED, _UNKNOWN = Event.ACCEPTED, Verdict.UNKNOWN
_AGENT, _REPLY, _HANDOFF = Emission.AGENT, Emission.REPLY, Emission.HANDOFF


def absorb(
    record: Record,
    outcome: Outcome,
    command: Perform | None,
    names: Names,
    usage: Usage | None = None,
) -> None:
    """Add an outcome to the record.

    Args:
        record: The record.
        outcome: The outcome; the interpreter has accepted it.
        command: The command it answers; ``None`` for a reserved id and for a resumption.
        names: Resolves symbols.
        usage: The usage of user code, in addition to the usage in the outcome.
    """
    id, event, payload, _ = outcome
    record.payloads[id] = payload
    if usage is not None:
        record.usage.add(usage)
    if command is not None:
        note = _NOTES.get(command.phase.kind)
        if note is not None:
            note(record, event)
    take = _TAKES.get(type(payload))
    if take is not None:
        take(record, outcome, payload, names)


def _reply(record: Record, outcome: Outcome, payload: ModelReply, names: Names) -> None:
    reply, response = outcome.reply, payload.response
    record.usage.add(response.usage)
    record.calls = () if reply is None else reply.calls
    if reply is not None and reply.verdict is not _UNKNOWN:
        record.raw_responses.append(response)
    record.notes = payload.notes
    record.requests.append(payload.request)
    record.attempts = record.locks = 0
    record.replied = outcome.id
    record.results.clear()
    record.attached.clear()
    record.transcript.delivered()
    for identity in payload.identities:
        record.identities[identity.call_id] = identity
    ids = record.conversation
    if ids.chained and ids.conversation_id is None and response.response_id is not None:
        record.conversation = ids._replace(previous_response_id=response.response_id)


def _failed_attempt(record: Record, outcome: Outcome, payload: FailedAttempt, _: Names) -> None:
    record.attempts, record.locks = payload.number, payload.locks


def _failure(record: Record, outcome: Outcome, payload: Failure, names: Names) -> None:
    record.last_failure = outcome.id
    if payload.usage is not None:
        record.usage.add(payload.usage)
    if payload.screened is not None:
        _screened(record, outcome, payload.screened, names)


def _tool_return(record: Record, outcome: Outcome, payload: ToolReturn, _: Names) -> None:
    record.results[outcome.id.lane] = outcome.id
    if payload.usage is not None:
        record.usage.add(payload.usage)


def _screened(record: Record, outcome: Outcome, payload: Screened, names: Names) -> None:
    if payload.raw is not None:
        record.results[outcome.id.lane] = outcome.id
    if payload.custom_data is not None:
        record.attached[outcome.id.lane] = payload.custom_data
    for verdict in payload.verdicts:
        guardrail = names.tool_guardrail(
            payload.tool, verdict.place, verdict.name, output=payload.about_output
        )
        output = ToolGuardrailFunctionOutput(verdict.info, dict(verdict.behavior))  # type: ignore[arg-type]
        if payload.about_output:
            record.tool_output_guardrail_results.append(
                ToolOutputGuardrailResult(guardrail, output)
            )
        else:
            record.tool_input_guardrail_results.append(ToolInputGuardrailResult(guardrail, output))


def _ruled(record: Record, outcome: Outcome, payload: Ruled, _: Names) -> None:
    if payload.ruling is not None:
        record.ledger.record(payload.ruling)


def _resumed(record: Record, outcome: Outcome, payload: Resumed, _: Names) -> None:
    for ruling in payload.rulings:
        # The other rulings are for nested runs, which record them when they resume.
        if ruling.key is not None and ruling.key.path == record.path:
            record.ledger.record(ruling)
    record.waiting.clear()
    if payload.input:
        record.transcript.add_input(payload.input)


def _guarded(record: Record, outcome: Outcome, payload: GuardrailVerdict, names: Names) -> None:
    guardrail = names.guardrail(payload.symbol)
    verdict = GuardrailFunctionOutput(payload.info, payload.tripped)
    if payload.about_output:
        record.output_guardrail_results.append(
            OutputGuardrailResult(guardrail, payload.judged, names.agent(payload.agent), verdict)
        )
    else:
        record.input_guardrail_results.append(InputGuardrailResult(guardrail, verdict))


def _loaded(record: Record, outcome: Outcome, payload: Loaded, _: Names) -> None:
    record.transcript.prepare(list(payload.shown))
    _saved(record, outcome, payload.saved, _)


def _saved(record: Record, outcome: Outcome, payload: SavedTurn, _: Names) -> None:
    if payload.anew:
        record.stored.clear()
    record.stored += payload.items
    record.written += payload.written
    record.saved_block = payload.block


def _chosen(record: Record, outcome: Outcome, payload: Chosen, _: Names) -> None:
    if payload.source is None:
        record.transcript.drop_unsettled()
    else:
        record.outputs[payload.step] = payload.source, payload.agent
    record.entered, record.inputs = outcome.id, payload.inputs


def _branch(record: Record, outcome: Outcome, payload: BranchOutput, _: Names) -> None:
    record.branches.setdefault(payload.split, {})[outcome.id.lane] = outcome.id


def _judged(record: Record, event: Event) -> None:
    record.judged = True


def _recovered(record: Record, event: Event) -> None:
    record.recovered = event is _ACCEPTED


_NOTES: Mapping[WorkKind, Callable[[Record, Event], None]] = {
    WorkKind.OUTPUT_GUARDRAIL: _judged,
    WorkKind.RECOVER: _recovered,
    WorkKind.EDGE: lambda record, _: record.transcript.begin_turn(),  # the last one is settled
}
"""What the end of some kinds of work changes in the record, whatever its payload."""
_TAKES: Mapping[type, Callable[[Record, Outcome, Any, Names], None]] = {
    ModelReply: _reply,
    FailedAttempt: _failed_attempt,
    Failure: _failure,
    ToolReturn: _tool_return,
    Screened: _screened,
    Ruled: _ruled,
    Resumed: _resumed,
    GuardrailVerdict: _guarded,
    Loaded: _loaded,
    SavedTurn: _saved,
    Chosen: _chosen,
    BranchOutput: _branch,
}
"""What each kind of payload changes in the record beside ``payloads``; other kinds: nothing."""


def show(record: Record, emit: Emit, names: Names) -> Sequence[RunItem]:
    """Log what a move of the machine shows.

    Args:
        record: The record.
        emit: The command that shows it.
        names: Resolves symbols.

    Returns:
        The items, in order; none if only the agent at work changes.
    """
    emission, agent_id, source = emit
    if emission is _AGENT:
        record.agent_id = agent_id
        if agent_id in record.inputs:
            record.transcript.restart(record.inputs[agent_id])
        record.inputs = {}
        return ()
    payload = None if source is None else record.payloads[source]
    if source is None or payload is None:
        return ()
    agent, log = names.agent(agent_id), record.transcript
    if emission is _REPLY:
        items: Sequence[RunItem] = reply_items(payload, agent, log.new_items)
        log.append(items)
        if log.continued:
            log.note_reply(items)
        return items
    if emission is _HANDOFF:
        items = transfer_items(payload, names)
        log.append(items)
        if payload.filtered is not None:
            log.rebase(logged(payload.filtered, log.new_items, names))
        return items
    if isinstance(payload, FinalOutput):
        items = final_items(payload, agent, names)
        if isinstance(payload, BranchOutput):
            log.answer(source.lane, items[0])
        else:
            log.append(items)
        return items
    attached, origin = record.attached.get(source.lane), record.origin_of(source.lane)
    is_hidden = emission is Emission.WITHHELD
    item = (
        withheld(payload, agent, origin) if is_hidden else item_of(payload, agent, attached, origin)
    )
    log.answer(source.lane, item)
    return (item,)


def follow(record: Record, state: ControlState) -> None:
    """Copy turn and active agents from the control state, once a step has shown everything."""
    record.acted = state.acted
    if state.turn != record.turn:
        record.turn = state.turn
        record.transcript.begin_turn()


def wait(record: Record, awaiting: Sequence[CommandId], names: Names) -> None:
    """Log what waits for a person: calls and questions, those of nested runs included.

    Args:
        record: The record.
        awaiting: The outcomes of the lanes that wait.
        names: Resolves symbols.
    """
    questions = [one for id in awaiting for one in record.payloads[id].questions]
    record.waiting[:] = [interruption(question, names) for question in questions]
    record.transcript.note(
        item
        for item, question in zip(record.waiting, questions, strict=True)
        if question.key.path == record.path
    )
    record.ledger.ask(record.waiting)
