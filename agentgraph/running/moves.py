"""The moves of a run: which transitions of the table its outcomes took, read from its journal.

The moves are those of `step`, which takes the recorded outcomes once more, so a run pays nothing
for them while it works. Observers belong to the process, not to a context: a program may begin runs
in any of its tasks and threads, and an observer of a test session sees them all. The recorder
(``authoring.recording``) and the default runner are no places for them: there is one of each at a
time, which programs and commands replace, and a call of an agent tool by hand has no runner.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from agentgraph.approvals import RunPath
from agentgraph.drivers.journal import MemoryJournal, Row
from agentgraph.frontend.bindings import Bindings
from agentgraph.record.payloads import Failure, Migrated, Screened, ToolReturn
from agentgraph.runtime.commands import Command, CommandId, Perform
from agentgraph.runtime.enter import Taken
from agentgraph.runtime.migrate import migrate
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.late_machine import LateMachine
from agentgraph_compiler.machine import Machine, State, Transition

_NOWHERE = ControlState("")

__all__ = ["Moved", "Observer", "RunMoves", "Verdict", "observing_runs", "show_moves"]


class Verdict(NamedTuple):
    """What a guardrail of a tool decided about a call.

    Args:
        name: The name of the guardrail.
        about_output: Whether it judged the output rather than the arguments.
        passed: Whether it let the call, or the output, pass.
    """

    name: str
    about_output: bool
    passed: bool


class Moved(NamedTuple):
    """What one outcome of a run did; the beginning of a run counts as one.

    Args:
        workflow: The machine of the whole workflow; `None` if it was read from a text.
        bindings: The objects of the symbols of the whole workflow.
        part: The name of the sub-machine that runs; empty for the workflow itself.
        command: The work whose outcome it is; `None` at the beginning, and for what comes from
            outside: a stop, a resumption.
        outcome: The outcome; `None` at the beginning.
        taken: The transitions that it took, each with the state that it left.
        state: Id of the state in which the run is now.
        verdicts: What the guardrails of a tool decided in it.
        failed: Whether a tool failed, and its output tells the model that it did.
    """

    workflow: LateMachine | None
    bindings: Bindings
    part: str
    command: Perform | None
    outcome: Outcome | None
    taken: tuple[tuple[State, Transition], ...]
    state: str
    verdicts: tuple[Verdict, ...] = ()
    failed: bool = False


@dataclass(slots=True)
class _Place:
    """Where one run of the journal is.

    Args:
        machine: Its machine.
        bindings: The objects of the machine's symbols.
        whole: The bindings of the workflow that the machine is a part of.
    """

    machine: Machine
    bindings: Bindings
    whole: Bindings
    state: ControlState = _NOWHERE
    owed: dict[CommandId, Perform] = field(default_factory=dict)

    def follow(self, state: ControlState, commands: tuple[Command, ...]) -> None:
        """Take what a step returned."""
        if state.sequence != self.state.sequence:
            self.owed.clear()
        self.state = state
        for command in commands:
            if isinstance(command, Perform):
                self.owed[command.id] = command

    def moved(self, command: Perform | None, outcome: Outcome | None, taken: Taken) -> Moved:
        """What an outcome did that brought the run here."""
        machine = self.machine
        own = machine if isinstance(machine, LateMachine) else None
        inside = own is not None and own.outer is not None
        return Moved(
            workflow=own.outer if own is not None and inside else own,
            bindings=self.whole,
            part=machine.name if inside else "",
            command=command,
            outcome=outcome,
            taken=tuple(taken),
            state=self.state.state,
            verdicts=() if outcome is None else tuple(_verdicts(outcome.payload)),
            failed=outcome is not None
            and isinstance(outcome.payload, ToolReturn)
            and outcome.payload.failed,
        )


class RunMoves:
    """The moves of an outermost run and of the runs of its agent tools, in the order of the
    journal.

    Args:
        journal: The rows of the run.
        since: The index of the first row that counts. Earlier rows are those of the run before it
            was resumed.
    """

    def __init__(self, journal: MemoryJournal, since: int = 0) -> None:
        self._journal, self._since = journal, since
        self._places: dict[RunPath, _Place] = {}

    def __iter__(self) -> Iterator[Moved]:
        self._places.clear()
        for index, row in enumerate(self._journal.all()):
            moves = (*self._beginning(row.path), self._move(row))
            if index >= self._since:
                yield from moves
        for path in self._journal.beginnings():  # of runs that were cut before their first outcome
            yield from self._beginning(path)

    def _beginning(self, path: RunPath) -> Iterator[Moved]:
        if path in self._places:
            return
        machine, bindings, facts = self._journal.beginnings()[path]
        around = self._places.get(path[:-1]) if path else None
        inside = around is not None and bindings is around.whole.machines.get(machine.name)
        whole = around.whole if around is not None and inside else bindings
        place = self._places[path] = _Place(machine, bindings, whole)
        taken = Taken()
        place.follow(*start(machine, facts, taken))
        yield place.moved(None, None, taken)

    def _move(self, row: Row) -> Moved:
        place, outcome, taken = self._places[row.path], row.outcome, Taken()
        command = place.owed.pop(outcome.id, None)
        payload = outcome.payload
        if isinstance(payload, Migrated):
            before = place.machine
            place.machine, place.bindings = self._journal.machine(payload.after, place.bindings)
            place.whole = place.bindings
            facts = Facts(*payload.facts)
            moved = migrate(before, place.state, place.machine, payload.agents, facts=facts)
            place.owed.clear()
            place.follow(*moved)
        else:
            place.follow(*step(place.machine, place.state, outcome, taken))
        return place.moved(command, outcome, taken)


def _verdicts(payload: object) -> Iterator[Verdict]:
    screened = payload.screened if isinstance(payload, Failure) else payload
    if isinstance(screened, Screened):
        for one in screened.verdicts:
            yield Verdict(one.name, screened.about_output, one.behavior["type"] == "allow")


Observer = Callable[[RunMoves], None]
"""Gets the moves of an outermost run at its end, however it ended, in the thread of the run."""

_observers: list[Observer] = []  # append and remove are atomic, so threads need no lock


def show_moves(journal: MemoryJournal, since: int) -> None:
    """Show the moves of a run that has ended, or has come to rest, to the observers."""
    for observer in tuple(_observers):
        observer(RunMoves(journal, since))


@contextlib.contextmanager
def observing_runs(observer: Observer) -> Iterator[None]:
    """Show the moves of every run that ends in this process to an observer, until the end of the
    context."""
    _observers.append(observer)
    try:
        yield
    finally:
        _observers.remove(observer)
