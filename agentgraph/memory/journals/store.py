"""The protocol of a journal: an append-only list of lines for each run, and who may append to it.

A line is a JSON text. An append names the place of its first line and the epoch of the claim under
which it is made. If either is out of date, it stores nothing; so two processes never continue one
run. Clocks decide only when a claim may be taken over, never whether an append counts
(docs/design/replay.md, section 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from agentgraph.memory.journals.holders import is_gone

__all__ = ["CLAIM_SECONDS", "OVER", "Durability", "JournalStore", "RunStatus", "StoredRun"]

CLAIM_SECONDS = 30.0
"""How long a claim holds if it is not renewed, in seconds."""

Durability: TypeAlias = Literal["sync", "async", "exit"]
"""When a line is stored: before its effect is visible, soon after, or once the run rests."""

RunStatus: TypeAlias = Literal[
    "running", "suspended", "stopped", "unsaved", "failed", "done", "blocked", "exhausted"
]
"""What a run is doing: at work or cut short, waiting for a decision, stopped by the caller, not
saved in its session, failed, or over in one of three ways."""


OVER: frozenset[RunStatus] = frozenset({"done", "blocked", "exhausted"})
"""The statuses of runs that are over."""


class StoredRun(NamedTuple):
    """A run as a journal knows it.

    Args:
        run_id: Its id.
        head: What holds for the whole run, as JSON text.
        status: What it is doing. A run whose process died still counts as running.
        epoch: How often it was claimed.
        holder: Who has claimed it; empty if it is free.
        expires: When the claim ends if it is not renewed, in seconds since 1970.
        lines: How many lines it has.
        note: What lists show of it, as JSON text; empty before its first rest.
        created: When it began, in seconds since 1970.
        updated: When its status last changed, in seconds since 1970.
    """

    run_id: str
    head: str
    status: RunStatus
    epoch: int
    holder: str
    expires: float
    lines: int
    note: str
    created: float
    updated: float

    def is_held(self, now: float) -> bool:
        """Whether a claim holds still, as far as this process can see.

        Args:
            now: The seconds since 1970.
        """
        return bool(self.holder) and self.expires > now and not is_gone(self.holder)


class JournalStore(Protocol):
    """Where the rows of durable runs are stored.

    Every method is one transaction, and may be called from any event loop. A store raises
    `JournalError` if it cannot be read or written; then nothing was stored.
    `agentgraph.testing.assert_journal_conformance` tests an implementation.

    Attributes:
        durability: When a run waits for its lines to be stored.
        claim_seconds: How long a claim holds if it is not renewed.
    """

    @property
    def durability(self) -> Durability: ...

    @property
    def claim_seconds(self) -> float: ...

    @property
    def place(self) -> str:
        """Where it is, for messages: a file, a server without its password."""
        ...

    async def open(self, run_id: str, head: str) -> StoredRun:
        """Begin a run, or find it if it has begun; its first head stays."""
        ...

    async def find(self, run_id: str) -> StoredRun | None:
        """Find a run."""
        ...

    async def claim(self, run_id: str, holder: str, seconds: float) -> int:
        """Take the right to continue a run, which then counts as running unless it is over.

        A holder that has the run already gets the same epoch again: the first answer was lost.

        Args:
            run_id: The run.
            holder: Who takes it, by a name of this claim.
            seconds: How long the claim holds if it is not renewed.

        Returns:
            The epoch: one more than that of any earlier claim.

        Raises:
            RunInProgress: Another holder has the run, and the claim holds still.
            UnknownRun: There is no such run.
        """
        ...

    async def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        """Make a claim hold for that many seconds from now.

        Raises:
            ClaimLost: There was a later claim.
        """
        ...

    async def append(self, run_id: str, epoch: int, first: int, lines: Sequence[str]) -> None:
        """Append lines, all or none.

        An append that is equal to one that the store has already counts as done: its answer was
        lost.

        Args:
            run_id: The run.
            epoch: The epoch of the claim.
            first: The place of the first line, which is the number of lines so far.
            lines: At least one.

        Raises:
            ClaimLost: There was a later claim.
            IndexTaken: There is another line at that place, or a line before it is missing.
        """
        ...

    async def read(self, run_id: str, first: int = 0) -> list[str]:
        """The lines of a run from a place on, in order.

        Raises:
            UnknownRun: There is no such run.
        """
        ...

    async def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        """Give a claim back; the time of the last change stays if nothing changed.

        Args:
            run_id: The run.
            epoch: The epoch of the claim.
            status: How the run rests.
            note: What lists show of it, as JSON text.

        Raises:
            ClaimLost: There was a later claim.
        """
        ...

    async def runs(
        self, statuses: Sequence[RunStatus] = (), *, limit: int = 100, after: str = ""
    ) -> list[StoredRun]:
        """List runs, the latest changed first.

        Args:
            statuses: Which runs; all if empty.
            limit: The most runs.
            after: The id of the run after which the list goes on; empty for its beginning.
        """
        ...

    async def delete(self, run_id: str) -> None:
        """Delete a run that is not claimed, and the machines that no run names any more.

        Raises:
            RunInProgress: Someone has claimed it.
            UnknownRun: There is no such run.
        """
        ...

    async def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        """Put other texts in the place of the head and the lines of a run that is not claimed, all
        or none; its epoch, status and times stay. Its machines are deleted as in `delete`.

        Raises:
            RunInProgress: Someone has claimed it.
            UnknownRun: There is no such run.
        """
        ...

    async def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        """Store the JSON text of a machine that a run uses, once for all runs."""
        ...

    async def machine(self, fingerprint: str) -> str | None:
        """The JSON text of a machine."""
        ...

    async def aclose(self) -> None:
        """Release what the store holds open. Closing again does nothing."""
        ...
