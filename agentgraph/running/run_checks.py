"""Whether the pending runs of a journal can go on in a program, before it is deployed.

A run that was recorded with another machine replays on that machine and then moves to the present
one. Both are tried here, and nothing is performed or stored.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from agentgraph.drivers.aio import Driver
from agentgraph.drivers.names import counterparts
from agentgraph.drivers.run import Run, make_run
from agentgraph.drivers.workbench import InnerRuns
from agentgraph.exceptions import AgentsException, UserError
from agentgraph.memory.journals import JournalStore, RunStatus, StoredRun
from agentgraph.program import Program, program_for
from agentgraph.running.durable import DurableJournal
from agentgraph.running.journal_lines import read_head
from agentgraph.running.persist import classes_of, stored_facts
from agentgraph.running.recompile import Recompile
from agentgraph.runtime.migrate import MigrationError, migrate
from agentgraph.runtime.step import ProtocolError
from agentgraph.version import installed_version
from agentgraph_compiler.machine import MISSING_TOOL, Machine, Rest, WorkKind

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = ["PENDING", "RunCheck", "RunVerdict", "check_runs"]

PENDING: Final[tuple[RunStatus, ...]] = ("running", "suspended", "stopped", "unsaved", "failed")
"""The statuses of runs that may go on."""

RunVerdict: TypeAlias = Literal["same", "moves", "moves_later", "refused", "damaged"]
"""What becomes of a run: it goes on in the same machine; it moves to the present one at once, or at
its next turn; it cannot go on; or its lines cannot be read."""

_PAGE: Final = 200


class RunCheck(NamedTuple):
    """The verdict on a run.

    Args:
        run_id: The run.
        status: What it is doing.
        verdict: What becomes of it.
        reason: Why, in words; empty for a run that goes on in the same machine.
        code: The version of agentgraph that began it, if that is another one.
    """

    run_id: str
    status: RunStatus
    verdict: RunVerdict
    reason: str = ""
    code: str = ""

    @property
    def can_go_on(self) -> bool:
        """Whether the run can go on in the program."""
        return self.verdict not in ("refused", "damaged")


async def check_runs(
    journal: JournalStore,
    source: Source | Program,
    *,
    statuses: Sequence[RunStatus] = PENDING,
) -> AsyncIterator[RunCheck]:
    """Check whether runs can go on in a program.

    Args:
        journal: The journal that holds the runs.
        source: The agent or workflow as it is now; runs of other workflows are passed over.
        statuses: Which runs.

    Yields:
        A verdict on each run, the latest changed first.

    Raises:
        CompileError: The program has errors.
        JournalError: The journal cannot be read.
    """
    program = program_for(source, whole=True)
    last = ""
    while page := await journal.runs(statuses, limit=_PAGE, after=last):
        last = page[-1].run_id
        for stored in page:
            if _workflow_of(stored) in ("", program.machine.name):
                yield await _checked(journal, program, stored)


def _workflow_of(stored: StoredRun) -> str:
    """The name of the workflow of a run; empty before its first rest."""
    return str(json.loads(stored.note).get("workflow", "")) if stored.note else ""


async def _checked(store: JournalStore, program: Program, stored: StoredRun) -> RunCheck:
    run_id, status, code = stored.run_id, stored.status, ""
    try:
        head = read_head(stored.head)
        code = "" if head.code == installed_version() else head.code
        machines = {program.machine.fingerprint: program.machine}
        journal = DurableJournal(store, run_id, partial(classes_of, program.bindings), machines)
        await journal.load()
        run = make_run(
            stored_facts(run_id, head.input, head.limit, head.conversation),
            (program.machine, program.bindings),
            Recompile(program.source, program.scope),
            journal,
            inner=InnerRuns(_performs_nothing, _performs_nothing),
        )
        driver = Driver(run)
        driver.replay()
    except (AgentsException, ProtocolError) as error:
        reason = error.message if isinstance(error, UserError) else str(error)
        return RunCheck(run_id, status, "damaged", reason=reason, code=code)
    try:
        verdict, reason = _move(run, driver)
    except MigrationError as error:
        return RunCheck(run_id, status, "refused", reason=str(error), code=code)
    return RunCheck(run_id, status, verdict, reason=reason, code=code)


async def _performs_nothing(*work: object) -> Any:
    raise ProtocolError(f"a check performs nothing, but was asked for {work!r}")


def _move(run: Run, driver: Driver) -> tuple[RunVerdict, str]:
    """What becomes of a run that was replayed.

    Raises:
        MigrationError: It cannot go on.
    """
    caches, state = run.caches, run.state
    binding = caches.bindings.agents.get(state.agent)
    if binding is None:
        raise MigrationError(f"agent '{state.agent}', which is at work, is gone")
    machine, bindings = caches.recompile(binding.agent)
    if machine.fingerprint == caches.machine.fingerprint:
        return "same", ""
    changed = _changed(caches.machine, machine)
    here = caches.machine.state[state.state]
    for command in driver.owed.values():
        symbol, kind = command.invoke.symbol, command.phase.kind
        gone = symbol not in bindings.symbols and kind in _BOUND
        if gone and not symbol.endswith(MISSING_TOOL):
            raise MigrationError(f"'{symbol}', which is at work, is gone")
    agents = counterparts(caches.bindings, bindings)
    try:
        migrate(caches.machine, state, machine, agents)
    except MigrationError:
        if here.rest is not Rest.NO:
            raise
        return "moves_later", f"it finishes its turn first; {changed}"
    return "moves", changed


_BOUND: Final = frozenset(
    {
        WorkKind.INPUT_GUARDRAIL,
        WorkKind.OUTPUT_GUARDRAIL,
        WorkKind.EDGE,
        WorkKind.STEP,
    }
)
"""Kinds of work that need the object of their symbol."""


def _changed(before: Machine, after: Machine) -> str:
    """What differs between two machines, in words."""
    old, new = ({one.name: one for one in machine.agents} for machine in (before, after))
    parts = [
        *(f"agent '{name}' is gone" for name in old if name not in new),
        *(f"agent '{name}' is new" for name in new if name not in old),
        *(f"agent '{name}' changed" for name in old if name in new and old[name] != new[name]),
    ]
    return ", ".join(parts) or "states or tools changed"
