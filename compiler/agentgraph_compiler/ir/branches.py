"""The states of a step whose branches work side by side.

The work in ``splitting`` says which branches there are and what they get: a call for each. The
state ``branching`` has a lane for each call. For branches ``a``, an agent, and ``f``, a function,
``agentgraph ir`` prints::

    state board.splitting splitting
      invoke board/split split
      on chosen -> board.branching output outcome

    state board.branching branching
      offer board/branch/a branch machine a emits output
      offer board/branch/f branch emits output
      on awaiting -> saving.suspended keeps
      on returned -> board.leaving

A step that does not wait for all of them has a first row ``on returned when joined 1``, on which
the run leaves the state although lanes are at work. A step that works on each item of a list may
have none, so its rows are::

      on chosen when calls -> found.branching output outcome
      on chosen -> found.leaving output outcome
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.ir.shared import ON_AWAITING
from agentgraph_compiler.ir.steps import Branches, Step
from agentgraph_compiler.machine import (
    OTHERWISE,
    Emission,
    Event,
    Guard,
    GuardKind,
    Invoke,
    Source,
    State,
    StateKind,
    Transition,
    WorkKind,
    plain,
)

_CALLS = Guard(GuardKind.CALLS)


def branch_states(step: Step, branches: Branches, over: str) -> Iterator[State]:
    """The states in which the branches of a step begin and work.

    Args:
        step: The step.
        branches: Its branches.
        over: Id of the state after them.
    """
    split = Invoke(f"{step.id}/split", plain(WorkKind.SPLIT), digest=step.digest)
    branching = f"{step.id}.branching"
    yield State(
        f"{step.id}.splitting",
        StateKind.SPLITTING,
        invokes=(split,),
        transitions=tuple(_splits(branches, branching, over)),
    )
    yield State(
        branching,
        StateKind.BRANCHING,
        offers=tuple(_offers(step, branches)),
        transitions=tuple(_joins(branches, over)),
    )


def _splits(branches: Branches, branching: str, over: str) -> Iterator[Transition]:
    guard = _CALLS if branches.most else OTHERWISE
    yield Transition(Event.CHOSEN, branching, guard=guard, output=Source.OUTCOME)
    if branches.most:
        yield Transition(Event.CHOSEN, over, output=Source.OUTCOME)


def _offers(step: Step, branches: Branches) -> Iterator[Invoke]:
    for branch in branches.branches:
        yield Invoke(
            branch_symbol(step.id, branch.name),
            plain(WorkKind.BRANCH),
            machine=branch.machine,
            emits=(Emission.OUTPUT,),
            group=step.id if branches.places else "",
            places=branches.places,
        )


def branch_symbol(step: str, name: str) -> str:
    """The name of a branch in the machine."""
    return f"{step}/branch/{name}"


def _joins(branches: Branches, over: str) -> Iterator[Transition]:
    if branches.needs:
        enough = Guard(GuardKind.JOINED, (str(branches.needs),))
        yield Transition(Event.RETURNED, over, guard=enough)
    yield ON_AWAITING
    yield Transition(Event.RETURNED, over)
