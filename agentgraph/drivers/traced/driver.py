"""The driver of a run that makes a trace: the same loop, with spans around its work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from agentgraph.drivers.aio import Driver
from agentgraph.drivers.aio import drive as drive_plainly
from agentgraph.drivers.perform import PERFORMS, perform
from agentgraph.drivers.run import Run
from agentgraph.drivers.tasks import Work
from agentgraph.drivers.traced.spans import RunSpans
from agentgraph.drivers.work.think import prepare, think
from agentgraph.drivers.workbench import Workbench
from agentgraph.runtime.commands import Command, Perform, Rest
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState
from agentgraph.tools.errors import failure_listener
from agentgraph.tracing.context import TraceCtxManager
from agentgraph.tracing.create import get_current_trace
from agentgraph.tracing.scope import NO_ID
from agentgraph.usage import Usage
from agentgraph_compiler.machine import WorkKind

_DISABLED: Final = ("", None, None, None, None, True)


async def drive(run: Run) -> Rest:
    """Run a machine as `agentgraph.drivers.aio.drive` does, with a trace.

    Args:
        run: The run. If a trace is current, its spans go into that one.

    Returns:
        The rest of the run.
    """
    if run.facts.config.tracing_disabled:
        with TraceCtxManager(*_DISABLED):  # hides a trace around the run from its tools
            return await drive_plainly(run)
    around = get_current_trace()
    if around is not None and around.trace_id == NO_ID:
        return await drive_plainly(run)
    spans = RunSpans(run)
    try:
        rest = await drive_plainly(run, TracedDriver(run, spans))
    except BaseException as error:
        spans.failed(error)
        raise
    spans.rested(rest)
    return rest


class TracedDriver(Driver):
    """The driver of a run that makes a trace.

    Args:
        run: The run.
        spans: The spans of the run.
    """

    def __init__(self, run: Run, spans: RunSpans) -> None:
        super().__init__(run)
        self.spans = spans
        self.work = TracedWork(self.bench, spans)

    def _move(
        self,
        outcome: Outcome,
        usage: Usage | None,
        command: Perform | None,
        commands: Iterable[Command],
        after: ControlState,
    ) -> None:
        super()._move(outcome, usage, command, commands, after)
        if not self.replaying:
            place = outcome.id[:2]
            goes_on = any(id[:2] == place for id in self.owed)
            self.spans.recorded(outcome, command, goes_on=goes_on)


class TracedWork(Work):
    """The work in progress of a run that makes a trace.

    Args:
        bench: What the work may use.
        spans: The spans of the run.
    """

    __slots__ = ("_performs", "_spans", "perform")

    def __init__(self, bench: Workbench, spans: RunSpans) -> None:
        super().__init__(bench)
        self._spans = spans
        self._performs = MappingProxyType(
            dict.fromkeys(WorkKind, self._in_span) | {WorkKind.MODEL: self._think}
        )
        self.perform = self._perform

    async def _perform(self, bench: Workbench, command: Perform) -> Outcome:
        try:
            return await perform(bench, command, self._performs)
        except asyncio.CancelledError:
            self._spans.cancelled(command)
            raise

    async def _in_span(self, bench: Workbench, command: Perform) -> Outcome:
        spans = self._spans
        with spans.inside(spans.begin(command)):
            token = failure_listener.set(lambda error: spans.tool_failed(command, error))
            try:
                return await PERFORMS[command.phase.kind](bench, command)
            finally:
                failure_listener.reset(token)

    async def _think(self, bench: Workbench, command: Perform) -> Outcome:
        # The span is about the call of the model alone, as in the SDK: its preparation is user
        # code of the turn.
        spans, caches = self._spans, bench.caches
        if caches.pending is None:
            with spans.inside(spans.begin(command)):
                caches.pending = await prepare(bench, bench.binding(command.agent))
        with spans.inside(spans.asked(command, caches.pending)):
            return await think(bench, command)
