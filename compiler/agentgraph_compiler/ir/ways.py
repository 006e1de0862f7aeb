"""How handoffs arrive, and the ways from step to step of a workflow with edges: states and rows.

An agent that is over goes to the state ``leaving`` of its step, where the run chooses a case; the
row of the case leads into the next step. A function works in a state of its own, and so does a
person who answers a question. A case with a limit passes a state ``looping``, which counts. For an
agent ``a``, a function ``f``, a question ``q`` and a way back that a run takes twice at most,
``agentgraph ir`` prints::

    state a.over over of a
      on done -> a.leaving

    state a.leaving leaving of a
      invoke a/edge edge
      on chosen when case "a/case/f" -> f.working output outcome
      on chosen when case "a/case/again" -> a.looping.again

    state a.looping.again looping of a
      on done when rounds "a/case/again", 2 -> a.thinking emits agent arrives a visits …
      on done -> f.working output outcome

    state f.working working
      invoke f/step step
      on done -> saving.done emits output output outcome

    state q.asking asking
      invoke q/answer answer
      on done -> q.leaving output outcome
      on awaiting -> saving.suspended keeps
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentgraph_compiler.ir.branches import branch_states
from agentgraph_compiler.ir.chart import Agent, Guardrail
from agentgraph_compiler.ir.entries import SPENT, entry_state, exhaustion
from agentgraph_compiler.ir.policy import Policy
from agentgraph_compiler.ir.shared import CHECKING, DONE, ON_AWAITING, checking, saving
from agentgraph_compiler.ir.steps import Case, Step, StepKind
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

_ARRIVAL = (Emission.HANDOFF, Emission.AGENT)
_AT_WORK: Mapping[StepKind, tuple[StateKind, WorkKind]] = {
    StepKind.FUNCTION: (StateKind.WORKING, WorkKind.STEP),
    StepKind.END: (StateKind.WORKING, WorkKind.STEP),
    StepKind.QUESTION: (StateKind.ASKING, WorkKind.ANSWER),
    StepKind.PARALLEL: (StateKind.SPLITTING, WorkKind.SPLIT),
    StepKind.EACH: (StateKind.SPLITTING, WorkKind.SPLIT),
    StepKind.WORKFLOW: (StateKind.SPLITTING, WorkKind.SPLIT),
}


class Ways:
    """The ways from step to step of one chart.

    Args:
        steps: The steps; none if the workflow has no edges.
        agents: The agents of the chart, by id.
        judges: The guardrails of the run on what leaves it from a function or by an end.

    Attributes:
        steps: The steps.
        entered: Ids of the agents that an edge enters.
        step_of: The step in which an agent works, by the id of the agent.
    """

    def __init__(
        self,
        steps: tuple[Step, ...],
        agents: Mapping[str, Agent],
        judges: tuple[Guardrail, ...] = (),
    ) -> None:
        self.steps, self._agents, self._judges = steps, agents, judges
        self._last = CHECKING if judges else saving(DONE)
        self._steps = {step.id: step for step in steps}
        self.step_of = {agent: step.id for step in steps for agent in step.agents}
        targets = {id for step in steps for case in step.ways for id in case.targets}
        self.entered = {id for id in targets if id in agents}
        # The loops that back edges with a limit close, by the steps in them.
        self._loops: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for edge, loop in _loops(steps):
            for id in loop:
                self._loops.setdefault(id, []).append((edge, loop))

    def over(self, agent: str) -> Transition | None:
        """The row out of an agent that is over; ``None`` if its run is over, too."""
        step = self._steps.get(self.step_of.get(agent, ""))
        if step is None or not step.cases:
            return None
        return Transition(Event.DONE, f"{step.id}.leaving")

    def resets(self, source: str, target: str) -> tuple[str, ...]:
        """The back edges that count anew if a run comes from one step to another."""
        return tuple(edge for edge, loop in self._loops.get(target, ()) if source not in loop)

    def states(self, step: Step) -> Iterator[State]:
        """The states of a step beside those of its agents."""
        if step.branches is not None:
            over = f"{step.id}.leaving" if step.cases else self._last
            yield from branch_states(step, step.branches, over)
        elif step.kind in _AT_WORK and not step.ends:
            yield self._working(step)
        if step.cases:
            yield self._leaving(step)
        yield from (self._looping(step, case) for case in step.ways if case.at_most)

    def shared(self) -> Iterator[State]:
        """The states that all steps share."""
        if self._judges:
            yield checking(self._judges)

    def _working(self, step: Step) -> State:
        kind, work = _AT_WORK[step.kind]
        invoke = Invoke(f"{step.id}/{work}", plain(work), digest=step.digest)
        if step.cases:
            row = Transition(Event.DONE, f"{step.id}.leaving", output=Source.OUTCOME)
        else:
            emits = (Emission.OUTPUT,)
            row = Transition(Event.DONE, self._last, emits=emits, output=Source.OUTCOME)
        rows = (row, ON_AWAITING) if kind is StateKind.ASKING else (row,)
        return State(f"{step.id}.{kind}", kind, invokes=(invoke,), transitions=rows)

    def _leaving(self, step: Step) -> State:
        work = Invoke(f"{step.id}/edge", plain(WorkKind.EDGE), digest=step.digest)
        return State(
            f"{step.id}.leaving",
            StateKind.LEAVING,
            agent=owner(step),
            invokes=(work,),
            transitions=tuple(self.chosen(step, case) for case in step.cases),
        )

    def chosen(self, step: Step, case: Case) -> Transition:
        """The row of a case out of the state in which it is chosen."""
        guard = Guard(GuardKind.CASE, (step.case_symbol(case),))
        if case.at_most:
            return Transition(Event.CHOSEN, _looping_state(step, case), guard=guard)
        return self._into(case.target, step, event=Event.CHOSEN, guard=guard)

    def _looping(self, step: Step, case: Case) -> State:
        edge = step.case_symbol(case)
        left = Guard(GuardKind.ROUNDS, (edge, str(case.at_most)))
        return State(
            _looping_state(step, case),
            StateKind.LOOPING,
            agent=owner(step),
            transitions=(
                self._into(case.target, step, event=Event.DONE, guard=left, counts=edge),
                self._into(case.exhausted, step, event=Event.DONE),
            ),
        )

    def _into(
        self,
        target: str,
        source: Step,
        *,
        event: Event,
        guard: Guard = OTHERWISE,
        counts: str = "",
    ) -> Transition:
        """The row from one step into another."""
        step = self._steps[target]
        if step.ends:
            return Transition(event, self._last, guard=guard)
        resets = self.resets(source.id, target)
        if step.kind is not StepKind.AGENT:
            return Transition(
                event,
                f"{target}.{_AT_WORK[step.kind][0]}",
                guard=guard,
                output=Source.OUTCOME,
                counts=counts,
                resets=resets,
            )
        return Transition(
            event,
            entry_state(self._agents[target], by_edge=True),
            guard=guard,
            emits=(Emission.AGENT,),
            arrives=target,
            visits=True,
            counts=counts,
            resets=resets,
        )


class Arrivals:
    """The transitions by which handoffs arrive at an agent; all handoffs to it share them.

    Args:
        policy: What the run decides.
        ways: The ways from step to step.
    """

    def __init__(self, policy: Policy, ways: Ways) -> None:
        self._policy, self.ways = policy, ways
        self._transitions: dict[str, tuple[Transition, ...]] = {}

    def at(self, agent_id: str, source: str) -> tuple[Transition, ...]:
        """The transitions of a handoff state of agent ``source`` whose target is the agent."""
        step_of = self.ways.step_of
        if agent_id in step_of and step_of[agent_id] != step_of.get(source):
            return (self._into_step(agent_id, step_of.get(source, "")),)
        transitions = self._transitions.get(agent_id)
        if transitions is None:
            exhausted = exhaustion(agent_id, self._policy)
            transitions = self._transitions[agent_id] = (
                Transition(Event.DONE, exhausted, guard=SPENT, emits=_ARRIVAL, arrives=agent_id),
                Transition(
                    Event.DONE,
                    f"{agent_id}.thinking",
                    guard=OTHERWISE,
                    emits=_ARRIVAL,
                    arrives=agent_id,
                ),
            )
        return transitions

    def _into_step(self, agent_id: str, source: str) -> Transition:
        """The row of a handoff into another step: a visit begins, with all of its turns."""
        return Transition(
            Event.DONE,
            f"{agent_id}.thinking",
            emits=_ARRIVAL,
            arrives=agent_id,
            visits=True,
            resets=self.ways.resets(source, agent_id),
        )


def owner(step: Step) -> str:
    """Id of the agent to which the states between a step and the next one belong."""
    return step.agents[0] if step.agents else ""


def _looping_state(step: Step, case: Case) -> str:
    return f"{step.id}.{'failing.' if case.catches else ''}looping.{case.label}"


def _before(steps: tuple[Step, ...]) -> dict[str, list[str]]:
    """The steps that lead to each step."""
    before: dict[str, list[str]] = {}
    for step in steps:
        for case in step.ways:
            for target in case.targets:
                before.setdefault(target, []).append(step.id)
    return before


def _loops(steps: tuple[Step, ...]) -> Iterator[tuple[str, frozenset[str]]]:
    """The counted edges, each with the steps of its loop.

    Loops that lie beside each other around one step count as one, because a run that goes round
    them in turn would otherwise come to each from outside, and never be over.
    """
    before = _before(steps)
    around: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for step in steps:
        for case in step.ways:
            if case.at_most:
                loop = _loop(before, step.id, case.target)
                around.setdefault(case.target, []).append((step.case_symbol(case), loop))
    for loops in around.values():
        for edge, loop in loops:
            beside = (one for _, one in loops if not (one <= loop or loop <= one))
            yield edge, loop.union(*beside)


def _loop(before: Mapping[str, list[str]], source: str, target: str) -> frozenset[str]:
    """The steps of the loop that a back edge closes: its target, and all that lead to its source
    without passing the target."""
    loop, waiting = {target, source}, [source]
    while waiting:
        id = waiting.pop()
        if id == target:
            continue
        fresh = [one for one in before.get(id, ()) if one not in loop]
        loop.update(fresh)
        waiting += fresh
    return frozenset(loop)
