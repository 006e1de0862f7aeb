"""A journal in memory: durable as long as the object, for tests and as the model of all stores."""

from __future__ import annotations

import time
from collections.abc import Sequence

from agentgraph.memory.journals.errors import ClaimLost, IndexTaken, RunInProgress, UnknownRun
from agentgraph.memory.journals.store import CLAIM_SECONDS, OVER, Durability, RunStatus, StoredRun

__all__ = ["InMemoryJournal"]


class InMemoryJournal:
    """A journal in memory.

    Args:
        claim_seconds: How long a claim holds if it is not renewed.
    """

    durability: Durability = "sync"
    place = "memory"

    def __init__(self, *, claim_seconds: float = CLAIM_SECONDS) -> None:
        self.claim_seconds = claim_seconds
        self._runs: dict[str, StoredRun] = {}
        self._lines: dict[str, list[str]] = {}
        self._epochs: dict[str, list[int]] = {}
        self._machines: dict[str, str] = {}
        self._used: dict[str, set[str]] = {}

    async def open(self, run_id: str, head: str) -> StoredRun:
        """See `JournalStore`."""
        if run_id not in self._runs:
            now = time.time()
            self._runs[run_id] = StoredRun(
                run_id=run_id,
                head=head,
                status="running",
                epoch=0,
                holder="",
                expires=0.0,
                lines=0,
                note="",
                created=now,
                updated=now,
            )
            self._lines[run_id], self._epochs[run_id] = [], []
        return self._run(run_id)

    async def find(self, run_id: str) -> StoredRun | None:
        """See `JournalStore`."""
        return self._run(run_id) if run_id in self._runs else None

    def _run(self, run_id: str) -> StoredRun:
        run = self._runs.get(run_id)
        if run is None:
            raise UnknownRun(run_id, self.place)
        return run._replace(lines=len(self._lines[run_id]))

    def _held(self, run_id: str, epoch: int) -> StoredRun:
        run = self._run(run_id)
        if run.epoch != epoch:
            raise ClaimLost(run_id)
        return run

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        """See `JournalStore`."""
        run, now = self._run(run_id), time.time()
        is_own = run.holder == holder
        if run.is_held(now) and not is_own:
            raise RunInProgress(run_id, run.holder)
        epoch = run.epoch if is_own else run.epoch + 1
        self._runs[run_id] = run._replace(
            status=run.status if run.status in OVER else "running",
            epoch=epoch,
            holder=holder,
            expires=now + seconds,
        )
        return epoch

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        """See `JournalStore`."""
        run = self._held(run_id, epoch)
        self._runs[run_id] = run._replace(expires=time.time() + seconds)

    async def append(self, run_id: str, epoch: int, first: int, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        self._held(run_id, epoch)
        stored, epochs = self._lines[run_id], self._epochs[run_id]
        if first != len(stored):
            last = first + len(lines)
            written = stored[first:last] == list(lines) and set(epochs[first:last]) == {epoch}
            if not written:
                raise IndexTaken(f"Run {run_id!r} has {len(stored)} lines, not {first}.")
            return
        stored += lines
        epochs += [epoch] * len(lines)

    async def read(self, run_id: str, first: int = 0) -> list[str]:
        """See `JournalStore`."""
        self._run(run_id)
        return self._lines[run_id][first:]

    async def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        """See `JournalStore`."""
        run = self._held(run_id, epoch)
        updated = run.updated if (run.status, run.note) == (status, note) else time.time()
        self._runs[run_id] = run._replace(
            status=status, holder="", expires=0.0, note=note, updated=updated
        )

    async def runs(
        self, statuses: Sequence[RunStatus] = (), *, limit: int = 100, after: str = ""
    ) -> list[StoredRun]:
        """See `JournalStore`."""
        runs = sorted(map(self._run, self._runs), key=lambda run: (-run.updated, run.run_id))
        if after:
            names = [run.run_id for run in runs]
            runs = runs[names.index(after) + 1 :] if after in names else []
        return [run for run in runs if not statuses or run.status in statuses][:limit]

    async def delete(self, run_id: str) -> None:
        """See `JournalStore`."""
        self._free(run_id)
        for part in (self._runs, self._lines, self._epochs):
            part.pop(run_id, None)
        self._forget_machines(run_id)

    async def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        """See `JournalStore`."""
        run = self._free(run_id)
        self._runs[run_id] = run._replace(head=head)
        self._lines[run_id], self._epochs[run_id] = list(lines), [run.epoch] * len(lines)
        self._forget_machines(run_id)

    def _free(self, run_id: str) -> StoredRun:
        run = self._run(run_id)
        if run.is_held(time.time()):
            raise RunInProgress(run_id, run.holder)
        return run

    def _forget_machines(self, run_id: str) -> None:
        self._used.pop(run_id, None)
        used = set().union(*self._used.values())
        self._machines = {key: one for key, one in self._machines.items() if key in used}

    async def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        """See `JournalStore`."""
        self._machines.setdefault(fingerprint, machine)
        self._used.setdefault(run_id, set()).add(fingerprint)

    async def machine(self, fingerprint: str) -> str | None:
        """See `JournalStore`."""
        return self._machines.get(fingerprint)

    async def aclose(self) -> None:
        """See `JournalStore`."""
