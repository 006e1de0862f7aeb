"""The rows of runs in a database that speaks SQL: every statement stands here, for all databases.

One UPDATE decides each write: it names what it expects, such as the epoch and the number of lines.
If it changes no row, a query tells why. So no statement locks a row for a later one.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from agentgraph.memory.journals.chain import ChainedLine, damage, first_link, linked
from agentgraph.memory.journals.errors import (
    ClaimLost,
    IndexTaken,
    JournalError,
    RunInProgress,
    UnknownRun,
)
from agentgraph.memory.journals.store import OVER, RunStatus, StoredRun

__all__ = ["RunRows", "Values"]

Values: TypeAlias = Mapping[str, Any]
"""The values of a statement; it names them as `:name`."""

_RUN = "run_id, head, status, epoch, holder, expires, lines, note, created, updated"
_AS_READ = "run_id = :run AND epoch = :epoch AND holder = :holder AND expires = :expires"
_ALL = 2**31 - 1
"""More lines than any run has."""


class RunRows(ABC):
    """The rows of runs within one transaction; its methods are those of `JournalStore`.

    Args:
        place: Where the journal is, for messages.
    """

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place

    @abstractmethod
    def _select(self, query: str, values: Values) -> Sequence[Sequence[Any]]:
        """The rows that a query returns."""

    @abstractmethod
    def _change(self, statement: str, values: Values) -> int:
        """Execute a statement; return the number of rows that it changed."""

    @abstractmethod
    def _insert(self, statement: str, rows: Sequence[Values]) -> None:
        """Execute a statement once for each row."""

    @abstractmethod
    def _hold_machines(self) -> None:
        """Wait for the transactions that keep machines, and let no other one keep any."""

    def open(self, run_id: str, head: str, *, chain: bool) -> StoredRun:
        now = time.time()
        self._change(
            f"INSERT INTO agentgraph_runs ({_RUN}, chain) VALUES"
            " (:run, :head, 'running', 0, '', 0, 0, '', :now, :now, :link)"
            " ON CONFLICT (run_id) DO NOTHING",
            {
                "run": run_id,
                "head": head,
                "now": now,
                "link": first_link(run_id, head) if chain else "",
            },
        )
        return self._run(run_id)

    def find(self, run_id: str) -> StoredRun | None:
        query = f"SELECT {_RUN} FROM agentgraph_runs WHERE run_id = :run"
        rows = self._select(query, {"run": run_id})
        return StoredRun(*rows[0]) if rows else None

    def _run(self, run_id: str) -> StoredRun:
        run = self.find(run_id)
        if run is None:
            raise UnknownRun(run_id, self.place)
        return run

    def claim(self, run_id: str, holder: str, seconds: float) -> int:
        while True:
            run, now = self._run(run_id), time.time()
            is_own = run.holder == holder
            if run.is_held(now) and not is_own:
                raise RunInProgress(run_id, run.holder)
            epoch = run.epoch if is_own else run.epoch + 1
            changed = self._change(
                "UPDATE agentgraph_runs SET status = :status, epoch = :next, holder = :claimant,"
                f" expires = :until WHERE {_AS_READ}",
                {
                    **_as_read(run),
                    "status": run.status if run.status in OVER else "running",
                    "next": epoch,
                    "claimant": holder,
                    "until": now + seconds,
                },
            )
            if changed:
                return epoch

    def renew(self, run_id: str, epoch: int, seconds: float) -> None:
        changed = self._change(
            "UPDATE agentgraph_runs SET expires = :until WHERE run_id = :run AND epoch = :epoch",
            {"run": run_id, "epoch": epoch, "until": time.time() + seconds},
        )
        if not changed:
            raise self._lost(run_id)

    def _lost(self, run_id: str) -> Exception:
        return ClaimLost(run_id) if self.find(run_id) else UnknownRun(run_id, self.place)

    def append(
        self, run_id: str, epoch: int, first: int, lines: Sequence[str], link: str | None
    ) -> str:
        """Append lines.

        Args:
            run_id: The run.
            epoch: The epoch of the claim.
            first: The place of the first line.
            lines: The texts.
            link: The link of the line before them, if the caller knows it.

        Returns:
            The link of the last line.
        """
        while True:
            if link is not None:
                chained = linked(link, epoch, first, lines)
                if self._add(run_id, epoch, first, chained, link):
                    return chained[-1].link
            query = "SELECT epoch, lines, chain FROM agentgraph_runs WHERE run_id = :run"
            rows = self._select(query, {"run": run_id})
            if not rows:
                raise UnknownRun(run_id, self.place)
            latest, count, link = rows[0]
            if latest != epoch:
                raise ClaimLost(run_id)
            if count != first:
                return self._added(run_id, epoch, first, lines, count)

    def _add(
        self, run_id: str, epoch: int, first: int, lines: Sequence[ChainedLine], link: str
    ) -> bool:
        """Append lines if the run is as expected."""
        changed = self._change(
            "UPDATE agentgraph_runs SET lines = :count, chain = :latest WHERE run_id = :run"
            " AND epoch = :epoch AND lines = :first AND chain = :link",
            {
                "run": run_id,
                "epoch": epoch,
                "first": first,
                "link": link,
                "count": first + len(lines),
                "latest": lines[-1].link,
            },
        )
        if changed:
            self._insert_lines(run_id, lines)
        return bool(changed)

    def _insert_lines(self, run_id: str, lines: Sequence[ChainedLine]) -> None:
        self._insert(
            "INSERT INTO agentgraph_lines (run_id, place, epoch, line, chain)"
            " VALUES (:run, :place, :epoch, :line, :link)",
            [{"run": run_id, **line._asdict()} for line in lines],
        )

    def _added(self, run_id: str, epoch: int, first: int, lines: Sequence[str], count: int) -> str:
        """Make sure that equal lines were appended before."""
        stored = self._lines(run_id, first, first + len(lines))
        if [line[:3] for line in stored] != [line[:3] for line in linked("", epoch, first, lines)]:
            raise IndexTaken(f"Run {run_id!r} has {count} lines, not {first}.")
        return stored[-1].link

    def _lines(self, run_id: str, first: int, end: int) -> list[ChainedLine]:
        rows = self._select(
            "SELECT place, epoch, line, chain FROM agentgraph_lines"
            " WHERE run_id = :run AND place >= :first AND place < :end ORDER BY place",
            {"run": run_id, "first": first, "end": end},
        )
        return [ChainedLine(*row) for row in rows]

    def read(self, run_id: str, first: int) -> list[str]:
        query = "SELECT head, lines, chain FROM agentgraph_runs WHERE run_id = :run"
        while True:
            runs = self._select(query, {"run": run_id})
            if not runs:
                raise UnknownRun(run_id, self.place)
            head, count, latest = runs[0]
            begin = max(first - 1, 0) if latest else first  # the link before the first line
            lines = self._lines(run_id, begin, _ALL)
            start = first_link(run_id, head) if latest else ""
            fault = damage(lines, begin, count, start, latest)
            if fault is None:
                return [line.line for line in lines if line.place >= first]
            # The lines may belong to a change that was made between the two queries.
            if self._select(query, {"run": run_id}) == runs:
                raise JournalError(
                    f"Run {run_id!r} in {self.place} is damaged: {fault}. Restore the journal from"
                    " a backup; delete the run if there is none."
                )

    def finish(self, run_id: str, epoch: int, status: RunStatus, note: str) -> None:
        changed = self._change(
            "UPDATE agentgraph_runs SET updated = CASE WHEN status = :status AND note = :note"
            " THEN updated ELSE :now END, status = :status, note = :note, holder = '', expires = 0"
            " WHERE run_id = :run AND epoch = :epoch",
            {"run": run_id, "epoch": epoch, "status": status, "note": note, "now": time.time()},
        )
        if not changed:
            raise self._lost(run_id)

    def runs(self, statuses: Sequence[RunStatus], limit: int, after: str) -> list[StoredRun]:
        conditions, values = ["1 = 1"], dict[str, object]()
        if statuses:
            names = {f"status{number}": status for number, status in enumerate(statuses)}
            conditions.append(f"status IN ({', '.join(f':{name}' for name in names)})")
            values |= names
        if after:
            last = "(SELECT -updated, run_id FROM agentgraph_runs WHERE run_id = :after)"
            conditions.append(f"(-updated, run_id) > {last}")
            values["after"] = after
        rows = self._select(
            f"SELECT {_RUN} FROM agentgraph_runs WHERE {' AND '.join(conditions)}"
            " ORDER BY -updated, run_id LIMIT :most",
            {**values, "most": limit},
        )
        return [StoredRun(*row) for row in rows]

    def delete(self, run_id: str) -> None:
        while True:
            run = self._free(run_id)
            if self._change(f"DELETE FROM agentgraph_runs WHERE {_AS_READ}", _as_read(run)):
                break
        self._change("DELETE FROM agentgraph_lines WHERE run_id = :run", {"run": run_id})
        self._forget_machines(run_id)

    def rewrite(self, run_id: str, head: str, lines: Sequence[str]) -> None:
        while True:
            run = self._free(run_id)
            query = "SELECT chain FROM agentgraph_runs WHERE run_id = :run"
            rows = self._select(query, {"run": run_id})
            link = first_link(run_id, head) if rows and rows[0][0] else ""
            chained = linked(link, run.epoch, 0, lines)
            values = {
                **_as_read(run),
                "head": head,
                "count": len(lines),
                "latest": chained[-1].link if chained else link,
            }
            if self._change(
                "UPDATE agentgraph_runs SET head = :head, lines = :count, chain = :latest"
                f" WHERE {_AS_READ}",
                values,
            ):
                break
        self._change("DELETE FROM agentgraph_lines WHERE run_id = :run", {"run": run_id})
        if chained:
            self._insert_lines(run_id, chained)
        self._forget_machines(run_id)

    def _free(self, run_id: str) -> StoredRun:
        """A run that is not claimed."""
        run = self._run(run_id)
        if run.is_held(time.time()):
            raise RunInProgress(run_id, run.holder)
        return run

    def _forget_machines(self, run_id: str) -> None:
        self._hold_machines()
        self._change(
            "DELETE FROM agentgraph_machines WHERE fingerprint IN (SELECT fingerprint"
            " FROM agentgraph_machines_of_runs WHERE run_id = :run) AND NOT EXISTS (SELECT 1"
            " FROM agentgraph_machines_of_runs AS use WHERE use.run_id <> :run"
            " AND use.fingerprint = agentgraph_machines.fingerprint)",
            {"run": run_id},
        )
        self._change("DELETE FROM agentgraph_machines_of_runs WHERE run_id = :run", {"run": run_id})

    def keep_machine(self, run_id: str, fingerprint: str, machine: str) -> None:
        # The use first: it waits for a transaction that holds the machines.
        self._change(
            "INSERT INTO agentgraph_machines_of_runs (run_id, fingerprint)"
            " VALUES (:run, :fingerprint) ON CONFLICT (run_id, fingerprint) DO NOTHING",
            {"run": run_id, "fingerprint": fingerprint},
        )
        self._change(
            "INSERT INTO agentgraph_machines (fingerprint, machine)"
            " VALUES (:fingerprint, :machine) ON CONFLICT (fingerprint) DO NOTHING",
            {"fingerprint": fingerprint, "machine": machine},
        )

    def machine(self, fingerprint: str) -> str | None:
        query = "SELECT machine FROM agentgraph_machines WHERE fingerprint = :fingerprint"
        rows = self._select(query, {"fingerprint": fingerprint})
        return rows[0][0] if rows else None


def _as_read(run: StoredRun) -> dict[str, object]:
    """The values of `_AS_READ`."""
    return {
        "run": run.run_id,
        "epoch": run.epoch,
        "holder": run.holder,
        "expires": run.expires,
    }
