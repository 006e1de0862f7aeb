"""The pytest plugin of a test process of `agentgraph mutate`, which loads it with `-p`.

Without an order in the environment it does nothing.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

import pytest

from agentgraph.authoring.recording import recording
from agentgraph.cli.mutation.executions import after_each_execution
from agentgraph.cli.mutation.forks import can_fork, fork_for_each
from agentgraph.cli.mutation.orders import Order, Result, batch_of
from agentgraph.cli.mutation.planting import Planter

__all__ = ["pytest_addoption", "pytest_load_initial_conftests"]

_REPORTER: Final = "AGENTGRAPH_MUTATION_REPORTER"
"""The process that reports. The processes that it starts inherit this variable; they plant the
mutant as well, but report nothing."""


def pytest_addoption() -> None:
    """Fork if there are several orders: before pytest captures what is printed, and before other
    plugins are loaded."""
    batch = batch_of()
    if batch is not None and len(batch.orders) > 1:
        if not can_fork():
            os._exit(0)  # the command that gave the orders gives them one by one
        fork_for_each(batch)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the first conftest, which may import the file."""
    batch = batch_of()
    if batch is None:
        return
    (order,) = batch.orders
    planter = Planter(order)
    stack = contextlib.ExitStack()
    stack.enter_context(after_each_execution(order.file, planter.in_module))
    stack.enter_context(recording(planter))
    early_config.add_cleanup(stack.close)
    if os.environ.setdefault(_REPORTER, str(os.getpid())) == str(os.getpid()):
        early_config.pluginmanager.register(_Reporter(order))


class _Reporter:
    """Reports how the session ends."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._tests: set[str] = set()
        self._failed = self._reason = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tests.add(report.nodeid)
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._order.note_result(
            Result(
                status=int(exitstatus),
                tests=len(self._tests),
                failed=self._failed,
                reason=self._reason,
            )
        )

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed and not self._failed:
            self._failed = report.nodeid
            self._reason = _line_of(report)


def _line_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = str(crash.message if crash is not None else report.longrepr or "").split("\n")
    # A collection that fails ends with the error.
    return lines[0] if crash is not None else lines[-1]
