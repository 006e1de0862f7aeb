"""Stored runs as people and tools look at them: read from a journal, without their program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agentgraph.drivers.aio import Driver
from agentgraph.memory.journals import JournalError, JournalStore, StoredRun, UnknownRun
from agentgraph.record.facts import RunFacts
from agentgraph.run_config import RunConfig
from agentgraph.running.durable import DurableJournal
from agentgraph.running.journal_lines import read_head
from agentgraph.running.unbound import unbound_driver
from agentgraph.runtime.step import ProtocolError

__all__ = ["ReadRun", "read_run"]


class ReadRun:
    """A stored run, with its outcomes.

    Args:
        stored: What the journal knows of it.
        journal: Its lines, which were read.

    Raises:
        UserError: The head is damaged.
    """

    def __init__(self, stored: StoredRun, journal: DurableJournal) -> None:
        self.stored, self.journal = stored, journal
        self.head = read_head(stored.head)

    @property
    def facts(self) -> RunFacts:
        """The facts of the outermost run."""
        head = self.head
        return RunFacts(
            run_id=self.stored.run_id,
            path=(),
            machine="",
            input=head.input,
            config=RunConfig(),
            provider=None,
            limit=head.limit,
            conversation=head.conversation,
        )

    def driver(self) -> Driver | None:
        """A driver of the outermost run, which has replayed nothing yet; ``None`` before the run
        begins."""
        beginning = self.journal.beginnings().get(())
        if beginning is None:
            return None
        return unbound_driver(self.facts, beginning.machine, self.journal)

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
        JournalError: The journal cannot be read, or a line is damaged.
    """
    stored = await store.find(run_id)
    if stored is None:
        raise UnknownRun(run_id, store.place)
    journal = DurableJournal(store, run_id, dict, {})
    await journal.load()
    return ReadRun(stored, journal)
