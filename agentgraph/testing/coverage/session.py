"""Coverage of a session of pytest: collected where tests run, merged and reported where pytest was
started. With pytest-xdist these are different processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import pytest

from agentgraph.exceptions import UserError
from agentgraph.testing.coverage.collecting import start
from agentgraph.testing.coverage.page import write_page
from agentgraph.testing.coverage.sources import Selection, selection_of
from agentgraph.testing.coverage.text import percent_text
from agentgraph.testing.coverage.whole import Coverage

__all__ = ["plugin_for"]

_OUTPUT: Final = "agentgraph_coverage"
"""The key under which a worker of pytest-xdist sends its data."""
_DEFAULT_PATHS: Final = {"json": "agentgraph-coverage.json", "html": "agentgraph-htmlcov"}


class _Report(NamedTuple):
    """A report that was asked for: `term`, `term-missing`, `json` or `html`, and where."""

    kind: str
    path: str

    @classmethod
    def parse(cls, text: str) -> _Report:
        kind, _, path = text.partition(":")
        if kind in _DEFAULT_PATHS:
            return cls(kind, path or _DEFAULT_PATHS[kind])
        if kind in ("term", "term-missing", "") and not path:
            return cls(kind, "")
        raise pytest.UsageError(
            f"--agentgraph-cov-report={text}: reports are term, term-missing, json[:PATH] and"
            " html[:DIR], or nothing for no report."
        )


def plugin_for(config: pytest.Config) -> object:
    """The plugin that measures coverage in this process.

    Raises:
        pytest.UsageError: A report or a source is wrong.
    """
    reports = [_Report.parse(text) for text in config.option.agentgraph_cov_report or ["term"]]
    if hasattr(config, "workerinput"):
        return _Worker(config)
    try:
        selection = selection_of(config.option.agentgraph_cov)
    except UserError as error:
        raise pytest.UsageError(str(error)) from error
    return _Controller(selection, reports, config)


class _Collecting:
    """Collects from the runs of this process, except those of tests with the marker."""

    def __init__(self, *, simulated: bool) -> None:
        self.collection = start(simulated=simulated)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Count no run of a test with the marker `no_agentgraph_cov`."""
        if item.get_closest_marker("no_agentgraph_cov") is None:
            return (yield)
        with self.collection.paused():
            return (yield)


class _Worker(_Collecting):
    """Sends the data of a worker to the process that started it."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(simulated=not config.option.agentgraph_cov_no_simulated)
        self._config = config

    def pytest_sessionfinish(self) -> None:
        """Send the data."""
        vars(self._config)["workeroutput"][_OUTPUT] = self.collection.stop().to_json()


@dataclass(frozen=True, slots=True)
class _Summary:
    """What the session prints at its end."""

    coverage: Coverage
    lines: tuple[str, ...]
    failure: str


class _Gateway(Protocol):
    id: str


class _Node(Protocol):
    """What pytest-xdist says about a worker."""

    gateway: _Gateway


class _Controller(_Collecting):
    """Merges the data of all workers with its own, writes the reports and prints them."""

    def __init__(self, selection: Selection, reports: list[_Report], config: pytest.Config) -> None:
        super().__init__(simulated=not config.option.agentgraph_cov_no_simulated)
        self._selection, self._reports = selection, reports
        self._fail_under: float | None = config.option.agentgraph_cov_fail_under
        self._merged = Coverage()
        self._lost: list[str] = []
        self._summary: _Summary | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: _Node, error: object) -> None:
        """Take the data of a worker of pytest-xdist."""
        text = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if text is None:
            self._lost.append(node.gateway.id)
        else:
            self._merged.merge(Coverage.from_json(text))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Report after the last test, also if a test interrupts the session."""
        try:
            return (yield)
        finally:
            self._merged.merge(self.collection.stop())
            self._summary = self._conclude()
            if self._summary.failure:
                session.testsfailed += 1  # so that pytest exits with the status of failed tests

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the report."""
        if self._summary is None:
            return
        if self._summary.lines:
            terminalreporter.section("agentgraph coverage")
            for line in self._summary.lines:
                terminalreporter.write_line(line)
        if self._summary.failure:
            terminalreporter.write_line(self._summary.failure, red=True, bold=True)

    def _conclude(self) -> _Summary:
        coverage = self._selection.of(self._merged)
        lines: list[str] = []
        kinds = {report.kind for report in self._reports}
        if kinds & {"term", "term-missing"}:
            lines += coverage.report(missing="term-missing" in kinds).splitlines()
        for report in self._reports:
            if report.kind == "json":
                path = Path(report.path)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{coverage.to_json(indent=1)}\n", encoding="utf-8")
                lines.append(f"JSON written to {report.path}")
            elif report.kind == "html":
                lines.append(f"HTML written to {write_page(coverage, report.path)}")
        if self._lost:
            lines.append(f"The data of workers that crashed is lost: {', '.join(self._lost)}.")
        failure, least = "", self._fail_under
        if least is not None and coverage.percent < least:
            failure = (
                f"FAIL Required agentgraph coverage of {least:g}% not reached."
                f" Total coverage: {percent_text(coverage.total)}%"
            )
        return _Summary(coverage, tuple(lines), failure)
