"""The asyncio driver: commands become work, finished work becomes outcomes, outcomes go through
``step``.

There is one loop. Plain, streamed, nested and resumed runs differ in their watcher and in the rows
recorded so far, never in code. The driver appends an outcome to the journal before it shows it or
acts on it. Outcomes that are ready at the same time go to ``step`` in the order of their command
ids, interrupting ones last. When a run leaves a state, the driver cancels and awaits the work still
in progress, and records outcomes that arrive nevertheless as late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from agentgraph.approvals import CallKey, Ruling
from agentgraph.drivers.journal import Row
from agentgraph.drivers.names import counterparts
from agentgraph.drivers.rulings import new_rulings
from agentgraph.drivers.run import Run
from agentgraph.drivers.tasks import Work
from agentgraph.frontend.bindings import Bindings
from agentgraph.record.fold import absorb, follow, show, wait
from agentgraph.record.payloads import Migrated, Resumed
from agentgraph.runtime.commands import Command, CommandId, Emit, Perform, Rest
from agentgraph.runtime.guards import enabled_on
from agentgraph.runtime.migrate import MIGRATED, MigrationError, migrate
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState, Facts, new
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph.usage import Usage
from agentgraph.usage.run_usage import RunUsage
from agentgraph.user_code.cancellation import own_task, take_back
from agentgraph_compiler.machine import RESERVED, Event, Machine, StateKind


async def drive(run: Run, driver: Driver | None = None) -> Rest:
    """Run a machine until it is over or waits.

    Args:
        run: The run; the driver first replays its recorded outcomes.
        driver: Drives it, in place of a plain driver.

    Returns:
        The rest of the run.
    """
    driver = Driver(run) if driver is None else driver
    try:
        return await driver.drive()
    except asyncio.CancelledError:
        await driver.stop_now()
        raise
    finally:
        for meter in run.caches.meters:
            meter.end(run)
        await driver.work.cancel()
        run.rows = len(run.caches.journal)


def replay(run: Run) -> Rest | None:
    """Replay the recorded rows of a run and perform nothing.

    Returns:
        Its rest; ``None`` if the rows end while work is in progress.

    Raises:
        ProtocolError: The rows belong to another machine.
    """
    driver = Driver(run)
    driver.replay()
    return driver.rest


class Driver:
    def __init__(self, run: Run) -> None:
        bench = run.bench
        self.run, self.bench, self.caches = run, bench, bench.caches
        self.record, self.names, self.path = run.record, bench.names, run.facts.path
        self.journal, self.tell = self.caches.journal, self.caches.watcher.show
        self.work = Work(bench)
        self.owed: dict[CommandId, Perform] = {}
        self.rest: Rest | None = None
        self.replaying = self.saved_again = self.began_at_rest = False
        # Whether an owed command begins a turn or calls a model.
        self.boundary = False
        usage = bench.context.usage
        assert isinstance(usage, RunUsage)  # the context of this run, which nothing replaces
        self.account = usage

    async def drive(self) -> Rest:
        run, caches, bench, work, owed = self.run, self.caches, self.bench, self.work, self.owed
        journal, account, path, perform = self.journal, self.account, self.path, work.perform
        watched = caches.watcher.drained is not None
        self.replay()
        task = own_task()
        self.began_at_rest = self.rest is not None
        if not self.began_at_rest and run.resumption is not None:
            # The run was cut short, so it has not failed yet: a failure from here on is final.
            run.resumption = replace(run.resumption, again=False)
        for meter in caches.meters:
            meter.begin(run, work.finish)
        if caches.resumed:
            caches.doubtful = frozenset(owed)
        while True:
            if self.rest is not None:
                rest = await self._at_rest(self.rest)
                if rest is not None:
                    return rest
            if self.boundary:
                self.boundary = False
                turn = run.state.turn
                if turn != caches.turn or not turn:
                    if (watched or caches.stopping) and await self._stop_before_turn():
                        continue
                    caches.turn = turn
                if self._outdated:
                    await self._migrate()
                    self.boundary = False  # `_migrate` gave the owed commands anew
            if len(owed) == 1 and not work.tasks and not caches.meters:
                # A single command needs no task: await it here.
                if task is not None and task.cancelling():
                    take_back(task)
                (command,) = owed.values()
                # Read it before the wait: this name shall not keep the state before it alive.
                state = run.state
                outcome = await perform(bench, command)
                after, commands = step(caches.machine, state, outcome)
                usage = None if account.own is None else account.take_own()
                row = new(Row, (path, outcome, state.state, state.sequence, state.turn, usage))
                await journal.append(len(journal), (row,))
                self._move(outcome, usage, command, commands, after)
            else:
                await self._take(await work.outcomes(owed))
            if task is not None and task.stopped:
                # Work that is awaited here may swallow the cancellation of this task.
                raise asyncio.CancelledError

    def replay(self) -> None:
        """Begin, and replay the rows recorded by now.

        Another run of the same state may have appended rows since this one was made.
        """
        for _ in self.replay_rows():
            pass

    def replay_rows(self) -> Iterator[tuple[Row, Perform | None]]:
        """Replay row by row: each with the command it answers, before the fold takes it."""
        recorded = self.run.caches.journal.rows(self.run.facts.path)
        self.replaying = bool(recorded)
        self.caches.resumed = self.replaying or self.caches.journal.was_visited
        self._begin()
        for row in recorded:
            yield row, self.owed.get(row.outcome.id)
            self._replay(row)
        self.boundary = any(command.phase.boundary for command in self.owed.values())
        self.replaying = False

    def _begin(self) -> None:
        run, caches = self.run, self.run.caches
        run.state, commands = start(caches.machine, caches.began)
        self._follow(commands)

    async def _at_rest(self, rest: Rest) -> Rest | None:
        """Decide at a rest: return it if the run stays there, ``None`` if the run goes on."""
        run = self.run
        resumption = run.resumption
        if resumption is None:
            return rest
        if rest.kind is StateKind.UNSAVED and self.began_at_rest and not self.saved_again:
            # Save again first. If that fails as well, the run stays unsaved.
            self.saved_again = True
            await self._resume(Resumed())
            return None
        run.resumption = None
        rulings = new_rulings(self._recorded_rulings(), resumption.rulings)
        if rest.kind is StateKind.UNSAVED or not self._resumable(rest):
            return rest
        if rest.kind is StateKind.FAILED and not resumption.again:
            return rest
        payloads = run.record.payloads
        waiting_calls = {one.key for id in rest.awaiting for one in payloads[id].questions}
        # Decisions on calls that do not wait here cannot resume this rest.
        rulings = tuple(one for one in rulings if one.key in waiting_calls)
        input = () if self._has_passed(resumption.input) else resumption.input
        if not (rulings or input) and (rest.kind is StateKind.SUSPENDED or not self.began_at_rest):
            return rest
        await self._resume(Resumed(rulings, input))
        return None

    def _has_passed(self, input: Sequence[object]) -> bool:
        """Whether another run of the same state has already passed this added input."""
        payloads = self.run.record.payloads.values()
        return any(isinstance(one, Resumed) and one.input is input for one in payloads)

    async def _resume(self, payload: Resumed) -> None:
        if self._outdated:
            await self._migrate()
        assert self.rest is not None
        await self._take([Outcome(self.rest.id, Event.RESUMED, payload)])

    def _recorded_rulings(self) -> dict[CallKey, Ruling]:
        """The recorded decisions, by call, nested calls included.

        They come from the rows of resumptions, since a nested run that is over is not replayed.
        """
        rows = self.run.caches.journal.rows(self.run.facts.path)
        payloads = (row.outcome.payload for row in rows)
        resumptions = (payload for payload in payloads if isinstance(payload, Resumed))
        return {one.key: one for it in resumptions for one in it.rulings if one.key is not None}

    def _resumable(self, rest: Rest) -> bool:
        """Whether the table has a transition out of this rest."""
        here, state = self.run.caches.machine.state[self.run.state.state], self.run.state
        return enabled_on(Event.RESUMED, here, state) is not None

    async def _take(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes that are ready at the same time: step, append, then act on them."""
        run, caches = self.run, self.run.caches
        machine = caches.machine
        usage = self.account.take_own()
        rows, moves, state = list[Row](), [], run.state
        for outcome in outcomes:
            try:
                after, commands = step(machine, state, outcome)
            except ProtocolError:
                if outcome.id.sequence == state.sequence:
                    raise
                continue  # the run has left the state that asked for it for good
            rows.append(self._row(outcome, state, usage))
            moves.append((outcome, usage, commands, after))
            state, usage = after, None
        if not rows:
            return
        await caches.journal.append(len(caches.journal), rows)
        before = run.state.sequence
        for outcome, usage, commands, after in moves:
            self._move(outcome, usage, self.owed.get(outcome.id), commands, after)
        if run.state.sequence != before and self.work.tasks:
            late = await self.work.cancel()
            if late:
                await self._take(late)

    def _row(self, outcome: Outcome, state: ControlState, usage: Usage | None = None) -> Row:
        """The row of an outcome that this state takes."""
        return new(Row, (self.path, outcome, state.state, state.sequence, state.turn, usage))

    def _move(
        self,
        outcome: Outcome,
        usage: Usage | None,
        command: Perform | None,
        commands: Iterable[Command],
        after: ControlState,
    ) -> None:
        run = self.run
        absorb(self.record, outcome, command, self.names, usage)
        if command is None and type(outcome.payload) is Resumed:
            self.caches.rulings = (*self.caches.rulings, *outcome.payload.rulings)
        if after.sequence != run.state.sequence:
            self.owed.clear()
            self.caches.contexts.clear()
            self.rest = None
        elif command is not None:
            del self.owed[command.id]
        run.state = after
        self._follow(commands)

    def _replay(self, row: Row) -> None:
        run = self.run
        outcome = row.outcome
        if (row.state, row.sequence) != (run.state.state, run.state.sequence):
            raise ProtocolError(
                f"the journal is at state '{row.state}' ({row.sequence}), but the run is at"
                f" '{run.state.state}' ({run.state.sequence}): the journal is of another machine"
            )
        if isinstance(outcome.payload, Migrated):
            machine, bindings = run.caches.journal.machine(
                outcome.payload.after, run.caches.bindings
            )
            self._continue_in(machine, bindings, *self._migrated(machine, outcome.payload))
            return
        after, commands = step(run.caches.machine, run.state, outcome)
        self._move(outcome, row.spent, self.owed.get(outcome.id), commands, after)

    def _follow(self, commands: Iterable[Command]) -> None:
        """Act on commands: show emissions, note owed work and rests."""
        record, tell = self.record, self.tell
        for command in commands:
            if type(command) is Emit:
                items = show(record, command, self.names)
                if tell is not None and (not self.replaying or self.caches.watcher.replays):
                    tell(command.emission, items, self.run.agent)
            elif type(command) is Perform:
                self.owed[command.id] = command
                if command.phase.boundary:
                    self.boundary = True
            elif type(command) is Rest:
                self.rest = command
                if command.awaiting:
                    wait(record, command.awaiting, self.names)
        state = self.run.state
        if state.turn != record.turn or state.acted is not record.acted:
            follow(record, state)

    async def _stop_before_turn(self) -> bool:
        """Wait for the watcher before a turn; return whether the run stops here."""
        caches = self.caches
        if self.run.state.turn > 1 and caches.watcher.drained is not None:
            await caches.watcher.drained()
        if not caches.stopping:
            return False
        await self._take([self._reserved(Event.STOPPED)])
        return True

    def _reserved(self, event: Event) -> Outcome:
        return Outcome(CommandId(self.run.state.sequence, RESERVED[event]), event)

    @property
    def _outdated(self) -> bool:
        """Whether the agent at work has changed since it was lowered, or is gone."""
        caches = self.caches
        binding = caches.bindings.agents.get(self.run.state.agent)
        return caches.stale or binding is None or not binding.current

    async def _migrate(self) -> None:
        """Compile again and continue in the new machine."""
        run, caches = self.run, self.caches
        binding = caches.bindings.agents.get(run.state.agent)
        if binding is None:
            raise MigrationError(f"agent '{run.state.agent}', which is at work, is gone")
        caches.stale = False
        machine, bindings = caches.recompile(binding.agent)
        hooked = run.facts.hooks is not None or bindings.hooked
        payload = Migrated(
            caches.machine.fingerprint,
            machine.fingerprint,
            counterparts(caches.bindings, bindings),
            (run.facts.limit, run.facts.session is not None, hooked),
        )
        state = run.state
        # First check that the move is possible: a refused migration leaves no row.
        moved = self._migrated(machine, payload)
        caches.journal.keep_machine(machine, bindings)
        outcome = Outcome(CommandId(state.sequence, MIGRATED, run.migrations), Event.DONE, payload)
        row = self._row(outcome, state)
        await caches.journal.append(len(caches.journal), [row])
        self._continue_in(machine, bindings, *moved)

    def _migrated(
        self, machine: Machine, payload: Migrated
    ) -> tuple[ControlState, tuple[Command, ...]]:
        here, facts = self.run.caches.machine, Facts(*payload.facts)
        return migrate(here, self.run.state, machine, payload.agents, facts=facts)

    def _continue_in(
        self, machine: Machine, bindings: Bindings, state: ControlState, commands: Iterable[Command]
    ) -> None:
        run, caches = self.run, self.run.caches
        run.state = state
        run.migrations += 1
        caches.machine, caches.bindings = machine, bindings
        caches.submachines = machine.submachine
        self.owed.clear()
        self._follow(commands)

    async def stop_now(self) -> None:
        """Record outcomes that arrived during the cancellation, and save the settled items."""
        late = await self.work.cancel()
        if self.rest is not None:
            return
        # A write that was cut short may have reached the session nevertheless.
        cut_short = any(command.phase.keep is not None for command in self.owed.values())
        await self._take([*late, self._reserved(Event.CANCELLED)])
        if cut_short:
            self.caches.resumed, self.caches.doubtful = True, frozenset(self.owed)
        for command in tuple(self.owed.values()):  # at most the save of settled items
            await self._take([await self.work.perform(self.bench, command)])
