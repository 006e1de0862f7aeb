"""The journal: the rows of a run and of its nested runs, in the order of their appends.

A row is written before the driver shows its outcome or acts on it. An append names the index of the
next row, so if two writers append at once, one finds the index taken and fails
(docs/design/replay.md, section 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from agentgraph.approvals import RunPath
from agentgraph.memory.journals.errors import IndexTaken
from agentgraph.record.payloads import Failure, ModelReply, ToolReturn
from agentgraph.runtime.commands import CommandId
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import Facts
from agentgraph.usage import Usage
from agentgraph_compiler.machine import Machine

if TYPE_CHECKING:
    from agentgraph.frontend.bindings import Bindings


class Row(NamedTuple):
    """One row of a journal.

    Args:
        path: The run that it belongs to.
        outcome: The outcome.
        state: The state of the machine that took the outcome; a replay that diverges shows here.
        sequence: The number of that entry into the state.
        turn: The number of turns begun by then.
        spent: The usage of user code, in addition to the usage in the outcome.
    """

    path: RunPath
    outcome: Outcome
    state: str
    sequence: int
    turn: int
    spent: Usage | None = None


class Beginning(NamedTuple):
    """What a run began with; a replay begins with the same.

    Args:
        machine: The machine.
        bindings: The objects of its symbols.
        facts: What holds for the whole run.
    """

    machine: Machine
    bindings: Any
    facts: Facts


class Journal(Protocol):
    """The store of a run's rows.

    Attributes:
        traces: The ids of the traces that this process has announced for the run.
        is_durable: Whether its rows outlive the process.
        was_visited: Whether another process may have worked on the run before.
    """

    traces: frozenset[str]
    is_durable: bool
    was_visited: bool

    @property
    def started(self) -> Collection[tuple[RunPath, CommandId]]:
        """The effects that began, by path and command; only of durable runs."""
        ...

    def __len__(self) -> int: ...

    async def append(self, expected: int, rows: Sequence[Row]) -> None:
        """Append rows.

        Args:
            expected: The index of the first new row.
            rows: At least one.

        Raises:
            IndexTaken: The journal already has a row at that index.
        """
        ...

    async def starts(self, path: RunPath, id: CommandId) -> None:
        """Record that an effect begins; once this returns, it may.

        Args:
            path: The run.
            id: The command whose work has the effect.
        """
        ...

    async def flush(self) -> None:
        """Store the rows so far, whatever the durability: a session is about to hold them."""
        ...

    def rows(self, path: RunPath) -> Sequence[Row]:
        """The rows of one run, oldest first."""
        ...

    def inside(self, path: RunPath) -> Usage:
        """The usage of the runs nested in a run, from their rows; it grows with them."""
        ...

    def began(self, path: RunPath, beginning: Beginning) -> Beginning:
        """What a run began with.

        Args:
            path: The run.
            beginning: The current program. A new run begins with it. It also replaces a recorded
                machine that has the same fingerprint, and its bindings serve a machine that was
                read from a text.
        """
        ...

    def keep_machine(self, machine: Machine, bindings: Bindings | None) -> None:
        """Store a machine under its fingerprint."""
        ...

    def machine(self, fingerprint: str, bindings: Bindings) -> tuple[Machine, Bindings]:
        """A stored machine with the objects of its symbols.

        Args:
            fingerprint: Its fingerprint.
            bindings: The objects to use if the machine was read from a text.

        Raises:
            KeyError: No machine with this fingerprint is stored.
        """
        ...

    def whole(self, machine: Machine) -> Machine:
        """The machine that contains a sub-machine; an outermost machine returns itself."""
        ...


class Claim:
    """The right to continue a run: one holder at a time; the others wait until it is free."""

    __slots__ = ("_is_held", "_release")

    def __init__(self) -> None:
        self._is_held = False
        # The event that the waiting runs share; nearly every run has none beside it.
        self._release: asyncio.Event | None = None

    async def __aenter__(self) -> None:
        while self._is_held:
            if self._release is None:
                self._release = asyncio.Event()
            await self._release.wait()
        self._is_held = True

    async def __aexit__(self, *_: object) -> None:
        self._is_held = False
        release, self._release = self._release, None
        if release is not None:
            release.set()


class _RunRows:
    """The part of a journal in memory that belongs to one run.

    Attributes:
        rows: Its rows, oldest first, as far as the journal has sorted its rows by runs.
        inside: The usage of its nested runs.
        began: What it began with, once that is known.
    """

    __slots__ = ("began", "inside", "rows")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.inside = Usage()
        self.began: Beginning | None = None


class MemoryJournal:
    """A journal that lives as long as the process.

    Args:
        rows: Its first rows.

    Attributes:
        account: A usage to which new rows also add theirs; ``None`` for none.
        claim: The right to continue the run.
        traces: See :class:`Journal`.
    """

    __slots__ = ("_machines", "_rows", "_runs", "_sorted", "account", "claim", "traces")

    is_durable = was_visited = False
    started: Collection[tuple[RunPath, CommandId]] = ()

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.account: Usage | None = None
        self._rows: list[Row] = []
        self._runs: dict[RunPath, _RunRows] = {}
        # How many rows stand among those of their runs; most runs never ask for theirs.
        self._sorted = 0
        self.claim = Claim()
        self.traces: frozenset[str] = frozenset()
        self._machines: dict[str, tuple[Machine, Bindings | None]] = {}
        self._add(tuple(rows))

    def _add(self, rows: Sequence[Row]) -> None:
        self._rows += rows
        for row in rows:
            if row.path or self.account is not None:
                self._count(row)

    def _count(self, row: Row) -> None:
        usages = (row.spent, spent_in(row.outcome.payload))
        for usage in (one for one in usages if one is not None):
            for depth in range(len(row.path)):
                self.inside(row.path[:depth]).add(usage)
            if self.account is not None:
                self.account.add(usage)

    def _run(self, path: RunPath) -> _RunRows:
        run = self._runs.get(path)
        if run is None:
            run = self._runs[path] = _RunRows()
        return run

    async def append(self, expected: int, rows: Sequence[Row]) -> None:
        """See :class:`Journal`."""
        if expected != len(self._rows):
            raise IndexTaken(
                f"The journal has {len(self._rows)} rows, but a writer expected {expected}."
                " Another run has continued the same state meanwhile."
            )
        self._add(rows)

    async def starts(self, path: RunPath, id: CommandId) -> None:
        """See :class:`Journal`."""

    async def flush(self) -> None:
        """See :class:`Journal`."""

    def inside(self, path: RunPath) -> Usage:
        """See :class:`Journal`."""
        return self._run(path).inside

    def rows(self, path: RunPath) -> Sequence[Row]:
        """See :class:`Journal`."""
        for row in self._rows[self._sorted :]:
            self._run(row.path).rows.append(row)
        self._sorted = len(self._rows)
        return tuple(self._run(path).rows)

    def began(self, path: RunPath, beginning: Beginning) -> Beginning:
        """See :class:`Journal`."""
        run = self._run(path)
        recorded = run.began
        if recorded is None:
            run.began = beginning
            return beginning
        if recorded.machine is beginning.machine and recorded.bindings is not None:
            return recorded
        if recorded.machine.fingerprint == beginning.machine.fingerprint:
            same = run.began = beginning._replace(facts=recorded.facts)
            return same
        bindings = beginning.bindings if recorded.bindings is None else recorded.bindings
        return recorded._replace(bindings=bindings)

    def keep_machine(self, machine: Machine, bindings: Bindings | None) -> None:
        """See :class:`Journal`."""
        self._machines[machine.fingerprint] = (machine, bindings)

    def machine(self, fingerprint: str, bindings: Bindings) -> tuple[Machine, Bindings]:
        """See :class:`Journal`."""
        machine, stored = self._machines[fingerprint]
        return machine, bindings if stored is None else stored

    def whole(self, machine: Machine) -> Machine:
        """See :class:`Journal`."""
        for whole in (*(one.machine for one in self.beginnings().values()), *self.machines()):
            if any(part is machine for part in whole.machines):
                return whole
        return machine

    def prefix(self, count: int) -> MemoryJournal:
        """A new journal with the first rows of this one."""
        other = MemoryJournal(self._rows[:count])
        for path, beginning in self.beginnings().items():
            other._run(path).began = beginning
        other._machines.update(self._machines)
        return other

    def beginnings(self) -> Mapping[RunPath, Beginning]:
        """What each run began with."""
        return {path: run.began for path, run in self._runs.items() if run.began is not None}

    def machines(self) -> tuple[Machine, ...]:
        """The machines that runs migrated to."""
        return tuple(machine for machine, _ in self._machines.values())

    def all(self) -> tuple[Row, ...]:
        """The rows of every run, in the order of their appends."""
        return tuple(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def spent_in(payload: object) -> Usage | None:
    """The usage that an outcome reports; ``None`` if it reports none.

    Args:
        payload: The payload of the outcome.
    """
    if isinstance(payload, ModelReply):
        return payload.response.usage
    return payload.usage if isinstance(payload, ToolReturn | Failure) else None
