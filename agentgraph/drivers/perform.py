"""The function for each kind of work. Each returns an outcome that the machine's table allows.

An exception of user code or of a model becomes the outcome ``FAILED`` with the fault as data; the
exception itself is kept beside the record. Work that is cancelled with its run has no outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from agentgraph.drivers.work.act import ScreeningFailed, act, judge, screen, tell
from agentgraph.drivers.work.actions import perform_action
from agentgraph.drivers.work.approval import ask, hold
from agentgraph.drivers.work.branches import split, work_in_branch
from agentgraph.drivers.work.catch import catch
from agentgraph.drivers.work.edges import leave, work
from agentgraph.drivers.work.guard import guard_input, guard_output
from agentgraph.drivers.work.missing import missing
from agentgraph.drivers.work.outputs import decide, end
from agentgraph.drivers.work.questions import answer
from agentgraph.drivers.work.recover import recover
from agentgraph.drivers.work.returning import entrust
from agentgraph.drivers.work.sessions import load, save
from agentgraph.drivers.work.think import greet, tell_reply, think, wait
from agentgraph.drivers.work.transfer import transfer
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import UserError
from agentgraph.record.payloads import Failure
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.stored.faults import fault_of
from agentgraph.user_code.cancellation import was_cancelled
from agentgraph_compiler.machine import About, Event, WorkKind

WorkFunction = Callable[[Workbench, Perform], Awaitable[Outcome]]


async def _tell(bench: Workbench, command: Perform) -> Outcome:
    about_reply = command.phase.about is About.REPLY
    return await (tell_reply if about_reply else tell)(bench, command)


async def _hand_over(bench: Workbench, command: Perform) -> Outcome:
    returns = command.phase.about is About.CALL
    return await (entrust if returns else transfer)(bench, command)


PERFORMS: Final[dict[WorkKind, WorkFunction]] = {
    WorkKind.LOAD: load,
    WorkKind.SAVE: save,
    WorkKind.GREET: greet,
    WorkKind.MODEL: think,
    WorkKind.WAIT: wait,
    WorkKind.TELL: _tell,
    WorkKind.INPUT_GUARDRAIL: guard_input,
    WorkKind.OUTPUT_GUARDRAIL: guard_output,
    WorkKind.ASK: ask,
    WorkKind.HOLD: hold,
    WorkKind.SCREEN: screen,
    WorkKind.FUNCTION: act,
    WorkKind.AGENT: act,
    WorkKind.ACTION: perform_action,
    WorkKind.MISSING: missing,
    WorkKind.JUDGE: judge,
    WorkKind.HANDOFF: _hand_over,
    WorkKind.DECIDE: decide,
    WorkKind.RECOVER: recover,
    WorkKind.END: end,
    WorkKind.EDGE: leave,
    WorkKind.STEP: work,
    WorkKind.ANSWER: answer,
    WorkKind.SPLIT: split,
    WorkKind.BRANCH: work_in_branch,
    WorkKind.CATCH: catch,
}


async def perform(
    bench: Workbench, command: Perform, performs: Mapping[WorkKind, WorkFunction] = PERFORMS
) -> Outcome:
    """Do the work of a command.

    Args:
        bench: What the work may use.
        command: The command.
        performs: The function for each kind of work.

    Returns:
        Its outcome; an exception becomes the payload of a failed one.
    """
    try:
        return await performs[command.phase.kind](bench, command)
    except asyncio.CancelledError as error:
        if await was_cancelled():
            raise
        return failure_outcome(bench, command, _cancelled_itself(bench, command, error))
    except ScreeningFailed as error:
        cause = error.__cause__
        assert cause is not None
        outcome = failure_outcome(bench, command, cause)
        return outcome._replace(payload=Failure(fault_of(cause), screened=error.screened))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return failure_outcome(bench, command, error)


def failure_outcome(bench: Workbench, command: Perform, error: BaseException) -> Outcome:
    """The outcome of work that raised an exception."""
    bench.caches.errors[command.id] = error
    return Outcome(command.id, Event.FAILED, Failure(fault_of(error)))


def _cancelled_itself(
    bench: Workbench, command: Perform, error: asyncio.CancelledError
) -> UserError:
    """The fault of work that raised CancelledError by itself, while the run was not cancelled."""
    fault = UserError(
        f"'{command.invoke.symbol}' of agent '{bench.agent(command).name}' raised CancelledError"
        " although the run was not cancelled. Something that it awaits was cancelled."
    )
    fault.__cause__ = error
    return fault
