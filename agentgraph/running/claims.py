"""The right to go on with a run: one holder at a time, in this process and in all others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from agentgraph.drivers.run import Run, begin_again
from agentgraph.memory.journals import RunStatus
from agentgraph.running.durable import DurableJournal
from agentgraph.running.stored_runs import open_run
from agentgraph_compiler.machine import StateKind

if TYPE_CHECKING:
    from agentgraph.running.launch import Launch

__all__ = ["claimed"]

_STATUS: Final[dict[StateKind, RunStatus]] = {
    StateKind.SUSPENDED: "suspended",
    StateKind.STOPPED: "stopped",
    StateKind.UNSAVED: "unsaved",
    StateKind.FAILED: "failed",
    StateKind.DONE: "done",
    StateKind.BLOCKED: "blocked",
    StateKind.EXHAUSTED: "exhausted",
}


def claimed(launched: Launch) -> AbstractAsyncContextManager[Any]:
    """Hold the right to go on with a run; wait for it while another holder has it."""
    if isinstance(launched.journal, DurableJournal):
        return _claimed(launched, launched.journal)
    return launched.journal.claim


@asynccontextmanager
async def _claimed(launched: Launch, journal: DurableJournal) -> AsyncIterator[None]:
    run, program = launched.run, launched.program
    async with journal.claim:
        opened = await open_run(journal.store, run.facts)
        await journal.take(launched.if_running, is_new=not opened.epoch)
        try:
            begin_again(run, (program.machine, program.bindings))
            yield
        finally:
            await journal.give_back(_status(run), _note(run, program.machine.name))


def _status(run: Run) -> RunStatus:
    here = run.caches.machine.state.get(run.state.state)
    return "stopped" if here is None else _STATUS.get(here.kind, "stopped")


def _note(run: Run, workflow: str) -> str:
    """What lists of runs show: names and numbers, no words of users or models."""
    waiting = [{"tool": item.qualified_name, "call": item.call_id} for item in run.record.waiting]
    note = {
        "workflow": workflow,
        "agent": getattr(run.agent, "name", ""),
        "turn": run.state.turn,
        "waiting": waiting,
        "machine": run.caches.machine.fingerprint,
    }
    return json.dumps(note, ensure_ascii=True)
