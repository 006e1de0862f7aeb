"""Random workflows and random runs of them, as Hypothesis strategies.

A run is made by answering pending commands with outcomes that the machine allows, so drawing one is
itself a test: a legal outcome that is refused is an error in the interpreter, and it shrinks to a
short script.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from agentgraph.runtime.commands import Command, CommandId, Finish, Perform, Suspend
from agentgraph.runtime.outcomes import Call, Outcome, Reply, Request
from agentgraph.runtime.state import RunState
from agentgraph.runtime.step import start, step
from agentgraph_compiler.ir.builder import Policy
from agentgraph_compiler.ir.chart import Agent, Stop, StopKind
from agentgraph_compiler.machine import (
    INTERRUPTING,
    OUTCOMES,
    Event,
    GuardKind,
    Invoke,
    InvokeKind,
    Machine,
    State,
    Verdict,
)
from tests.runtime.declarations import agent, ask, machine_of

FAULTS = ("max_turns", "model_refusal", "invalid_final_output")
WIDEST = 4
"""The most calls that a drawn reply asks for."""


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
    )


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """The machine of a workflow of two to six agents under any policy."""
    ids = "abcdef"[: draw(st.integers(2, 6))]
    policy = Policy(frozenset(draw(st.sets(st.sampled_from(FAULTS)))), draw(st.booleans()))
    return machine_of(*(draw(agents(id, " ".join(ids))) for id in ids), policy=policy)


def replies(machine: Machine, here: State) -> st.SearchStrategy[Reply]:
    """Every reply that ``here`` allows: calls on offer, declared handoffs, any verdict."""
    offered: list[Invoke] = []
    requestable: list[str] = []
    for row in here.transitions:
        if row.guard.kind is GuardKind.CALLS:
            offered.extend(machine.state[row.target].offers)
        elif row.guard.kind is GuardKind.REQUESTS:
            requestable.extend(row.guard.names)

    def reply(calls: list[str], requests: list[str], verdict: Verdict) -> Reply:
        asked = [Call(symbol, symbol.split("/")[1], place) for place, symbol in enumerate(calls)]
        handoffs = [Request(symbol, place) for place, symbol in enumerate(requests, len(asked))]
        return Reply(tuple(asked), tuple(handoffs), verdict)

    def some(names: list[str], size: int) -> st.SearchStrategy[list[str]]:
        return st.lists(st.sampled_from(names), max_size=size) if names else st.just([])

    calls = some([offer.symbol for offer in offered], WIDEST)
    return st.builds(reply, calls, some(requestable, 2), st.sampled_from(Verdict))


def endings(
    invoke: Invoke | None, *, interrupting: bool = True, waiting: bool = True
) -> list[Event]:
    """How the work of an invoke may end; ``None`` stands for a suspension."""
    if invoke is None:
        return [Event.RESUMED]
    return [
        event
        for event in OUTCOMES[invoke.kind]
        if (interrupting or event not in INTERRUPTING) and (waiting or event is not Event.AWAITING)
    ]


@dataclass
class Run:
    """A run and everything that was said in it.

    Args:
        machine: The machine.
        limit: The most turns allowed.
    """

    machine: Machine
    limit: int | None
    states: list[RunState] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    replies: list[tuple[Command, ...]] = field(default_factory=list)
    pending: dict[CommandId, Invoke | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._take(*start(self.machine, limit=self.limit))

    @property
    def state(self) -> RunState:
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
    def finished(self) -> bool:
        """Whether the machine said that the run is over."""
        return bool(self.replies[-1]) and isinstance(self.replies[-1][-1], Finish)

    def tell(self, outcome: Outcome) -> None:
        """Answer a pending command."""
        self.outcomes.append(outcome)
        del self.pending[outcome.id]
        self._take(*step(self.machine, self.state, outcome))

    def _take(self, state: RunState, commands: tuple[Command, ...]) -> None:
        if self.states and self.state.sequence != state.sequence:
            self.pending.clear()  # an interrupting outcome leaves its siblings without an audience
        for command in commands:
            if isinstance(command, Perform | Suspend):
                assert command.id not in self.pending, f"{command.id} was issued twice"
                invoke = command.invoke if isinstance(command, Perform) else None
                self.pending[command.id] = invoke
        self.states.append(state)
        self.replies.append(commands)

    def __repr__(self) -> str:
        told = "\n  ".join(f"tell {outcome}" for outcome in self.outcomes)
        return f"start limit={self.limit} of {self.machine.states}\n  {told}"


def answer(
    draw: Callable[[st.SearchStrategy[object]], object],
    run: Run,
    id: CommandId,
    *,
    interrupting: bool = True,
    waiting: bool = True,
) -> Outcome:
    """Draw a legal outcome of the pending command ``id``."""
    events = endings(run.pending[id], interrupting=interrupting, waiting=waiting)
    event = draw(st.sampled_from(events))
    assert isinstance(event, Event)
    if event is not Event.REPLIED:
        return Outcome(id, event)
    reply = draw(replies(run.machine, run.here))
    assert isinstance(reply, Reply)
    return Outcome(id, event, reply=reply)


@st.composite
def runs(draw: st.DrawFn, *, longest: int = 40) -> Run:
    """A run that was answered until it finished or ``longest`` outcomes were told.

    Failures and tripwires are rare, so that runs get somewhere.
    """
    run = Run(draw(machines()), draw(st.none() | st.integers(0, 6)))
    while run.pending and len(run.outcomes) < longest:
        id = draw(st.sampled_from(sorted(run.pending)))
        interrupting = draw(st.integers(0, 9)) == 9
        run.tell(answer(draw, run, id, interrupting=interrupting))
    return run


def bound(machine: Machine, limit: int, suspensions: int) -> int:
    """The most outcomes that a run of so many turns and suspensions can be told."""
    guardrails = max(
        sum(invoke.kind is InvokeKind.INPUT_GUARDRAIL for invoke in state.invokes)
        for state in machine.states
    )
    checks = max(
        sum(invoke.kind is InvokeKind.OUTPUT_GUARDRAIL for invoke in state.invokes)
        for state in machine.states
    )
    turn = 1 + WIDEST + 1 + 1  # the model, its calls, the stop rule, a handoff
    resumption = 1 + WIDEST
    ending = 1 + 1 + checks  # a recovery, the end of the agent, its output guardrails
    return 2 * guardrails + limit * turn + suspensions * resumption + ending
