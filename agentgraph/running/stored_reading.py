"""Stored runs as people and tools look at them: read from a journal, without their program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from agentgraph.approvals import ApprovalLedger
from agentgraph.drivers.aio import Driver
from agentgraph.exceptions import UserError
from agentgraph.memory.journals import JournalError, JournalStore, StoredRun, UnknownRun
from agentgraph.record.facts import RunFacts
from agentgraph.record.payloads import ModelReply
from agentgraph.running.context_forms import write_context
from agentgraph.running.durable import DurableJournal
from agentgraph.running.journal_lines import BEGAN, read_head
from agentgraph.running.persist import stored_facts, to_lines
from agentgraph.running.stored_runs import machines_in
from agentgraph.running.unbound import unbound_driver
from agentgraph.runtime.step import ProtocolError
from agentgraph.stored.journal_file import object_in

__all__ = ["ReadRun", "journal_text", "read_run"]


class ReadRun:
    """A stored run, with its outcomes.

    Args:
        stored: What the journal knows of it.
        journal: Its lines.

    Raises:
        UserError: The head is damaged, or the content of the run was erased.
    """

    def __init__(self, stored: StoredRun, journal: DurableJournal) -> None:
        self.stored, self.journal = stored, journal
        self.head = read_head(stored.head)

    @property
    def facts(self) -> RunFacts:
        """The facts of the outermost run."""
        head = self.head
        return stored_facts(self.stored.run_id, head.input, head.limit, head.conversation)

    def driver(self) -> Driver | None:
        """A driver of the outermost run, which has replayed nothing yet; ``None`` before the run
        begins."""
        beginning = self.journal.beginnings().get(())
        if beginning is None:
            return None
        return unbound_driver(self.facts, beginning.machine, self.journal)

    @property
    def calls(self) -> dict[str, str]:
        """The names of the tools that were called, by the ids of the calls."""
        payloads = (row.outcome.payload for row in self.journal.all())
        replies = (one for one in payloads if isinstance(one, ModelReply))
        return {one.call_id: one.name for reply in replies for one in reply.identities}

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """Say which run is damaged, if its rows do not fit together.

        Raises:
            JournalError: They do not.
        """
        try:
            yield
        except ProtocolError as error:
            raise JournalError(
                f"Run {self.stored.run_id!r} in {self.journal.store.place} is damaged: {error}."
            ) from error


async def read_run(store: JournalStore, run_id: str) -> ReadRun:
    """Read a stored run.

    Raises:
        UnknownRun: The journal has no such run.
        UserError: The head is damaged, or the content of the run was erased.
        JournalError: The journal cannot be read, or a line is damaged.
    """
    read = ReadRun(await _stored(store, run_id), DurableJournal(store, run_id, dict, {}))
    await read.journal.load()
    return read


async def _stored(store: JournalStore, run_id: str) -> StoredRun:
    stored = await store.find(run_id)
    if stored is None:
        raise UnknownRun(run_id, store.place)
    return stored


async def journal_text(store: JournalStore, run_id: str) -> str:
    """A stored run in the form of `RunState.to_journal`.

    Raises:
        UnknownRun: The journal has no such run.
        UserError: The run has not begun, or its content was erased.
        JournalError: The journal cannot be read, or a line is damaged.
    """
    stored = await _stored(store, run_id)
    head = read_head(stored.head)
    lines = [object_in(text, at) for at, text in enumerate(await store.read(run_id), 1)]
    began = [
        {name: value for name, value in line.items() if name != "kind"}
        for line in lines
        if line.get("kind") == BEGAN
    ]
    if not began:
        raise UserError(f"Run {run_id!r} in {store.place} has not begun.")
    machines = {}
    for fingerprint in sorted(machines_in(lines)):
        text = await store.machine(fingerprint)
        if text is None:
            raise JournalError(f"Machine {fingerprint} of run {run_id!r} is missing.")
        machines[fingerprint] = json.loads(text)
    return to_lines(
        {
            **json.loads(stored.head),
            "began": began,
            "max_turns": head.limit,
            "current_agent": None,
            "context": write_context(None, None, strict=False),
            "decisions": ApprovalLedger().to_json_dict(),
            "pending_input": [],
            "machines": machines,
            "rows": [line for line in lines if "index" in line],
        }
    )
