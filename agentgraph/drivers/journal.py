"""The journal: the rows of a run and of the runs inside it, in the order in which they were
appended.

A row is written before anything of its outcome is shown or done. The index of the next row is part
of an append, so of two writers one finds it taken and loses (docs/design/replay.md, section 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from agentgraph.approvals import RunPath
from agentgraph.exceptions import AgentsException
from agentgraph.record.payloads import spent_in
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import Facts
from agentgraph.usage import Usage
from agentgraph_compiler.machine import Machine


class Row(NamedTuple):
    """One row of a journal.

    Args:
        path: The run that it belongs to.
        outcome: The outcome.
        state: The state of the machine that it was told to; a replay that diverges is seen by it.
        sequence: How many states had been entered by then.
        turn: Turns begun by then.
        spent: What user code has spent beside the work that the outcome tells of.
    """

    path: RunPath
    outcome: Outcome
    state: str
    sequence: int
    turn: int
    spent: Usage | None = None


class Beginning(NamedTuple):
    """With what a run began; a replay begins with the same.

    Args:
        machine: The machine.
        bindings: What its symbols stand for.
        facts: What held for it.
    """

    machine: Machine
    bindings: Any
    facts: Facts


class IndexTaken(AgentsException):
    """Another writer has appended to the journal; nothing of this append was stored."""


class Journal(Protocol):
    """Where the rows of a run stand."""

    def __len__(self) -> int: ...

    async def append(self, expected: int, rows: Sequence[Row]) -> None:
        """Append rows.

        Args:
            expected: The index of the first of them.
            rows: At least one.

        Raises:
            IndexTaken: That index holds a row already.
        """
        ...

    def rows(self, path: RunPath) -> Sequence[Row]:
        """The rows of one run, oldest first."""
        ...

    def inside(self, path: RunPath) -> Usage:
        """What the runs inside a run have spent, as far as their rows say; it grows with them."""
        ...

    def began(self, path: RunPath, beginning: Beginning) -> Beginning:
        """With what a run began.

        Args:
            path: The run.
            beginning: What the program gives now: what a new run begins with, and what stands in
                for a recorded machine with the same fingerprint. Its symbols are those of a machine
                that was read from a text.
        """
        ...

    def keep_machine(self, machine: Machine, bindings: Any) -> None:
        """Keep a machine under its fingerprint."""
        ...

    def machine(self, fingerprint: str, bindings: Any) -> tuple[Machine, Any]:
        """A machine that was kept, and what its symbols stand for.

        Args:
            fingerprint: Its fingerprint.
            bindings: What they stand for where the machine was read from a text.

        Raises:
            KeyError: No machine with this fingerprint was kept.
        """
        ...

    def whole(self, machine: Machine) -> Machine:
        """The machine that another one is a part of; the machine itself if it is none."""
        ...


class Claim:
    """Who goes on with a run: one at a time. The others wait for it to come to rest."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: asyncio.Event | None = None

    async def __aenter__(self) -> None:
        while self._held is not None:
            await self._held.wait()
        self._held = asyncio.Event()

    async def __aexit__(self, *_: object) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.set()


class _RunRows:
    """What a journal in memory holds of one run.

    Attributes:
        rows: Its rows, oldest first.
        inside: What the runs inside it have spent.
        began: With what it began, once that is known.
    """

    __slots__ = ("began", "inside", "rows")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.inside = Usage()
        self.began: Beginning | None = None


class MemoryJournal:
    """A journal that lives as long as the process.

    Args:
        rows: What it holds at first.

    Attributes:
        account: Where what new rows say was spent is added too; ``None`` for nowhere.
        claim: Who goes on with the run.
    """

    __slots__ = ("_machines", "_rows", "_runs", "account", "claim")

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.account: Usage | None = None
        self._rows: list[Row] = []
        self._runs: dict[RunPath, _RunRows] = {}
        self.claim = Claim()
        self._machines: dict[str, tuple[Machine, Any]] = {}
        for row in rows:
            self._add(row)

    def _add(self, row: Row) -> None:
        path = row.path
        self._rows.append(row)
        run = self._runs.get(path) or self._run(path)
        run.rows.append(row)
        if path or self.account is not None:
            self._count(row)

    def _count(self, row: Row) -> None:
        spent = (row.spent, spent_in(row.outcome.payload))
        for usage in (one for one in spent if one is not None):
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
                f"The journal has {len(self._rows)} rows, and a writer expected {expected}."
                " Another run goes on with the same state."
            )
        for row in rows:
            self._add(row)

    def inside(self, path: RunPath) -> Usage:
        """See :class:`Journal`."""
        return self._run(path).inside

    def rows(self, path: RunPath) -> Sequence[Row]:
        """See :class:`Journal`."""
        return tuple(self._run(path).rows)

    def began(self, path: RunPath, beginning: Beginning) -> Beginning:
        """See :class:`Journal`."""
        run = self._run(path)
        recorded = run.began
        if recorded is None:
            run.began = beginning
            return beginning
        if recorded.machine is beginning.machine:
            return recorded
        if recorded.machine.fingerprint == beginning.machine.fingerprint:
            same = run.began = beginning._replace(facts=recorded.facts)
            return same
        bindings = beginning.bindings if recorded.bindings is None else recorded.bindings
        return recorded._replace(bindings=bindings)

    def keep_machine(self, machine: Machine, bindings: Any) -> None:
        """See :class:`Journal`."""
        self._machines[machine.fingerprint] = (machine, bindings)

    def machine(self, fingerprint: str, bindings: Any) -> tuple[Machine, Any]:
        """See :class:`Journal`."""
        machine, kept = self._machines[fingerprint]
        return machine, bindings if kept is None else kept

    def whole(self, machine: Machine) -> Machine:
        """See :class:`Journal`."""
        for whole in (*(one.machine for one in self.beginnings().values()), *self.machines()):
            if any(part is machine for part in whole.machines):
                return whole
        return machine

    def prefix(self, count: int) -> MemoryJournal:
        """A journal of its own with the first rows of this one."""
        other = MemoryJournal(self._rows[:count])
        for path, beginning in self.beginnings().items():
            other._run(path).began = beginning
        other._machines.update(self._machines)
        return other

    def beginnings(self) -> Mapping[RunPath, Beginning]:
        """With what each run began."""
        return {path: run.began for path, run in self._runs.items() if run.began is not None}

    def machines(self) -> tuple[Machine, ...]:
        """The machines in which runs went on."""
        return tuple(machine for machine, _ in self._machines.values())

    def all(self) -> tuple[Row, ...]:
        """The rows of every run, in the order of their appends."""
        return tuple(self._rows)

    def __len__(self) -> int:
        return len(self._rows)
