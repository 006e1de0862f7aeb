"""Journals in SQL databases: each method is one transaction on the rows (`sql_rows`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.memory.journals.sql_rows import RunRows
from agentgraph.memory.journals.store import Durability, RunStatus, StoredRun

__all__ = ["SQLJournal"]

_T = TypeVar("_T")


class SQLJournal(ABC):
    """A journal in an SQL database.

    Args:
        place: Where it is, for messages.
        durability: When lines are stored.
        claim_seconds: How long a claim holds if it is not renewed.
        chain: Whether runs that begin get a chain of hashes over their lines.

    Raises:
        AgentDefinitionError: A setting cannot work; the message names it.
    """

    def __init__(
        self, place: str, *, durability: Durability, claim_seconds: float, chain: bool
    ) -> None:
        _check_settings(type(self).__name__, durability, claim_seconds)
        self.place = place
        self.durability: Durability = durability
        self.claim_seconds, self.chain = claim_seconds, chain
        # The latest link of each run that goes on here, so that an append need not read it.
        self._links: dict[str, str] = {}

    @abstractmethod
    async def _call(self, run_id: str, call: Callable[[RunRows], _T], *, writes: bool = True) -> _T:
        """Run a call as one transaction.

        Args:
            run_id: The run, for messages; empty for a call about no run.
            call: The work. It may run again if its transaction was undone, or if the answer to its
                end was lost.
            writes: Whether it changes rows.

        Raises:
            JournalError: The database failed.
        """

    async def open(self, run_id: str, head: str) -> StoredRun:
        """See `JournalStore`."""
        stored = await self.find(run_id)
        if stored is not None:
            return stored
        return await self._call(run_id, lambda rows: rows.open(run_id, head, chain=self.chain))

    async def find(self, run_id: str) -> StoredRun | None:
        """See `JournalStore`."""
        return await self._call(run_id, lambda rows: rows.find(run_id), writes=False)

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        """See `JournalStore`."""
        return await self._call(run_id, lambda rows: rows.claim(run_id, holder, seconds))

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        """See `JournalStore`."""
        await self._call(run_id, lambda rows: rows.renew(run_id, epoch, seconds))

    async def append(self, run_id: str, epoch: int, first: int, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        link = self._links.get(run_id)
        self._links[run_id] = await self._call(
            run_id, lambda rows: rows.append(run_id, epoch, first, lines, link)
        )

    async def read(self, run_id: str, first: int = 0) -> list[str]:
        """See `JournalStore`."""
        return await self._call(run_id, lambda rows: rows.read(run_id, first), writes=False)

    async def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        """See `JournalStore`."""
        self._links.pop(run_id, None)
        await self._call(run_id, lambda rows: rows.finish(run_id, epoch, status, note))

    async def runs(
        self, statuses: Sequence[RunStatus] = (), *, limit: int = 100, after: str = ""
    ) -> list[StoredRun]:
        """See `JournalStore`."""
        return await self._call("", lambda rows: rows.runs(statuses, limit, after), writes=False)

    async def delete(self, run_id: str) -> None:
        """See `JournalStore`."""
        tries = 0

        def deleted(rows: RunRows) -> None:
            nonlocal tries
            tries += 1
            if tries == 1 or rows.find(run_id) is not None:
                rows.delete(run_id)

        await self._call(run_id, deleted)

    async def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        await self._call(run_id, lambda rows: rows.rewrite(run_id, head, lines))

    async def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        """See `JournalStore`."""
        await self._call(run_id, lambda rows: rows.keep_machine(run_id, fingerprint, machine))

    async def machine(self, fingerprint: str) -> str | None:
        """See `JournalStore`."""
        return await self._call("", lambda rows: rows.machine(fingerprint), writes=False)


def _check_settings(store: str, durability: object, claim_seconds: object) -> None:
    if durability not in ("sync", "async", "exit"):
        raise AgentDefinitionError(
            f"{store}: durability must be 'sync', 'async' or 'exit', not {durability!r}."
        )
    is_number = isinstance(claim_seconds, int | float) and not isinstance(claim_seconds, bool)
    if not is_number or not 0 < claim_seconds < float("inf"):  # type: ignore[operator]
        raise AgentDefinitionError(
            f"{store}: claim_seconds must be a positive number of seconds, not {claim_seconds!r}."
        )
