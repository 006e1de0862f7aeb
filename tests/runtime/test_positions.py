"""Work and results that belong to no call of a reply have no position in it, in any machine."""

from __future__ import annotations

from agentgraph.runtime.commands import Command, Emit, Perform
from agentgraph.runtime.outcomes import Outcome, Reply
from agentgraph.runtime.state import ControlState, Facts
from agentgraph.runtime.step import start, step
from agentgraph_compiler.machine import (
    Emission,
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


def test_a_result_of_work_that_is_no_call_is_shown_without_a_position() -> None:
    lane = Invoke("a/decide", plain(WorkKind.DECIDE), emits=(Emission.OUTPUT,))
    deciding = State(
        "deciding",
        StateKind.DECIDING,
        invokes=(lane,),
        transitions=(Transition(Event.ACCEPTED, "done"), Transition(Event.DECLINED, "done")),
    )
    whole, state, (decide,) = after_a_reply(deciding)
    assert isinstance(decide, Perform)
    _, (command, _) = step(whole, state, Outcome(decide.id, Event.ACCEPTED))
    assert isinstance(command, Emit)
    assert command.position == -1
