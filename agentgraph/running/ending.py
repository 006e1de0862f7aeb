"""Carrying a run out, and making its result or its exception when it comes to rest.

Results are projections of the record; the final state decides which exception is raised.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from typing import Any

from agentgraph.authoring.trace_listening import is_listened_to
from agentgraph.drivers.aio import drive
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.outputs import final_output
from agentgraph.drivers.work.recover import turns_exceeded
from agentgraph.drivers.work.think import without_reasoning_id
from agentgraph.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    MachineChanged,
    OutputGuardrailTripwireTriggered,
    RunErrorDetails,
)
from agentgraph.memory.errors import SessionError
from agentgraph.memory.runs.transcript import Transcript
from agentgraph.record.payloads import GuardrailVerdict
from agentgraph.run_config import RunConfig
from agentgraph.running.result import RunResult
from agentgraph.running.step_outputs import outputs_of
from agentgraph.runtime.commands import Rest
from agentgraph.runtime.migrate import MigrationError
from agentgraph.tools.computers import dispose_resolved_computers
from agentgraph_compiler.machine import StateKind

_TRACED = "agentgraph.drivers.traced.driver"
_QUIET = frozenset({StateKind.DONE, StateKind.SUSPENDED, StateKind.STOPPED})


async def carry_out(run: Run) -> Rest:
    """Carry a run out until it comes to rest.

    Args:
        run: The run.

    Returns:
        Where it came to rest: done, suspended, or stopped by the caller.

    Raises:
        AgentsException: The run ended in any other way; the exception has the run's data so far.
    """
    log = run.caches.session
    rest: Rest | None = None
    try:
        async with nullcontext() if log is None else log.at_work(run.record.transcript.original):
            try:
                rest = await (_traced if is_listened_to() else drive)(run)
            finally:
                await dispose_resolved_computers(run_context=run.bench.context)
            if rest.kind not in _QUIET:
                raise _fault(run, rest)
    except MigrationError as error:
        refused = MachineChanged(str(error))
        refused.run_data = _details(run, rest)
        raise refused from error
    except AgentsException as error:
        # A nested run may have set its own data; the caller gets those of the outer run.
        error.run_data = _details(run, rest)
        raise
    return rest


def _traced(run: Run) -> Awaitable[Rest]:
    """Carry a run out with a trace, by a driver that is loaded only then."""
    awaitable: Awaitable[Rest] = import_module(_TRACED).drive(run)
    return awaitable


def _fault(run: Run, rest: Rest) -> BaseException:
    """The exception for a rest that is not quiet."""
    if rest.kind is StateKind.UNSAVED:
        return _unsaved(run, rest)
    if rest.kind is StateKind.EXHAUSTED:
        return turns_exceeded(run.facts.limit)
    record = run.record
    payload = None if rest.source is None else record.payloads[rest.source]
    if isinstance(payload, GuardrailVerdict):
        if payload.about_output:
            verdict = run.bench.view.output_tripped
            assert verdict is not None
            return OutputGuardrailTripwireTriggered(verdict)
        tripped = [one for one in record.input_guardrail_results if one.output.tripwire_triggered]
        return InputGuardrailTripwireTriggered(tripped[-1])
    return run.bench.error(rest.source)


def _unsaved(run: Run, rest: Rest) -> BaseException:
    """The exception for a failed save; its context is the exception that ended the run, if any."""
    error = run.bench.error(run.record.last_failure)
    if not isinstance(error, SessionError):
        session = getattr(run.facts.session, "session_id", type(run.facts.session).__name__)
        session_error = SessionError(
            f"Session {session!r} could not store the run: {type(error).__name__}."
            " The run can be resumed from its state, which stores it without asking a model again."
        )
        session_error.__cause__ = error
        error = session_error
    if rest.source is not None and rest.source in run.caches.errors:
        error.__context__ = run.caches.errors[rest.source]
    return error


def _details(run: Run, rest: Rest | None) -> RunErrorDetails:
    record = run.record
    log = record.transcript
    whole = record.judged
    if rest is not None:
        # If only the save failed, all items count.
        unsaved = rest.kind is StateKind.UNSAVED and rest.source is None
        whole = whole or unsaved or rest.kind is StateKind.EXHAUSTED
    return RunErrorDetails(
        input=log.input,
        new_items=list(log.new_items) if whole else log.settled(),
        raw_responses=list(record.raw_responses),
        last_agent=run.agent,
        context_wrapper=run.bench.context,
        input_guardrail_results=list(record.input_guardrail_results),
        output_guardrail_results=list(record.output_guardrail_results),
        tool_input_guardrail_results=list(record.tool_input_guardrail_results),
        tool_output_guardrail_results=list(record.tool_output_guardrail_results),
    )


def result_of(run: Run, rest: Rest) -> RunResult:
    """The result of a run that came to rest."""
    record = run.record
    log = record.transcript
    return RunResult(
        input=log.input,
        new_items=log.new_items,
        raw_responses=record.raw_responses,
        final_output=output_of(run, rest),
        input_guardrail_results=record.input_guardrail_results,
        output_guardrail_results=record.output_guardrail_results,
        tool_input_guardrail_results=record.tool_input_guardrail_results,
        tool_output_guardrail_results=record.tool_output_guardrail_results,
        context_wrapper=run.bench.context,
        max_turns=run.facts.limit,
        interruptions=interruptions_of(run, rest),
        outputs=outputs_of(run, rest),
        _input_list=partial(input_list, log, run.facts.config),
        _last_agent=run.agent,
    )


def input_list(log: Transcript, config: RunConfig, mode: str) -> list[Any]:
    """The items of a run, as input for another run.

    Args:
        log: The run's items.
        config: The run's configuration (``reasoning_item_id_policy``).
        mode: ``normalized`` for the conversation as the model saw it.
    """
    items: list[Any] = log.normalized() if mode == "normalized" else log.input_list()
    if config.reasoning_item_id_policy == "omit":
        items = [without_reasoning_id(item) for item in items]
    return items


def output_of(run: Run, rest: Rest) -> Any:
    """The final output of a run; ``None`` if the run has none."""
    if rest.kind is StateKind.DONE:
        return final_output(run.bench, rest.source, run.agent)
    return None


def interruptions_of(run: Run, rest: Rest) -> list[Any]:
    """The calls that a suspended run waits for."""
    return list(run.record.waiting) if rest.kind is StateKind.SUSPENDED else []
