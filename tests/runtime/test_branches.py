"""Branches of a step in the interpreter: when the run leaves them, and what is too late."""

from __future__ import annotations

import pytest

from agentgraph import Agent, Workflow, all_of, compile, quorum
from agentgraph.runtime.commands import Command, CommandId, Perform, Rest
from agentgraph.runtime.outcomes import Call, Outcome, Reply
from agentgraph.runtime.state import ControlState
from agentgraph.runtime.step import ProtocolError, start, step
from agentgraph.workflow.branches import Join
from agentgraph_compiler.machine import Event, Machine, WorkKind

NAMES = ("one", "two", "three")


def branches(join: Join) -> tuple[Machine, ControlState, dict[int, Perform]]:
    """A run whose branches have begun, and the command of each."""

    def one(text: str) -> str:
        return text

    def two(text: str) -> str:
        return text

    def three(text: str) -> str:
        return text

    draft = Agent(name="Draft")
    flow = Workflow("Flow", start=draft)
    flow.then(draft, flow.parallel("board", [one, two, three], join=join))
    machine = compile(flow).machine
    state, commands = start(machine)
    state, commands = take(machine, state, commands, Event.REPLIED, Reply())
    state, commands = take(machine, state, commands, Event.CHOSEN, Reply(case="draft/case/always"))
    calls = tuple(Call(f"board/branch/{name}", name, at) for at, name in enumerate(NAMES))
    state, commands = take(machine, state, commands, Event.CHOSEN, Reply(calls))
    owed = [one for one in commands if isinstance(one, Perform)]
    assert {one.phase.kind for one in owed} == {WorkKind.BRANCH}
    return machine, state, {one.id.lane: one for one in owed}


def take(
    machine: Machine,
    state: ControlState,
    commands: tuple[Command, ...],
    event: Event,
    reply: Reply | None = None,
) -> tuple[ControlState, tuple[Command, ...]]:
    (command,) = (one for one in commands if isinstance(one, Perform))
    return step(machine, state, Outcome(command.id, event, None, reply))


def test_a_run_waits_for_all_of_the_branches() -> None:
    machine, state, owed = branches(all_of())
    for lane in (2, 0, 1):
        assert state.state == "board.branching"
        state, _ = step(machine, state, Outcome(owed[lane].id, Event.RETURNED))
    assert state.state == "done"


def test_a_run_leaves_its_branches_when_enough_of_them_are_over() -> None:
    machine, state, owed = branches(quorum(2))
    state, _ = step(machine, state, Outcome(owed[2].id, Event.RETURNED))
    assert state.state == "board.branching"
    left, commands = step(machine, state, Outcome(owed[0].id, Event.RETURNED))
    assert left.state == "done"
    assert isinstance(commands[-1], Rest)
    with pytest.raises(ProtocolError):
        step(machine, left, Outcome(owed[1].id, Event.RETURNED))


def test_a_branch_that_waits_keeps_no_other_from_being_enough() -> None:
    machine, state, owed = branches(quorum(2))
    state, _ = step(machine, state, Outcome(owed[0].id, Event.AWAITING))
    state, _ = step(machine, state, Outcome(owed[1].id, Event.RETURNED))
    suspended, _ = step(machine, state, Outcome(owed[2].id, Event.RETURNED))
    assert suspended.state == "done"


def test_a_run_suspends_when_too_few_are_over_and_the_others_wait() -> None:
    machine, state, owed = branches(quorum(2))
    for lane, event in enumerate((Event.AWAITING, Event.RETURNED, Event.AWAITING)):
        state, commands = step(machine, state, Outcome(owed[lane].id, event))
    assert state.state == "suspended"
    again, commands = step(machine, state, Outcome(commands[-1].id, Event.RESUMED))
    assert {one.id[1:] for one in commands if isinstance(one, Perform)} == {(0, 1), (2, 1)}
    done, _ = step(machine, again, Outcome(CommandId(again.sequence, 2, 1), Event.RETURNED))
    assert done.state == "done"


def test_a_call_of_no_branch_is_refused() -> None:
    machine, state, owed = branches(all_of())
    with pytest.raises(ProtocolError, match="cannot end with"):
        step(machine, state, Outcome(owed[0].id, Event.DONE))
