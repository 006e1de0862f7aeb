"""The asyncio driver: commands become work, finished work becomes outcomes, outcomes go through
``step``.

There is one loop. A plain, a streamed, a nested and a resumed run differ in who watches and in what
is recorded already, never in code. An outcome is appended to the journal before anything of it is
shown or done. Outcomes that are ready together go to ``step`` in the order of their command ids,
those that interrupt the others last; what is still at work when a state is left is cancelled and
awaited, and what it brings all the same is recorded as late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agentgraph.approvals import CallKey, Ruling
from agentgraph.drivers.journal import Row
from agentgraph.drivers.names import counterparts
from agentgraph.drivers.perform import perform
from agentgraph.drivers.rulings import new_rulings
from agentgraph.drivers.run import Run
from agentgraph.drivers.tasks import Work
from agentgraph.exceptions import UserError
from agentgraph.frontend.bindings import Bindings
from agentgraph.record.fold import absorb, follow, show, wait
from agentgraph.record.payloads import Migrated, Resumed
from agentgraph.runtime.commands import Command, CommandId, Emit, Perform, Rest
from agentgraph.runtime.guards import first_enabled
from agentgraph.runtime.migrate import MIGRATED, migrate
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState, Facts, new
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph.usage import Usage
from agentgraph.usage.run_usage import RunUsage
from agentgraph.user_code.cancellation import own_task, take_back
from agentgraph_compiler.machine import RESERVED, Event, Machine, StateKind


async def drive(run: Run) -> Rest:
    """Run a machine until it is over or waits.

    Args:
        run: The run; its recorded outcomes are replayed first.

    Returns:
        Where it came to rest.
    """
    driver = _Driver(run)
    try:
        return await driver.drive()
    except asyncio.CancelledError:
        await driver.stop_now()
        raise
    finally:
        await driver.work.cancel()
        run.rows = len(run.caches.journal)


def replay(run: Run) -> Rest | None:
    """Take a run as far as its recorded rows go, and perform nothing.

    Returns:
        Where it rests; ``None`` if something was at work when the rows end.

    Raises:
        ProtocolError: The rows are not those of this machine.
    """
    driver = _Driver(run)
    driver.replay()
    return driver.rest


class _Driver:
    __slots__ = (
        "account",
        "bench",
        "boundary",
        "caches",
        "found_at_rest",
        "journal",
        "names",
        "owed",
        "path",
        "record",
        "replaying",
        "rest",
        "run",
        "saved_again",
        "tell",
        "work",
    )

    def __init__(self, run: Run) -> None:
        bench = run.bench
        self.run, self.bench, self.caches = run, bench, bench.caches
        self.record, self.names, self.path = run.record, bench.names, run.facts.path
        self.journal, self.tell = self.caches.journal, self.caches.watcher.show
        self.work = Work(bench)
        self.owed: dict[CommandId, Perform] = {}
        self.rest: Rest | None = None
        self.replaying = self.saved_again = self.found_at_rest = False
        # Whether what is owed stands where a turn begins, or its model is asked.
        self.boundary = False
        usage = bench.context.usage
        assert isinstance(usage, RunUsage)  # the run's own context, which nothing replaces
        self.account = usage

    async def drive(self) -> Rest:
        run, caches, bench, work, owed = self.run, self.caches, self.bench, self.work, self.owed
        journal, account, path = self.journal, self.account, self.path
        self.replay()
        task = own_task()
        self.found_at_rest = self.rest is not None
        if not self.found_at_rest and run.resumption is not None:
            # A run that was cut short has not failed yet: what fails from here on is not tried
            # again.
            run.resumption = replace(run.resumption, again=False)
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
                begins = turn != caches.turn or not turn
                if begins and await self._stopped_before_a_turn():
                    continue
                if self._outdated:
                    await self._migrate()
                    self.boundary = False  # what is owed now is what was looked at
            if len(owed) == 1 and not work.tasks:
                # One thing to do needs no task: it is awaited in place.
                if task is not None and task.cancelling():
                    take_back(task)
                (command,) = owed.values()
                outcome = await perform(bench, command)
                state = run.state
                after, commands = step(caches.machine, state, outcome)
                spent = None if account.own is None else account.take_own()
                row = path, outcome, state.state, state.sequence, state.turn, spent
                await journal.append(len(journal), (new(Row, row),))
                self._move(outcome, spent, command, commands, after)
            else:
                await self._take(await work.outcomes(owed))
            if task is not None and task.stopped:
                # What is awaited in place may swallow the cancellation of this very task.
                raise asyncio.CancelledError

    def replay(self) -> None:
        """Begin, and take over what is recorded by now: another run of the same state may have gone
        on since this one was made."""
        recorded = self.run.caches.journal.rows(self.run.facts.path)
        self.replaying = self.run.caches.resumed = bool(recorded)
        self._begin()
        for row in recorded:
            self._replay(row)
        self.boundary = any(command.phase.boundary for command in self.owed.values())
        self.replaying = False

    def _begin(self) -> None:
        run, caches = self.run, self.run.caches
        run.state, commands = start(caches.machine, caches.began)
        self._follow(commands)

    async def _at_rest(self, rest: Rest) -> Rest | None:
        """Where the run stays; ``None`` if it goes on from there."""
        run = self.run
        resumption = run.resumption
        if resumption is None:
            return rest
        if rest.kind is StateKind.UNSAVED and self.found_at_rest and not self.saved_again:
            # What comes after the save is the way on; if the save fails again, there is none.
            self.saved_again = True
            await self._resume(Resumed())
            return None
        run.resumption = None
        rulings = new_rulings(self._decided(), resumption.rulings)
        if rest.kind is StateKind.UNSAVED or not self._resumable(rest):
            return rest
        if rest.kind is StateKind.FAILED and not resumption.again:
            return rest
        payloads = run.record.payloads
        asked = {one.key for id in rest.awaiting for one in payloads[id].questions}
        # What was decided about calls that wait elsewhere, or did before, is no way on from here.
        rulings = tuple(one for one in rulings if one.key in asked)
        input = () if self._was_given(resumption.input) else resumption.input
        if not (rulings or input) and (rest.kind is StateKind.SUSPENDED or not self.found_at_rest):
            return rest
        await self._resume(Resumed(rulings, input))
        return None

    def _was_given(self, input: Sequence[object]) -> bool:
        """Whether another run of the same state has brought its added input already."""
        payloads = self.run.record.payloads.values()
        return any(isinstance(one, Resumed) and one.input is input for one in payloads)

    async def _resume(self, payload: Resumed) -> None:
        if self._outdated:
            await self._migrate()
        assert self.rest is not None
        await self._take([Outcome(self.rest.id, Event.RESUMED, payload)])

    def _decided(self) -> dict[CallKey, Ruling]:
        """What was decided when the run went on, about calls of runs inside too: a run that is over
        replays none of these."""
        rows = self.run.caches.journal.rows(self.run.facts.path)
        payloads = (row.outcome.payload for row in rows)
        resumptions = (payload for payload in payloads if isinstance(payload, Resumed))
        return {one.key: one for it in resumptions for one in it.rulings if one.key is not None}

    def _resumable(self, rest: Rest) -> bool:
        """Whether the table has a way on from a rest."""
        here, state = self.run.caches.machine.state[self.run.state.state], self.run.state
        return first_enabled(here.by_event.get(Event.RESUMED, ()), here, state) is not None

    async def _take(self, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes that are ready together: step, append, then everything that follows."""
        run, caches = self.run, self.run.caches
        machine, path = caches.machine, run.facts.path
        spent = self.account.take_own()
        rows, moves, state = list[Row](), [], run.state
        for outcome in outcomes:
            try:
                after, commands = step(machine, state, outcome)
            except ProtocolError:
                if outcome.id.sequence == state.sequence:
                    raise
                continue  # the state that asked for it was left for good
            rows.append(Row(path, outcome, state.state, state.sequence, state.turn, spent))
            moves.append((outcome, spent, commands, after))
            state, spent = after, None
        if not rows:
            return
        await caches.journal.append(len(caches.journal), rows)
        before = run.state.sequence
        for outcome, spent, commands, after in moves:
            self._move(outcome, spent, self.owed.get(outcome.id), commands, after)
        if run.state.sequence != before and self.work.tasks:
            late = await self.work.cancel()
            if late:
                await self._take(late)

    def _move(
        self,
        outcome: Outcome,
        spent: Usage | None,
        command: Perform | None,
        commands: Iterable[Command],
        after: ControlState,
    ) -> None:
        run = self.run
        absorb(self.record, outcome, command, self.names, spent)
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
                f"the journal tells of state '{row.state}' ({row.sequence}), but the run is in"
                f" '{run.state.state}' ({run.state.sequence}): it is no journal of this machine"
            )
        if isinstance(outcome.payload, Migrated):
            machine, bindings = run.caches.journal.machine(
                outcome.payload.after, run.caches.bindings
            )
            self._go_on_in(machine, bindings, *self._moved_to(machine, outcome.payload))
            return
        after, commands = step(run.caches.machine, run.state, outcome)
        self._move(outcome, row.spent, self.owed.get(outcome.id), commands, after)

    def _follow(self, commands: Iterable[Command]) -> None:
        """Show what is to be shown, take on what is to be done."""
        record, tell = self.record, self.tell
        for command in commands:
            if type(command) is Emit:
                items = show(record, command, self.names)
                if tell is not None and not self.replaying:
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

    async def _stopped_before_a_turn(self) -> bool:
        """Wait for watchers where a turn is about to begin; whether the run is to stop there."""
        caches, turn = self.caches, self.run.state.turn
        if turn > 1 and caches.watcher.drained is not None:
            await caches.watcher.drained()
        if not caches.stopping:
            caches.turn = turn
            return False
        await self._take([self._reserved(Event.STOPPED)])
        return True

    def _reserved(self, event: Event) -> Outcome:
        return Outcome(CommandId(self.run.state.sequence, RESERVED[event]), event)

    @property
    def _outdated(self) -> bool:
        """Whether the agent at work was changed since it was lowered, or is gone."""
        caches = self.caches
        binding = caches.bindings.agents.get(self.run.state.agent)
        return caches.stale or binding is None or not binding.current

    async def _migrate(self) -> None:
        """Go on in a machine compiled anew."""
        run, caches = self.run, self.caches
        binding = caches.bindings.agents.get(run.state.agent)
        if binding is None:
            raise UserError(
                f"The run was at agent '{run.state.agent}', which the program does not have any"
                " more. Put it back, or start a new run."
            )
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
        # A migration that the table refuses leaves no row.
        moved = self._moved_to(machine, payload)
        caches.journal.keep_machine(machine, bindings)
        outcome = Outcome(CommandId(state.sequence, MIGRATED, run.migrations), Event.DONE, payload)
        row = Row(run.facts.path, outcome, state.state, state.sequence, state.turn)
        await caches.journal.append(len(caches.journal), [row])
        self._go_on_in(machine, bindings, *moved)

    def _moved_to(
        self, machine: Machine, payload: Migrated
    ) -> tuple[ControlState, tuple[Command, ...]]:
        here, facts = self.run.caches.machine, Facts(*payload.facts)
        return migrate(here, self.run.state, machine, payload.agents, facts=facts)

    def _go_on_in(
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
        """Record what ended while the run was being cancelled, and save what may be kept of it."""
        late = await self.work.cancel()
        if self.rest is not None:
            return
        # A write that was cut short may stand in the session all the same.
        cut_short = any(command.phase.keep is not None for command in self.owed.values())
        await self._take([*late, self._reserved(Event.CANCELLED)])
        if cut_short:
            self.caches.resumed, self.caches.doubtful = True, frozenset(self.owed)
        for command in tuple(self.owed.values()):  # the save of what is kept, where there is one
            await self._take([await perform(self.run.bench, command)])
