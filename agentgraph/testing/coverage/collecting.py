"""Collecting coverage from the runs of this process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import agentgraph
from agentgraph.frontend.stand_ins import is_stand_in
from agentgraph.run import RunMoves, observing_runs
from agentgraph.testing.coverage.counting import keys_of
from agentgraph.testing.coverage.whole import Coverage
from agentgraph.testing.coverage.workflows import ToolGuardrail, Version
from agentgraph_compiler.ir.text import print_chart

if TYPE_CHECKING:
    from agentgraph.frontend.bindings import Bindings
    from agentgraph.workflow import Source
    from agentgraph_compiler.ir.chart import Chart

__all__ = ["Collection", "collect", "start"]


class Collection:
    """Collects what the runs of this process meet, in any of its tasks, threads and event loops.

    Args:
        sources: The workflows that count, whether or not they run; without any, every workflow
            that runs counts.
        simulated: Whether runs count in which stand-ins take the place of models, tools and
            guardrails: those of `explore`, `walk`, `play` and `routing_test`.
    """

    def __init__(self, *sources: Source, simulated: bool = True) -> None:
        self._simulated = simulated
        self._lock = threading.Lock()
        self._stack = contextlib.ExitStack()
        expected = [_compiled(source) for source in sources]
        self._versions: dict[str, Version] = {version.fingerprint: version for version in expected}
        self._only = frozenset(version.identity for version in expected)

    def begin(self) -> None:
        """Begin to collect."""
        self._stack.enter_context(observing_runs(self._observe))

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Count nothing that ends until the end of the context."""
        self._stack.close()
        try:
            yield
        finally:
            self.begin()

    def stop(self) -> Coverage:
        """Stop, and return what was collected."""
        self._stack.close()
        return self.coverage

    @property
    def coverage(self) -> Coverage:
        """What was collected so far."""
        with self._lock:
            whole = Coverage(self._versions.values())
        return whole.only(self._only) if self._only else whole

    def _observe(self, moves: RunMoves) -> None:
        with self._lock:
            for moved in moves:
                simulated = is_stand_in(moved.bindings.start.agent)
                if simulated and not self._simulated:
                    return
                workflow = moved.workflow
                if workflow is None:
                    continue
                version = self._versions.get(workflow.fingerprint)
                if version is None:
                    version = _version(workflow.fingerprint, workflow.chart, moved.bindings)
                    version.simulated = simulated
                    self._versions[workflow.fingerprint] = version
                version.counts.update(keys_of(moved))


def start(*sources: Source, simulated: bool = True) -> Collection:
    """Begin to collect coverage; `stop()` of what it returns ends that.

    Args:
        sources: The workflows that count, whether or not they run; without any, every workflow
            that runs counts.
        simulated: Whether runs of stand-ins count; see `Collection`.

    Raises:
        CompileError: A workflow has errors.
    """
    collection = Collection(*sources, simulated=simulated)
    collection.begin()
    return collection


@contextlib.contextmanager
def collect(*sources: Source, simulated: bool = True) -> Iterator[Coverage]:
    """Collect coverage until the end of the context; the coverage is complete there.

    Args:
        sources: The workflows that count, whether or not they run; without any, every workflow
            that runs counts.
        simulated: Whether runs of stand-ins count; see `Collection`.

    Raises:
        CompileError: A workflow has errors.
    """
    collection, coverage = start(*sources, simulated=simulated), Coverage()
    try:
        yield coverage
    finally:
        coverage.merge(collection.stop())


def _compiled(source: Source) -> Version:
    program = agentgraph.compile(source)
    return _version(program.machine.fingerprint, program.chart, program.bindings)


def _version(fingerprint: str, chart: Chart, bindings: Bindings) -> Version:
    parts = {"": bindings, **bindings.machines}
    guardrails = {one for part, bound in parts.items() for one in _tool_guardrails(part, bound)}
    return Version(fingerprint, print_chart(chart), tuple(sorted(guardrails)))


def _tool_guardrails(part: str, bindings: Bindings) -> Iterator[ToolGuardrail]:
    for agent in bindings.agents.values():
        for symbol, tool in agent.tools:
            for about_output in (False, True):
                kind = "output" if about_output else "input"
                guardrails = getattr(tool, f"tool_{kind}_guardrails", None)
                for guardrail in guardrails or ():
                    yield ToolGuardrail(part, symbol, guardrail.get_name(), about_output)
