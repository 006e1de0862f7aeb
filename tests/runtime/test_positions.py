"""Work that belongs to no call of a reply has no position in it, in any machine."""

from __future__ import annotations

from agentgraph.runtime.commands import Command, Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.machine import (
    Event,
    Invoke,
    Machine,
    Rest,
    State,
    StateKind,
    Transition,
    WorkKind,
    plain,
)

MODEL = Invoke("a/model", plain(WorkKind.MODEL))
DONE = State("done", StateKind.DONE, rest=Rest.END)


def machine(then: State) -> Machine:
    """A machine that asks a model and then goes to another state, whatever the reply says."""
    initial = State(
        "initial", StateKind.INITIAL, transitions=(Transition(Event.STARTED, "thinking"),)
    )
    thinking = State(
        "thinking",
        StateKind.THINKING,
        invokes=(MODEL,),
        transitions=(Transition(Event.REPLIED, then.id),),
    )
    return Machine("m", "initial", (), (initial, thinking, then, DONE))


def after_a_reply(then: State) -> tuple[Machine, ControlState, tuple[Command, ...]]:
    whole = machine(then)
    state, (ask,) = start(whole, Facts(None, False, False))
    assert isinstance(ask, Perform)
    state, commands = step(whole, state, Outcome(ask.id, Event.REPLIED, reply=Reply()))
    return whole, state, commands


def test_a_handoff_that_no_reply_asked_for_has_no_position() -> None:
    lane = Invoke("a/handoff/b", plain(WorkKind.HANDOFF))
    leaving = State(
        "leaving",
        StateKind.HANDOFF,
        invokes=(lane,),
        transitions=(Transition(Event.DONE, "done"),),
    )
    _, _, (hand_over,) = after_a_reply(leaving)
    assert isinstance(hand_over, Perform)
    assert hand_over.position == -1
