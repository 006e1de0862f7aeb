"""Decisions on stored runs that wait, made without their program.

A decision is one row, which a later resume acts on. It is appended under a claim, so that it never
comes between the rows of a process that works on the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from agentgraph.approvals import Decision
from agentgraph.drivers.aio import Driver
from agentgraph.drivers.journal import Row
from agentgraph.drivers.work.questions import step_of
from agentgraph.exceptions import UserError
from agentgraph.items.question_item import Interruption, QuestionItem
from agentgraph.memory.journals import JournalStore
from agentgraph.program import program_for
from agentgraph.record.payloads import Resumed
from agentgraph.running.stored_reading import ReadRun, read_run
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.step import step
from agentgraph_compiler.machine import Event

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = ["Choice", "NothingWaits", "decide_run"]


class NothingWaits(UserError):
    """A run waits for no decision.

    Args:
        run_id: The run.
        status: What it is doing.
    """

    def __init__(self, run_id: str, status: str) -> None:
        super().__init__(f"Nothing waits for a decision in run {run_id!r}: it is {status}.")


class Choice(NamedTuple):
    """A decision on one waiting call, or the answer to one question.

    Args:
        item: The call or the question.
        decision: The decision.
        sticky: Whether it also applies to every later call of the tool in the run.
    """

    item: Interruption
    decision: Decision
    sticky: bool = False

    @classmethod
    def approving(cls, item: Interruption, *, sticky: bool = False) -> Choice:
        """Let a call be made; an interrupted one is made again."""
        return cls(item, Decision(approved=True), sticky)

    @classmethod
    def rejecting(cls, item: Interruption, message: str | None, *, sticky: bool = False) -> Choice:
        """Let no call be made; the model gets the message, or the usual text."""
        return cls(item, Decision(approved=False, message=message), sticky)

    @classmethod
    def returned(cls, item: Interruption, output: str) -> Choice:
        """Say what an interrupted call returned."""
        return cls(item, Decision(approved=False, answer=json.dumps(output)))

    @classmethod
    def answering(cls, item: QuestionItem, text: str, source: Source) -> Choice:
        """Answer a question.

        Args:
            item: The question.
            text: The answer, which counts as text if it fits so, else as JSON.
            source: The workflow, which has the type of the answer.

        Raises:
            UserError: It does not fit the type, or the program asks no such question any more.
        """
        step = step_of(item, program_for(source, whole=True).bindings)
        try:
            answer = step.written(text)
        except UserError as error:
            try:
                plain = json.loads(text)
            except ValueError:
                raise error from None
            answer = step.written(plain)
        return cls(item, Decision(approved=True, answer=answer))


async def decide_run(
    store: JournalStore,
    run_id: str,
    choose: Callable[[Sequence[Interruption]], Sequence[Choice]],
) -> list[Interruption]:
    """Store decisions on a run that waits; a resume goes on with them.

    Args:
        store: The journal.
        run_id: The run.
        choose: Gets what waits, and returns the decisions, at least one. What it raises leaves the
            run as it is.

    Returns:
        What is left without a decision; it can be decided once the run has gone on and waits again.

    Raises:
        UnknownRun: The journal has no such run.
        RunInProgress: A process works on the run.
        NothingWaits: The run waits for no decision.
        JournalError: The journal failed, or the run is damaged.
    """
    read = await read_run(store, run_id)
    driver, rows = _waiting(read), len(read.journal)
    waiting = list(driver.run.record.waiting)
    choices = choose(waiting)
    await read.journal.take("raise", is_new=False)
    status, note = read.stored.status, read.stored.note
    try:
        if len(read.journal) != rows:
            raise UserError(f"Run {run_id!r} has gone on meanwhile. Look at it again.")
        await _append(read, driver, choices)
        decided = {id(one.item) for one in choices}
        left = [item for item in waiting if id(item) not in decided]
        status, note = "stopped", _with_waiting(note, left)
    finally:
        await read.journal.give_back(status, note)
    return left


def _waiting(read: ReadRun) -> Driver:
    """A driver of the run, at its rest.

    Raises:
        NothingWaits: It waits for no decision.
    """
    driver = read.driver()
    if driver is not None:
        with read.replaying():
            driver.replay()
        if driver.rest is not None and driver.rest.awaiting:
            return driver
    raise NothingWaits(read.stored.run_id, read.stored.status)


async def _append(read: ReadRun, driver: Driver, choices: Sequence[Choice]) -> None:
    run, rest = driver.run, driver.rest
    assert rest is not None
    ledger = run.bench.context._approvals
    for one in choices:
        ledger.decide(one.item, one.decision, sticky=one.sticky)
    outcome = Outcome(rest.id, Event.RESUMED, Resumed(ledger.unrecorded()))
    state = run.state
    step(run.caches.machine, state, outcome)  # refuses an outcome that the run does not take
    row = Row(
        path=(),
        outcome=outcome,
        state=state.state,
        sequence=state.sequence,
        turn=state.turn,
    )
    await read.journal.append(len(read.journal), [row])


def _with_waiting(note: str, items: Sequence[Interruption]) -> str:
    """The note of a run, with what still waits."""
    fields = json.loads(note) if note else {}
    waiting = [{"tool": item.qualified_name, "call": item.call_id} for item in items]
    return json.dumps({**fields, "waiting": waiting}, ensure_ascii=True)
