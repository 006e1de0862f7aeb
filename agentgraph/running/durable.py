"""A run in a journal store: its rows go there before anything of them is visible.

The rows also stand in memory, as those of any run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias

from agentgraph.approvals import RunPath
from agentgraph.drivers.journal import Beginning, MemoryJournal, Row
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import Bindings
from agentgraph.memory.journals import (
    ClaimLost,
    JournalError,
    JournalStore,
    RunInProgress,
    RunStatus,
)
from agentgraph.memory.journals.holders import new_holder
from agentgraph.memory.journals.store import OVER
from agentgraph.record.payloads import Migrated
from agentgraph.running.journal_lines import (
    BEGAN,
    STARTED,
    beginning_line,
    damage_of,
    row_line,
    started_line,
    started_of,
)
from agentgraph.running.persist import (
    DamagedState,
    beginning_from_json,
    machine_of,
    reading,
    row_from_json,
)
from agentgraph.runtime.commands import CommandId
from agentgraph.stored.journal_file import object_in
from agentgraph.stored.value_types import Types
from agentgraph_compiler.machine import Machine

__all__ = ["DurableJournal", "IfRunning"]

IfRunning: TypeAlias = Literal["wait", "raise"]
"""What to do about a run that is alive in another place: wait for its end, or refuse."""

_FIRST_WAIT, _LONGEST_WAIT = 0.02, 1.0
"""How long to wait before the first look whether a run is free, and the most between two looks."""

_GATHERING, _MOST_GATHERED = 0.01, 1_000
"""How long lines are gathered before they are stored in the background, in seconds, and how many
at most: then the run waits for the store."""

_LINES_AT_ONCE = 200
"""How many lines are read before other tasks of the event loop have a turn."""

_FIRST_EPOCH = 1
"""The epoch of the first claim of a run."""


class DurableJournal(MemoryJournal):
    """The journal of one durable run.

    Args:
        store: Where its lines go.
        run_id: The run.
        types: Returns the classes of the program, by path.
        machines: Machines by fingerprint, which then need not be read from the store.

    Attributes:
        started: The effects that began, of the run and of nested runs, by path and command.
    """

    __slots__ = (
        "_broken",
        "_continued",
        "_due",
        "_epoch",
        "_kept",
        "_parsed",
        "_pending",
        "_renewal",
        "_stored",
        "_types",
        "_unkept",
        "_unwritten",
        "_writer",
        "run_id",
        "started",
        "store",
        "was_visited",
    )

    is_durable = True

    def __init__(
        self,
        store: JournalStore,
        run_id: str,
        types: Callable[[], Types],
        machines: Mapping[str, Machine],
    ) -> None:
        super().__init__()
        self.store, self.run_id = store, run_id
        self.started: set[tuple[RunPath, CommandId]] = set()
        self._types, self._parsed = types, dict(machines)
        self._kept: set[str] = set()
        self._unkept: dict[str, Machine] = {}
        self._unwritten: dict[RunPath, Beginning] = {}
        # The number of lines in the store, and the lines that are to follow them.
        self._stored, self._pending = 0, list[str]()
        self._epoch, self.was_visited = 0, False
        self._writer: asyncio.Task[None] | None = None
        # When the background writes next, if nothing asks for it earlier.
        self._due: asyncio.TimerHandle | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._broken: Exception | None = None
        self._continued: MemoryJournal | None = None

    def continues(self, other: MemoryJournal) -> None:
        """Begin with the rows of a journal in memory, unless the store has the run already."""
        self._continued = other

    async def append(self, expected: int, rows: Sequence[Row]) -> None:
        """See :class:`Journal`."""
        index = len(self)
        await super().append(expected, rows)
        lines = []
        if self._unwritten:
            began = self._unwritten.items()
            lines = [beginning_line(path, beginning, self) for path, beginning in began]
            self._unwritten.clear()
        lines += [row_line(index + place, row) for place, row in enumerate(rows)]
        await self._write(lines)

    async def starts(self, path: RunPath, id: CommandId) -> None:
        """See :class:`Journal`."""
        self.started.add((path, id))
        await self._write([started_line(path, id)])

    async def flush(self) -> None:
        """See :class:`Journal`."""
        await self._store()

    def began(self, path: RunPath, beginning: Beginning) -> Beginning:
        """See :class:`Journal`."""
        is_new = path not in self.beginnings()
        began = super().began(path, beginning)
        if is_new:
            self._unwritten[path] = began
            self._use(self.whole(began.machine))
        return began

    def keep_machine(self, machine: Machine, bindings: Bindings | None) -> None:
        """See :class:`Journal`."""
        super().keep_machine(machine, bindings)
        self._use(machine)

    def _use(self, machine: Machine) -> None:
        if machine.fingerprint not in self._kept:
            self._unkept[machine.fingerprint] = machine

    async def _write(self, lines: Sequence[str]) -> None:
        if self._broken is not None:
            raise self._broken
        self._pending += lines
        durability = self.store.durability
        if durability == "sync":
            await self._store()
        elif durability == "async":
            if len(self._pending) >= _MOST_GATHERED:
                await self._store()
            elif self._due is None:
                self._due = asyncio.get_running_loop().call_later(_GATHERING, self._begin_storing)

    def _begin_storing(self) -> asyncio.Task[None]:
        due, self._due = self._due, None
        if due is not None:
            due.cancel()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._store_pending())
        return self._writer

    async def _store(self) -> None:
        """Wait until the lines so far are stored; a cancelled wait does not end the writing."""
        last = self._stored + len(self._pending)
        while self._stored < last and self._broken is None:
            await asyncio.shield(self._begin_storing())
        if self._broken is not None:
            raise self._broken

    async def _store_pending(self) -> None:
        store, run_id = self.store, self.run_id
        try:
            while self._pending:
                while self._unkept:
                    fingerprint, machine = self._unkept.popitem()
                    await store.keep_machine(run_id, fingerprint, machine.text)
                    self._kept.add(fingerprint)
                batch = list(self._pending)
                await store.append(run_id, self._epoch, self._stored, batch)
                self._stored += len(batch)
                del self._pending[: len(batch)]
        except Exception as error:  # noqa: BLE001 - the next write raises it
            self._broken = error

    async def take(self, if_running: IfRunning, *, is_new: bool) -> None:
        """Take the right to go on with the run, and read what was appended meanwhile.

        Args:
            if_running: Whether to wait for a run that is alive in another place.
            is_new: Whether no claim had been made when the run was opened.

        Raises:
            RunInProgress: The run is alive, and the caller did not want to wait.
            JournalError: The store cannot be read, or is damaged.
        """
        wait = _FIRST_WAIT
        while True:
            try:
                await self._claim()
                break
            except RunInProgress:
                if if_running == "raise":
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        self.was_visited = self._epoch > 1
        self._renewal = asyncio.create_task(self._renew())
        try:
            await self._catch_up(is_new=is_new)
        except BaseException:
            await self._let_go()
            raise

    async def _claim(self) -> None:
        """Claim the run once; a claim that is made while the wait for it is cancelled is given
        back."""
        store = self.store
        claim = store.claim(self.run_id, new_holder(), store.claim_seconds)
        claiming = asyncio.ensure_future(claim)
        try:
            self._epoch = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(RunInProgress, JournalError):
                self._epoch = await claiming
                await self._let_go()
            raise

    async def _catch_up(self, *, is_new: bool) -> None:
        """Read what was appended meanwhile, or store what stands in memory only."""
        if self._broken is not None:
            self._forget()
        if not (is_new and self._epoch == _FIRST_EPOCH):  # else no process can have written
            await self.load()
        continued, self._continued = self._continued, None
        if continued is not None and not self._stored:
            for path, beginning in continued.beginnings().items():
                self._run(path).began = self._unwritten[path] = beginning
                self._use(continued.whole(beginning.machine))
            for machine in continued.machines():
                self.keep_machine(machine, None)
            await self.append(0, continued.all())

    async def _let_go(self) -> None:
        """Give the right back without having gone on with the run."""
        if self._renewal is not None:
            self._renewal.cancel()
        with suppress(JournalError):  # the first failure matters more
            stored = await self.store.find(self.run_id)
            if stored is not None:
                status = stored.status if stored.status in OVER else "stopped"
                await self.store.finish(self.run_id, self._epoch, status, stored.note)

    async def give_back(self, status: RunStatus, note: str) -> None:
        """Store what is pending, and give the right back.

        Args:
            status: How the run rests.
            note: What lists show of it, as JSON text.

        Raises:
            JournalError: The lines, or the end, could not be stored.
        """
        assert self._renewal is not None
        self._renewal.cancel()
        try:
            await self._store()
        except ClaimLost:
            raise
        except Exception:
            with suppress(JournalError):  # the first failure matters more
                await self.store.finish(self.run_id, self._epoch, "stopped", note)
            raise
        await self.store.finish(self.run_id, self._epoch, status, note)

    async def _renew(self) -> None:
        seconds = self.store.claim_seconds
        while True:
            await asyncio.sleep(seconds / 3)
            try:
                await self.store.renew(self.run_id, self._epoch, seconds)
            except ClaimLost as error:
                self._broken = error
                return
            except JournalError:
                continue  # an append will say so

    def _forget(self) -> None:
        """Forget everything that may differ from the store after a failed write."""
        self._broken = None
        self._stored, self._rows = 0, []
        self._pending.clear()
        self._runs.clear()
        self._sorted = 0
        self.started.clear()

    async def load(self) -> None:
        """Read the lines that follow those in memory.

        Raises:
            JournalError: The store cannot be read, or a line is damaged.
        """
        lines = await self.store.read(self.run_id, self._stored)
        types = self._types() if lines else None
        for number, text in enumerate(lines, self._stored + 1):
            try:
                await self._take_line(object_in(text, number), types)
            except UserError as error:
                place = f"line {number} of run {self.run_id!r} in {self.store.place}"
                message = f"The run cannot go on at {place}: {damage_of(error)}"
                # Nothing of the line shall reach a log with the traceback of this error.
                raise JournalError(message) from None
            if number % _LINES_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._stored += len(lines)

    async def _take_line(self, line: Mapping[str, Any], types: Types | None) -> None:
        with reading("the line"):
            if "index" in line:
                row = row_from_json(line["index"], line, types)
                if isinstance(row.outcome.payload, Migrated):
                    super().keep_machine(await self._machine(row.outcome.payload.after), None)
                self._add((row,))
            elif line["kind"] == STARTED:
                self.started.add(started_of(line))
            elif line["kind"] == BEGAN:
                whole = await self._machine(line["machine"])
                path, beginning = beginning_from_json(line, {whole.fingerprint: whole})
                self._unwritten.pop(path, None)
                self._run(path).began = beginning

    async def _machine(self, fingerprint: str) -> Machine:
        """A machine of the run."""
        self._kept.add(fingerprint)
        self._unkept.pop(fingerprint, None)
        machine = self._parsed.get(fingerprint)
        if machine is None:
            text = await self.store.machine(fingerprint)
            if text is None:
                raise DamagedState(f"machine {fingerprint!r} is missing")
            machine = self._parsed[fingerprint] = machine_of(fingerprint, text)
        return machine
