"""Random workflows and random runs of them, as Hypothesis strategies.

A run is made by answering what is owed with outcomes that the machine allows, by stopping and
resuming it, and by outcomes of work that was left and finishes all the same. So drawing one is
itself a test: a legal outcome that is refused is an error in the interpreter, and it shrinks to a
short script.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from agentgraph.runtime.commands import Command, CommandId, Perform, Rest
from agentgraph.runtime.guards import enabled_on
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.ir.chart import Agent, Stop, StopKind
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.machine import (
    INTERRUPTING,
    OUTCOMES,
    RESERVED,
    Event,
    GuardKind,
    Invoke,
    Machine,
    State,
    Verdict,
)
from agentgraph_compiler.machine import Rest as Resting
from tests.runtime.declarations import agent, ask, machine_of

FAULTS = ("max_turns", "model_refusal", "invalid_final_output")
TOOLS = "search fetch shell expert"
WIDEST = 4
"""The most calls that a drawn reply asks for."""

Draw = Callable[[st.SearchStrategy[object]], object]


def _some(names: str) -> st.SearchStrategy[str]:
    """Any selection of the names, in any order, as one string."""
    return st.lists(st.sampled_from(names.split()), unique=True, max_size=3).map(" ".join)


@st.composite
def agents(draw: st.DrawFn, id: str, others: str) -> Agent:
    """An agent with up to three of everything, and any stop rule."""
    stops = (Stop(), Stop(StopKind.FIRST), Stop(StopKind.NAMED, ("search", "shell")), ask(id))
    return agent(
        id,
        functions=draw(_some("search fetch")),
        actions=draw(_some("shell")),
        agents=draw(_some("expert")),
        handoffs=draw(_some(others)),
        blocking=draw(_some("tone topic")),
        parallel=draw(_some("safety length")),
        checks=draw(_some("polite short")),
        stop=draw(st.sampled_from(stops)),
        approved=draw(_some(TOOLS)),
        asked=draw(_some(TOOLS)),
        screened=draw(_some(TOOLS)),
        judged=draw(_some(TOOLS)),
        tries=draw(st.integers(0, 2)),
    )


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """The machine of a workflow of two to four agents under any policy."""
    ids = "abcd"[: draw(st.integers(2, 4))]
    policy = Policy(
        frozenset(draw(st.sets(st.sampled_from(FAULTS)))),
        draw(st.booleans()),
        draw(st.integers(0, 2)),
        draw(st.booleans()),
    )
    return machine_of(*(draw(agents(id, " ".join(ids))) for id in ids), policy=policy)


def facts() -> st.SearchStrategy[Facts]:
    """What may hold for a run."""
    return st.builds(Facts, st.none() | st.integers(0, 6), st.booleans(), st.booleans())


def replies(machine: Machine, here: State) -> st.SearchStrategy[Reply]:
    """Every reply that ``here`` allows: calls on offer, declared handoffs, any verdict."""
    offered: list[Invoke] = []
    requestable: list[str] = []
    for row in here.transitions:
        if row.guard.kind is GuardKind.CALLS:
            offered.extend(machine.state[row.target].offers)
        elif row.guard.kind is GuardKind.REQUESTS:
            requestable.extend(row.guard.names)

    def reply(calls: list[str], requests: list[str], verdict: Verdict, active: bool) -> Reply:
        asked = [Call(symbol, symbol.split("/")[1], place) for place, symbol in enumerate(calls)]
        handoffs = [Request(symbol, place) for place, symbol in enumerate(requests, len(asked))]
        return Reply(tuple(asked), tuple(handoffs), verdict, active)

    def some(names: list[str], size: int) -> st.SearchStrategy[list[str]]:
        return st.lists(st.sampled_from(names), max_size=size) if names else st.just([])

    calls = some([offer.symbol for offer in offered], WIDEST)
    verdicts = st.sampled_from(Verdict)
    return st.builds(reply, calls, some(requestable, 2), verdicts, st.booleans())


def endings(state: ControlState, command: Perform, *, interrupting: bool = True) -> list[Event]:
    """How the work of a command may end where its run is."""
    return [
        event
        for event in OUTCOMES[command.phase.kind]
        if (interrupting or event not in INTERRUPTING)
        and (event is not Event.RETRY or state.retries < command.invoke.tries)
    ]


@dataclass
class Run:
    """A run and everything that was said in it.

    Args:
        machine: The machine.
        facts: What holds for the run.
    """

    machine: Machine
    facts: Facts
    states: list[ControlState] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    replies: list[tuple[Command, ...]] = field(default_factory=list)
    owed: dict[CommandId, Perform] = field(default_factory=dict)
    late: dict[CommandId, Perform] = field(default_factory=dict)
    """Work of a state that was left; it may finish all the same."""

    def __post_init__(self) -> None:
        self._take(*start(self.machine, self.facts))

    @property
    def state(self) -> ControlState:
        """Where the run is."""
        return self.states[-1]

    @property
    def here(self) -> State:
        """The state of the machine where the run is."""
        return self.machine.state[self.state.state]

    @property
    def commands(self) -> list[Command]:
        """Everything that the machine said, in order."""
        return [command for said in self.replies for command in said]

    @property
    def rest(self) -> Rest | None:
        """The rest that the run is in."""
        said = [command for command in self.commands if isinstance(command, Rest)]
        return said[-1] if said and self.here.rest is not Resting.NO else None

    @property
    def resumable(self) -> bool:
        """Whether the run rests where it may go on."""
        return enabled_on(Event.RESUMED, self.here, self.state) is not None

    def tell(self, outcome: Outcome) -> None:
        """Report an outcome."""
        self.outcomes.append(outcome)
        (self.late if outcome.id in self.late else self.owed).pop(outcome.id, None)
        self._take(*step(self.machine, self.state, outcome))

    def outside(self, event: Event) -> None:
        """Stop, cancel or expire the run where it is, or resume it."""
        self.tell(Outcome(CommandId(self.state.sequence, RESERVED.get(event, 0)), event))

    def _take(self, state: ControlState, commands: tuple[Command, ...]) -> None:
        if self.states and self.state.sequence != state.sequence:
            if state.kept is None:
                self.late = {}
            elif state.kept.sequence == self.state.sequence:
                self.late = self.owed
            self.owed = {}
        for command in commands:
            if isinstance(command, Perform):
                assert command.id not in self.owed, f"{command.id} was issued twice"
                self.owed[command.id] = command
        self.states.append(state)
        self.replies.append(commands)

    def __repr__(self) -> str:
        told = "\n  ".join(f"tell {outcome}" for outcome in self.outcomes)
        return f"start {self.facts} of {', '.join(self.machine.state)}\n  {told}"


def answer(draw: Draw, run: Run, command: Perform, *, interrupting: bool = True) -> Outcome:
    """Draw a legal outcome of a command, which may be late."""
    place = run.state
    if command.id in run.late:
        assert place.kept is not None
        place = place.kept
    event = draw(st.sampled_from(endings(place, command, interrupting=interrupting)))
    assert isinstance(event, Event)
    if event is not Event.REPLIED:
        return Outcome(command.id, event)
    reply = draw(replies(run.machine, run.machine.state[place.state]))
    assert isinstance(reply, Reply)
    return Outcome(command.id, event, reply=reply)


def _chosen(draw: Draw, commands: Sequence[Perform]) -> Perform:
    command = draw(st.sampled_from(commands))
    assert isinstance(command, Perform)
    return command


@st.composite
def runs(draw: st.DrawFn, *, longest: int = 30) -> Run:
    """A run that was answered until it could not go on or ``longest`` outcomes were told.

    Failures, tripwires and stops are rare, so that runs get somewhere.
    """
    run = Run(draw(machines()), draw(facts()))
    while len(run.outcomes) < longest:
        dice = draw(st.integers(0, 19))
        if run.late and dice > 9:
            late = _chosen(draw, list(run.late.values()))
            run.tell(answer(draw, run, late, interrupting=dice > 16))
        elif run.here.rest is Resting.NO:
            if dice == 0:
                run.outside(draw(st.sampled_from(tuple(RESERVED))))
            else:
                owed = _chosen(draw, list(run.owed.values()))
                run.tell(answer(draw, run, owed, interrupting=dice < 3))
        elif run.here.rest is Resting.WAIT and dice == 0:
            run.outside(draw(st.sampled_from(tuple(RESERVED))))
        elif run.resumable and dice > 1:
            run.outside(Event.RESUMED)
        else:
            break
    return run
