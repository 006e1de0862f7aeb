"""Orders: what the tests of `agentgraph mutate` do besides testing, and what they leave for it.

An environment variable names a file with the orders of a command. A process with one order carries
it out itself; a process with several carries out each in a fork of its own (`forks`). Everything
that comes back is a file in the folder of the order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from agentgraph.testing.mutation.mutants import MutantName

__all__ = ["ORDERS", "Batch", "Ended", "Order", "Result", "batch_of"]

ORDERS: Final = "AGENTGRAPH_MUTATION"
"""The environment variable with the path of the file of orders."""
_RESULTS, _ENDS, _OUTPUT, _PROCESS = "results.jsonl", "ends.jsonl", "output.txt", "process"
_EXECUTED, _PLANTED = "executed", "planted"
_KEPT: Final = 4_000
"""The most bytes of the output of the tests to keep: the last ones."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one pytest session says.

    Attributes:
        status: Its exit status.
        tests: How many tests it ran.
        failed: The first test, or file, that failed; empty if none did.
        reason: Why, in a line.
    """

    status: int
    tests: int
    failed: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an order ended.

    Attributes:
        status: The exit status of its process; `None` if the time was up.
        seconds: How long it took.
        results: What the pytest sessions said.
        executed: Whether the tests came to the file of the workflow.
        planted: Whether the tests came to what the mutant changes.
        output: The end of what the tests printed.
    """

    status: int | None
    seconds: float
    results: tuple[Result, ...]
    executed: bool
    planted: bool
    output: str


@dataclass(frozen=True, slots=True)
class Order:
    """What a test process does besides its tests.

    Attributes:
        file: The file of the workflow, without symbolic links.
        folder: Where it reports, and where pytest and its plugins keep what they keep.
        mutant: The mutant to plant; `None` for a run without.
        factories: The functions of the file that make agents.
    """

    file: str
    folder: str
    mutant: MutantName | None = None
    factories: tuple[str, ...] = ()

    @property
    def output(self) -> Path:
        """The file for what the tests print."""
        return self._at(_OUTPUT)

    @property
    def process(self) -> int | None:
        """The process that carries the order out, and leads a group; `None` once it ended."""
        path = self._at(_PROCESS)
        if self.has_ended or not path.exists():
            return None
        return int(path.read_text(encoding="ascii") or 0) or None

    @property
    def has_ended(self) -> bool:
        """Whether a process has carried the order out."""
        return self._at(_ENDS).exists()

    def note_process(self) -> None:
        """Note that this process carries the order out."""
        self._at(_PROCESS).write_text(str(os.getpid()), encoding="ascii")

    def note_executed(self) -> None:
        """Note that the tests came to the file of the workflow."""
        self._at(_EXECUTED).touch()

    def note_planted(self) -> None:
        """Note that the tests came to what the mutant changes."""
        self._at(_PLANTED).touch()

    def note_result(self, result: Result) -> None:
        """Note how a pytest session ended."""
        self._append(_RESULTS, asdict(result))

    def note_end(self, status: int | None, seconds: float) -> None:
        """Note how the process ended that carried the order out."""
        self._append(_ENDS, {"status": status, "seconds": seconds})

    def ended(self) -> Ended:
        """How the order ended, over all pytest sessions of the command."""
        ends = self._lines(_ENDS)
        statuses = [end["status"] for end in ends]
        failures = [status for status in statuses if status != 0]
        return Ended(
            status=None if None in statuses else next(iter(failures), 0),
            seconds=sum(end["seconds"] for end in ends),
            results=tuple(Result(**line) for line in self._lines(_RESULTS)),
            executed=self._at(_EXECUTED).exists(),
            planted=self._at(_PLANTED).exists(),
            output=self._end_of_output(),
        )

    def environment(self) -> dict[str, str]:
        """The variables of a process that carries out this order alone, and of those that it
        starts."""
        path = Batch((self,)).write(Path(self.folder))
        return {
            ORDERS: str(path),
            f"{ORDERS}_FOLDER": self.folder,
            "COVERAGE_FILE": str(self._at("coverage")),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._at("hypothesis")),
        }

    def _at(self, name: str) -> Path:
        return Path(self.folder, name)

    def _append(self, name: str, values: Mapping[str, Any]) -> None:
        with self._at(name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self._at(name)
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    def _end_of_output(self) -> str:
        if not self.output.exists():
            return ""
        return self.output.read_bytes()[-_KEPT:].decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Batch:
    """The orders of one command.

    Attributes:
        orders: The orders.
        jobs: The most of them at a time.
        seconds: The most seconds of each; `None` for no limit.
    """

    orders: tuple[Order, ...]
    jobs: int = 1
    seconds: float | None = None

    def write(self, folder: Path) -> Path:
        """Write the file that the environment variable names."""
        path = folder / "orders.json"
        orders = [
            {**asdict(one), "mutant": one.mutant and one.mutant._asdict()} for one in self.orders
        ]
        values = {"orders": orders, "jobs": self.jobs, "seconds": self.seconds}
        path.write_text(json.dumps(values), encoding="utf-8")
        return path


def batch_of(environment: Mapping[str, str] = os.environ) -> Batch | None:
    """The orders of this process; `None` if it has none."""
    path = environment.get(ORDERS)
    if path is None:
        return None
    values: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return Batch(tuple(_orders(values["orders"])), values["jobs"], values["seconds"])


def _orders(rows: Iterable[dict[str, Any]]) -> Iterable[Order]:
    for row in rows:
        mutant = row["mutant"]
        yield Order(
            file=row["file"],
            folder=row["folder"],
            mutant=None if mutant is None else MutantName(**mutant),
            factories=tuple(row["factories"]),
        )
