"""Running the tests without a mutant and with each, in processes of their own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from agentgraph.cli.faults import CommandFault
from agentgraph.cli.mutation.forks import end_group
from agentgraph.cli.mutation.orders import ORDERS, Batch, Ended, Order
from agentgraph.testing.mutation.mutants import MutantName

__all__ = ["TestRuns"]

_OPTIONS: Final = (
    *("-p", "agentgraph.cli.mutation.plugin", "-x"),
    *("-o", f"cache_dir=${ORDERS}_FOLDER/cache"),
)
_GLANCE: Final = 0.1
"""Seconds between two looks at what has ended."""


class TestRuns:
    """Runs one command again and again.

    Args:
        command: The command, which runs pytest.
        file: The file of the workflow.
        factories: The functions of the file that make agents.
    """

    __test__ = False

    def __init__(self, command: Sequence[str], file: Path, factories: Sequence[str]) -> None:
        self._command = command
        self._file = os.path.realpath(file)
        self._factories = tuple(factories)

    def clean(self) -> Ended:
        """Run the tests without a mutant, as long as they take.

        Raises:
            CommandFault: There is no such command.
        """
        with self._orders([None]) as orders:
            self._run(Batch(orders), lambda place: None)
            return orders[0].ended()

    def with_each(
        self,
        mutants: Sequence[MutantName],
        *,
        jobs: int,
        seconds: float,
        report: Callable[[int], None],
    ) -> list[Ended]:
        """Run the tests once for each mutant. Whatever ends this, no process goes on.

        Args:
            mutants: The mutants.
            jobs: The most processes at a time.
            seconds: The most seconds of one run.
            report: Called with the place of each mutant as its run ends.

        Returns:
            How the run of each mutant ended.
        """
        with self._orders(mutants) as orders:
            if len(orders) > 1 and sys.platform == "linux":
                self._run(Batch(orders, jobs, seconds), report)
            for place, order in enumerate(orders):
                if not order.has_ended:  # there are no forks here
                    self._run(Batch((order,), 1, seconds), partial(_report_at, report, place))
            return [order.ended() for order in orders]

    @contextmanager
    def _orders(self, mutants: Sequence[MutantName | None]) -> Iterator[tuple[Order, ...]]:
        """An order for each mutant, with a folder that is there as long as the context."""
        folder = Path(tempfile.mkdtemp(prefix="agentgraph-mutate-"))
        try:
            orders = []
            for place, mutant in enumerate(mutants):
                own = folder / str(place)
                own.mkdir()
                orders.append(Order(self._file, str(own), mutant=mutant, factories=self._factories))
            yield tuple(orders)
        finally:
            # A process that was ended may still have been writing.
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, batch: Batch, report: Callable[[int], None]) -> None:
        orders, alone = batch.orders, len(batch.orders) == 1
        folder = Path(orders[0].folder) if alone else Path(orders[0].folder).parent
        variables = orders[0].environment() if alone else {ORDERS: str(batch.write(folder))}
        began = time.monotonic()
        process = self._started(variables, orders[0].output if alone else folder / "output.txt")
        ended: set[int] = set()
        try:
            status = None
            while status is None and not (alone and _is_over(began, batch.seconds)):
                with suppress(subprocess.TimeoutExpired):
                    status = process.wait(_GLANCE)
                if not alone:
                    _report_new(orders, ended, report)
        finally:
            end_group(process.pid)
            process.kill()
            process.wait()
            for order in orders:
                if order.process is not None:
                    end_group(order.process)
        if alone:
            orders[0].note_end(status, time.monotonic() - began)
            report(0)

    def _started(self, variables: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
        addopts = [os.environ.get("PYTEST_ADDOPTS", ""), shlex.join(_OPTIONS)]
        environment = {"PYTEST_ADDOPTS": " ".join(filter(None, addopts)), **variables}
        with output.open("ab") as file:
            try:
                return subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **environment},
                    start_new_session=True,  # so that its own processes end with it
                )
            except OSError as error:
                raise CommandFault(
                    f"the command {self._command[0]!r} cannot be run: {error.strerror}",
                    help="name a command that runs pytest, such as: -- python -m pytest tests",
                ) from error


def _report_at(report: Callable[[int], None], place: int, _: int) -> None:
    report(place)


def _is_over(began: float, seconds: float | None) -> bool:
    return seconds is not None and time.monotonic() - began > seconds


def _report_new(orders: Sequence[Order], ended: set[int], report: Callable[[int], None]) -> None:
    for place, order in enumerate(orders):
        if place not in ended and order.has_ended:
            ended.add(place)
            report(place)
