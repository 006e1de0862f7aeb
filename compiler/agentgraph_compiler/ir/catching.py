"""The ways out of a step after an exception: states and rows.

Where a run would fail, a step with such ways goes to its state ``failing`` first. The work there
looks at the exception and chooses a case; the run fails as ever if no case catches it. What the
session keeps depends on how the run would fail, so there is one such state for each way to fail.
For an agent ``a`` with one way to a function ``f``, ``agentgraph ir`` prints::

    state a.thinking thinking of a
      …
      on failed -> a.failing.failed cause keeps

    state a.failing.failed failing of a
      invoke a/catch catch
      on chosen when case "a/error/ValueError" -> f.working output outcome keeps
      on declined -> saving.failed

A row of a case keeps nothing of the state before it: nothing is unfinished, and the run does not
come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agentgraph_compiler.ir.shared import BLOCKED, EXHAUSTED, FAILED, JUDGED, saving
from agentgraph_compiler.ir.steps import Step, StepKind
from agentgraph_compiler.ir.ways import Ways, owner
from agentgraph_compiler.machine import (
    OUTCOMES,
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

_FAILURES = (FAILED, BLOCKED, EXHAUSTED, JUDGED)
_BY_STATE = {saving(failure): failure for failure in _FAILURES}


class Catching:
    """The ways out of the steps of one chart after exceptions.

    Args:
        ways: The ways from step to step.
    """

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._reached: dict[str, set[str]] = {
            step.id: {FAILED} if step.kind is StepKind.BUDGET else set()
            for step in ways.steps
            if step.errors
        }
        self._steps = {step.id: step for step in ways.steps if step.errors}

    def rows(self) -> Iterator[Transition]:
        """The rows that hold in every state, and are taken once: a budget is spent."""
        for step in self._ways.steps:
            if step.kind is StepKind.BUDGET:
                symbol = f"{step.id}/{step.limits}"
                target = saving(FAILED)
                if step.errors:
                    target = _failing(step, FAILED)
                once = Guard(GuardKind.ROUNDS, (symbol, "1"))
                yield Transition(
                    Event.EXPIRED, target, guard=once, cause=True, keeps=True, counts=symbol
                )

    def of_agent(self, id: str, states: Iterable[State]) -> Iterable[State]:
        """The states of an agent, with rows into the states ``failing`` of its step."""
        step = self._steps.get(self._ways.step_of.get(id, ""))
        return states if step is None else [self._caught(step, state) for state in states]

    def before(self, id: str, states: Iterable[State]) -> Iterable[State]:
        """The states before the first agent: a run without turns fails there."""
        step = self._steps.get(self._ways.step_of.get(id, ""))
        return states if step is None else [self._redirected(step, state) for state in states]

    def states(self) -> Iterator[State]:
        """The states of the steps beside those of their agents."""
        for step in self._ways.steps:
            states = self._ways.states(step)
            yield from (self._caught(step, one) for one in states) if step.errors else states
        for id, reached in self._reached.items():
            for failure in _FAILURES:
                if failure in reached:
                    yield self._state(self._steps[id], failure)
        yield from self._ways.shared()

    def _redirected(self, step: Step, state: State) -> State:
        reached = self._reached[step.id]
        rows = list(state.transitions)
        for place, row in enumerate(rows):
            failure = _BY_STATE.get(row.target)
            if failure is not None:
                reached.add(failure)
                rows[place] = replace(row, target=_failing(step, failure))
        return replace(state, transitions=tuple(rows))

    def _caught(self, step: Step, state: State) -> State:
        """A state that the run leaves at once on an exception and on a tripwire."""
        state = self._redirected(step, state)
        own = {row.event for row in state.transitions}
        kinds = {phase.kind for lane in (*state.invokes, *state.offers) for phase in lane.phases}
        for event, failure in ((Event.TRIPPED, BLOCKED), (Event.FAILED, FAILED)):
            if event not in own and any(event in OUTCOMES[kind] for kind in kinds):
                self._reached[step.id].add(failure)
                row = Transition(
                    event, _failing(step, failure), cause=True, keeps=event is Event.FAILED
                )
                state = replace(state, transitions=(*state.transitions, row))
        return state

    def _state(self, step: Step, failure: str) -> State:
        work = Invoke(f"{step.id}/catch", plain(WorkKind.CATCH), digest=step.digest)
        chosen = (self._ways.chosen(step, case) for case in step.errors)
        return State(
            _failing(step, failure),
            StateKind.FAILING,
            agent=owner(step),
            invokes=(work,),
            transitions=(
                *(replace(row, output=Source.OUTCOME, keeps=True) for row in chosen),
                Transition(Event.DECLINED, saving(failure)),
            ),
        )


def failing_states(step: Step) -> tuple[str, ...]:
    """The ids of the states ``failing`` that a step may have, that of plain failures first."""
    return tuple(_failing(step, failure) for failure in _FAILURES)


def _failing(step: Step, failure: str) -> str:
    return f"{step.id}.failing.{failure}"
