"""The asyncio driver: commands become work, finished work becomes outcomes, outcomes go through
``step``.

There is one loop. A plain, a streamed, a nested and a resumed run differ in who watches and in what
is recorded already, never in code. Outcomes that are ready together go to ``step`` in the order of
their command ids, those that interrupt the others last; whatever is still running when a state is
left is cancelled and awaited before anything else happens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial

from agentgraph.drivers.perform import perform
from agentgraph.drivers.run import Run
from agentgraph.runtime.commands import Command, CommandId, Emit, Finish, Perform, Suspend
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import RunState
from agentgraph.runtime.step import start, step
from agentgraph_compiler.machine import INTERRUPTING, Event, InvokeKind, StateKind

Ending = Finish | Suspend | None
"""How a run comes to rest: finished, waiting for decisions, or stopped by the caller between two
turns."""


async def drive(run: Run) -> Ending:
    """Run a machine until it finishes, waits, or is told to stop.

    Args:
        run: The run; its recorded outcomes are replayed first.

    Returns:
        The command that ended it; ``None`` if the caller asked it to stop after a turn.
    """
    driver = _Driver(run)
    try:
        return await driver.drive()
    finally:
        await driver.work.cancel()


class _Driver:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.work = _Work(run)
        self.owed: dict[CommandId, Perform] = {}
        self.recorded = deque(run.recorded)
        self.ready: deque[Outcome] = deque()
        self.turn_due = False
        run.replaying = bool(self.recorded)

    async def drive(self) -> Ending:
        run = self.run
        # An agent used as a tool may have been changed since the run that calls it was compiled.
        self._recompiled(0, "" if run.replaying else run.bindings.id_of(run.agent))
        task = asyncio.current_task()
        cancelled_before = task.cancelling() if task else 0
        state, commands = start(run.machine, limit=run.limit)
        while True:
            ending = self._follow(commands)
            if isinstance(ending, Finish):
                return ending
            run.replaying = bool(self.recorded)
            if isinstance(ending, Suspend) and not run.replaying:
                return ending
            if self.turn_due:
                self.turn_due = False
                if not await run.begin_turn(state.turn):
                    return None
                if task and task.cancelling() > cancelled_before:
                    # What is awaited in place may swallow the cancellation of this very task.
                    raise asyncio.CancelledError
                state = self._refresh(state)
            if run.replaying:
                outcome = self.recorded.popleft()
            elif len(self.owed) == 1 and not self.ready and not self.work.busy:
                # One thing to do needs no task: it is awaited in place.
                outcome = await perform(run, next(iter(self.owed.values())))
            else:
                outcome = await self._next()
            sequence = state.sequence
            run.absorb(outcome, self.owed.pop(outcome.id, None))
            state, commands = step(run.machine, state, outcome)
            if state.sequence != sequence:
                # What the state that was left still had going on is over.
                self.owed.clear()
                self.ready.clear()
                if self.work.busy:
                    await self.work.cancel()

    def _follow(self, commands: Iterable[Command]) -> Finish | Suspend | None:
        """Show what is to be shown, take on what is to be done."""
        for command in commands:
            if isinstance(command, Emit):
                self.run.emit(command)
            elif isinstance(command, Perform):
                self.owed[command.id] = command
                if command.invoke.kind is InvokeKind.MODEL:
                    self.turn_due = True
            else:
                if isinstance(command, Suspend):
                    self.run.wait(command)
                return command
        return None

    async def _next(self) -> Outcome:
        if not self.ready:
            self.ready.extend(await self.work.outcomes(self.owed))
        return self.ready.popleft()

    def _refresh(self, state: RunState) -> RunState:
        """Go on in a machine compiled anew if the agent at work was changed since it was
        lowered."""
        run = self.run
        here = run.machine.state[state.state]
        if here.kind is not StateKind.THINKING or not self._recompiled(state.sequence, here.agent):
            return state
        agent_id = run.bindings.id_of(run.agent)
        there = run.machine.state[f"{agent_id}.{StateKind.THINKING.value}"]
        (command,) = self.owed.values()
        self.owed[command.id] = command._replace(invoke=there.invokes[0], agent=agent_id)
        return state._replace(state=there.id)

    def _recompiled(self, sequence: int, agent_id: str) -> bool:
        """Take over a machine compiled anew, if an agent was changed or a recording says so."""
        run = self.run
        if run.replaying:
            compiled = run.switches.get(sequence)
        elif run.binding(agent_id).current:
            compiled = None
        else:
            compiled = run.switches[sequence] = run.recompile(run.agent)
        if compiled is None:
            return False
        run.machine, run.bindings = compiled
        run.submachines = run.machine.submachine
        return True


class _Work:
    """The work in progress of one run: one task a command."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tasks: dict[CommandId, asyncio.Task[Outcome]] = {}
        self._finished: list[Outcome] = []
        self._wake: asyncio.Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is in progress, or done and not yet handed over."""
        return bool(self._tasks)

    async def outcomes(self, owed: dict[CommandId, Perform]) -> list[Outcome]:
        """Wait for at least one outcome of the commands owed; those of one state are begun
        together."""
        if not self._tasks:
            for command in owed.values():
                task = asyncio.create_task(perform(self._run, command))
                self._tasks[command.id] = task
                task.add_done_callback(partial(self._done, command.id))
        while not self._finished:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        # What finished together with a failure is kept: the failure comes last.
        batch = sorted(self._finished, key=lambda it: (it.event in INTERRUPTING, it.id))
        self._finished.clear()
        for outcome in batch:
            del self._tasks[outcome.id]
        return batch

    def _done(self, id: CommandId, task: asyncio.Task[Outcome]) -> None:
        if self._tasks.get(id) is not task:
            return  # it was cancelled with the state that began it
        if task.cancelled():
            outcome = Outcome(id, Event.FAILED, asyncio.CancelledError())
        else:
            error = task.exception()
            outcome = task.result() if error is None else Outcome(id, Event.FAILED, error)
        self._finished.append(outcome)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def cancel(self) -> None:
        """Cancel what is in progress and wait until it is over."""
        if not self._tasks:
            return
        tasks, self._tasks = list(self._tasks.values()), {}
        self._finished.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
