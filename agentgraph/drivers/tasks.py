"""The work in progress of one run: one task for each command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial

from agentgraph.drivers.perform import failure_outcome, perform
from agentgraph.drivers.workbench import Workbench
from agentgraph.runtime.commands import CommandId, Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.user_code.cancellation import OwnTask
from agentgraph_compiler.machine import INTERRUPTING


class Work:
    """The tasks of one run.

    Args:
        bench: What the work may use.

    Attributes:
        tasks: The tasks in progress, and those whose outcomes were not collected yet.
    """

    __slots__ = ("_bench", "_finished", "_wake", "tasks")

    perform: Callable[..., Coroutine[object, object, Outcome]] = staticmethod(perform)
    """Does the work of a command."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.tasks: dict[CommandId, OwnTask[Outcome]] = {}
        self._finished: list[Outcome] = []
        self._wake: asyncio.Future[None] | None = None

    async def outcomes(self, owed: Mapping[CommandId, Perform]) -> list[Outcome]:
        """Start the commands that were not started, and wait for at least one outcome.

        Args:
            owed: The commands whose outcomes are owed.

        Returns:
            The outcomes so far, in the order in which ``step`` takes them.
        """
        if len(owed) != len(self.tasks):
            await self._start_all(owed)
        while not self._finished:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        return self._collect()

    async def _start_all(self, owed: Mapping[CommandId, Perform]) -> None:
        """Start new commands, a model call last, since the work beside it may make it needless."""
        new = [command for command in owed.values() if command.id not in self.tasks]
        calls = [command for command in new if command.phase.boundary]
        for command in new:
            if not command.phase.boundary:
                self._start(command)
        if calls:
            if len(calls) < len(new):
                await asyncio.sleep(0)
            for command in calls:
                self._start(command)

    def _start(self, command: Perform) -> None:
        task = OwnTask(self.perform(self._bench, command), loop=asyncio.get_running_loop())
        self.tasks[command.id] = task
        task.add_done_callback(partial(self._done, command))

    def _done(self, command: Perform, task: asyncio.Task[Outcome]) -> None:
        if self.tasks.get(command.id) is not task:
            return  # it was cancelled when the run left its state
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        outcome = task.result() if error is None else failure_outcome(self._bench, command, error)
        self.finish(outcome)

    def finish(self, outcome: Outcome) -> None:
        """Take the outcome of work, or one from outside."""
        self._finished.append(outcome)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _collect(self) -> list[Outcome]:
        # A failure sorts last, so outcomes that are ready at the same time are kept.
        batch = sorted(self._finished, key=_order)
        self._finished.clear()
        for outcome in batch:
            self.tasks.pop(outcome.id, None)
        return batch

    async def cancel(self) -> list[Outcome]:
        """Cancel the work in progress and wait until it is over.

        Returns:
            The outcomes of work that ended nevertheless: it had finished, or it handled its
            cancellation.
        """
        if not self.tasks:
            return []
        tasks, self.tasks = list(self.tasks.values()), {}
        self._finished.clear()
        for task in tasks:
            task.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        outcomes = [
            task.result() for task in tasks if not task.cancelled() and task.exception() is None
        ]
        return sorted(outcomes, key=_order)


def _order(outcome: Outcome) -> tuple[bool, CommandId]:
    return outcome.event in INTERRUPTING, outcome.id
