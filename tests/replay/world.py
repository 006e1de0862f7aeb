"""A workflow with everything that it touches, so that a run of it can die after any row and a
second one can go on in the same world.

The world keeps what a process that dies leaves behind: sessions, what tools did, agents that tools
changed. It takes back what no row holds: a scripted model gives the reply again that no row of
the journal holds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from agentgraph import RunState, SQLiteSession
from agentgraph.drivers.journal import MemoryJournal, Row
from agentgraph.drivers.run import make_run
from agentgraph.drivers.workbench import Watcher, Workbench
from agentgraph.models.model_call import ModelCall
from agentgraph.record.facts import RunFacts
from agentgraph.run_context import RunContextWrapper
from agentgraph.running.launch import INNER, Launch, launch
from agentgraph.running.recompile import Recompile
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.testing import ScriptedModel
from agentgraph.testing.steps import ModelStep
from tests.api.scenarios import Case, Scenario, package

Key = tuple[str, Any, Any]
"""Names a piece of work: run id, path, command id."""


class Killed(BaseException):
    """The process dies; nothing in it may handle that."""


class MortalJournal(MemoryJournal):
    """A journal whose process dies.

    Args:
        rows: How many rows it takes; ``None`` if its process lives on.
        before: Whether the process dies as it is about to write the row after them, when that work
            is done; otherwise it dies as soon as they are written, when no further work has begun.
    """

    __slots__ = ("before", "lasts", "torn")

    def __init__(self, rows: int | None = None, *, before: bool = False) -> None:
        super().__init__()
        self.lasts, self.before = rows, before
        # Whether an append was cut in two.
        self.torn = False

    async def append(self, expected: int, rows: Sequence[Row]) -> None:
        if self.lasts is None:
            return await super().append(expected, rows)
        room = self.lasts - len(self)
        if room and rows:
            self.torn = room < len(rows)
            await super().append(expected, rows[:room])
        if room < len(rows) or (room == len(rows) and not self.before):
            raise Killed


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of a scripted model.

    Args:
        key: The work that made it; ``None`` outside of every run.
        call: What was asked.
        model: Who was asked.
        step: The step of the script that was used up; ``None`` where a function replies.
    """

    key: Key | None
    call: ModelCall
    model: ScriptedModel | None
    step: ModelStep | None


@dataclass
class World:
    """A workflow and what its runs have done so far.

    Attributes:
        case: The workflow.
        models: Its scripted models, in the order in which they are made.
        begun: The work that was begun, in order.
        asked: What models were asked.
        heard: What models were asked in an earlier process: input and previous response.
        facts: The facts of its run.
        torn: Whether the run was cut in the midst of one append.
        launched: Its first leg.
    """

    case: Case
    models: list[RewoundModel] = field(default_factory=list)
    begun: list[Key] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    heard: list[tuple[Any, Any]] = field(default_factory=list)
    facts: RunFacts | None = None
    torn: bool = False
    launched: Launch | None = None

    @classmethod
    def of(cls, make: Scenario, databases: Path | None = None) -> World:
        """A world with a workflow.

        Args:
            make: Makes the workflow.
            databases: A folder for its sessions, if they are to outlive the process.
        """
        models: list[RewoundModel] = []

        class Model(RewoundModel):
            made = models

        sdk = package("agentgraph")
        sdk.ScriptedModel = Model
        if databases is not None:
            sdk.SQLiteSession = lambda name: SQLiteSession(name, databases / f"{name}.db")
        return cls(make(sdk), models)

    @property
    def options(self) -> dict[str, Any]:
        options = dict(self.case.options)
        if self.case.session is not None:
            options["session"] = self.case.session
        return options

    def launch(self, journal: MemoryJournal, watcher: Watcher) -> Launch:
        """A run from its beginning, with this journal."""
        launched = launch(self.case.agent, self.case.input, self.options, watcher)
        self.facts, program = launched.run.facts, launched.program
        run = make_run(
            self.facts,
            (program.machine, program.bindings),
            Recompile(program.source, program.scope),
            journal,
            inner=INNER,
            watcher=watcher,
            context=self.options.get("context"),
        )
        self.launched = Launch(run, program, journal)
        return self.launched

    def state(self, launched: Launch, journal: MemoryJournal) -> RunState[Any]:
        """The state of a run of which a journal is left."""
        assert self.facts is not None
        return RunState(
            RunContextWrapper(self.options.get("context")),
            self.facts.input,
            self.case.agent,
            self.facts.limit,
            launched.program,
            journal,
            self.facts,
        )

    def recorded(self, journal: MemoryJournal) -> set[Key]:
        """The work of which a journal holds the outcome."""
        assert self.facts is not None
        return {(self.facts.run_id, row.path, row.outcome.id) for row in journal.all()}

    def forget(self, recorded: set[Key]) -> None:
        """Take back the replies that no row holds."""
        lost = [asked for asked in self.asked if asked.key not in recorded]
        self.asked = [asked for asked in self.asked if asked.key in recorded]
        for asked in reversed(lost):
            if asked.step is not None:
                asked.model._steps.appendleft(asked.step)


AT_WORK: ContextVar[World] = ContextVar("AT_WORK")
DOING: ContextVar[Key | None] = ContextVar("DOING", default=None)


class RewoundModel(ScriptedModel):
    """A scripted model whose used steps the world can give back."""

    made: ClassVar[list[RewoundModel]]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.scripted = len(self._steps)
        self.made.append(self)

    @property
    def used(self) -> int:
        """How many steps of the script were used."""
        return self.scripted - len(self._steps)

    def skip(self, steps: int) -> None:
        """Go on where the model of an earlier process had come to."""
        for _ in range(steps):
            self._steps.popleft()

    async def _next_step(self, call: ModelCall) -> ModelStep:
        asked = self._steps[0] if self._steps else None
        world, count = AT_WORK.get(), len(self._calls)
        place = len(world.asked)
        world.asked.append(Asked(DOING.get(), call, self, asked))
        try:
            return await super()._next_step(call)
        finally:
            # The copy that the model keeps does not change with the run.
            world.asked[place] = Asked(DOING.get(), self._calls[count], self, asked)


Work = Callable[[Workbench, Perform], Awaitable[Outcome]]


def watched(table: Mapping[Any, Work]) -> dict[Any, Work]:
    """The table of work, each piece of which is noted in the world at work."""
    return {kind: _watched(work) for kind, work in table.items()}


def _watched(work: Work) -> Work:
    async def watch(bench: Workbench, command: Perform) -> Outcome:
        world, facts = AT_WORK.get(), bench.facts
        if world.facts is None or facts.run_id != world.facts.run_id:
            return await work(bench, command)  # part of the tool that runs it by hand
        key = (facts.run_id, facts.path, command.id)
        world.begun.append(key)
        token = DOING.set(key)
        try:
            return await work(bench, command)
        finally:
            DOING.reset(token)

    return watch
