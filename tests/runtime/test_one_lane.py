"""The short cuts for a state with one lane and for one that a run passes: the general path gives
the same.

A twin of each machine has, in every state that works, one more lane that is never due. So the
interpreter takes the general path there, and the additional lane must not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given

from agentgraph.runtime.commands import Command, CommandId, Perform, Rest
from agentgraph.runtime.guards import enabled_on
from agentgraph.runtime.lanes import ONE, count
from agentgraph.runtime.outcomes import Call, Outcome, Reply
from agentgraph.runtime.state import ControlState
from agentgraph.runtime.step import start, step
from agentgraph_compiler.ir.chart import Stop
from agentgraph_compiler.machine import (
    Event,
    Guard,
    GuardKind,
    Invoke,
    Machine,
    Phase,
    State,
    Verdict,
    WorkKind,
)
from tests.runtime.declarations import NEVER_STOP, STOP_ON_FIRST, agent, ask, machine_of, stop_at
from tests.runtime.workflows import Run, endings, runs

NEVER = Guard(GuardKind.REQUESTS, ("no/handoff",))
IDLE = Invoke(
    "no/lane",
    (Phase("never", WorkKind.SAVE, when=NEVER),),
    group="no/lane",
    # No row outside the initial state is about this event.
    idle=Event.STARTED,
)
IDLE_CALL = Call(IDLE.symbol, "lane", -1)
VERDICTS = (Verdict.FINAL, Verdict.AGAIN)


def twin_of(machine: Machine) -> Machine:
    """The machine with a lane that is never due in every state that works."""

    def twin(state: State) -> State:
        if state.offers:
            return replace(state, offers=(*state.offers, IDLE))
        return replace(state, invokes=(*state.invokes, IDLE)) if state.invokes else state

    return replace(machine, states=tuple(map(twin, machine.states)))


def to_twin(outcome: Outcome) -> Outcome:
    """The outcome for the twin: a reply with calls also asks for the lane that is never due."""
    reply = outcome.reply
    if reply is None or not reply.calls:
        return outcome
    return outcome._replace(reply=reply._replace(calls=(*reply.calls, IDLE_CALL)))


def without_idle_lane(state: ControlState) -> ControlState:
    """The state of a twin as its original has it."""
    lanes, reply = state.lanes[:-ONE], state.reply
    return state._replace(
        lanes=lanes,
        emitted=state.emitted & ~(1 << count(lanes)) if state.lanes else state.emitted,
        joined=state.joined - {Event.STARTED},
        reply=None if reply is None else _without_idle_call(reply),
        kept=None if state.kept is None else without_idle_lane(state.kept),
    )


def _without_idle_call(reply: Reply) -> Reply:
    return reply._replace(calls=tuple(call for call in reply.calls if call != IDLE_CALL))


@given(runs())
def test_a_lane_that_is_never_due_changes_neither_states_nor_commands(run: Run) -> None:
    twin = twin_of(run.machine)
    state, commands = start(twin, run.facts)
    steps: list[tuple[ControlState, tuple[Command, ...]]] = [(without_idle_lane(state), commands)]
    for outcome in run.outcomes:
        assert len(state.lanes) != ONE  # so the twin never takes the short cut
        state, commands = step(twin, state, to_twin(outcome))
        steps.append((without_idle_lane(state), commands))
    assert steps == list(zip(run.states, run.replies, strict=True))


@pytest.mark.parametrize(
    "stop",
    [NEVER_STOP, STOP_ON_FIRST, stop_at("search"), ask("a")],
    ids=["never", "first", "named", "asked"],
)
@pytest.mark.parametrize("around", ["", "approved", "judged"])
def test_every_short_run_with_one_call_a_turn_is_that_of_the_general_path(
    stop: Stop, around: str
) -> None:
    tools = {around: "search"} if around else {}
    machine = machine_of(agent("a", functions="search", checks="polite", stop=stop, **tools))
    twin = twin_of(machine)
    pairs = [(start(machine), start(twin))]
    ended = 0
    for _ in range(7):
        following = []
        for (state, commands), (twin_state, _) in pairs:
            outcomes = list(outcomes_of(machine, state, commands[-1]))
            ended += not outcomes
            for outcome in outcomes:
                here = step(machine, state, outcome)
                there = step(twin, twin_state, to_twin(outcome))
                assert (without_idle_lane(there[0]), there[1]) == here
                following.append((here, there))
        pairs = following
    assert ended


def outcomes_of(machine: Machine, state: ControlState, command: Command) -> Iterator[Outcome]:
    """Every outcome of a command, with replies of at most one call; the resumption of a rest."""
    here = machine.state[state.state]
    if isinstance(command, Rest):
        if enabled_on(Event.RESUMED, here, state) is not None:
            yield Outcome(CommandId(state.sequence, 0), Event.RESUMED)
        return
    assert isinstance(command, Perform)
    for event in endings(state, command):
        if event is not Event.REPLIED:
            yield Outcome(command.id, event)
            continue
        offers = machine.state[here.acting].offered
        calls = [(Call(symbol, symbol, 0),) for symbol in offers]
        for reply in (*map(Reply, calls), *(Reply(verdict=verdict) for verdict in VERDICTS)):
            yield Outcome(command.id, event, reply=reply)
