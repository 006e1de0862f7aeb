"""The rows, states and lanes of one chart that tests owe, and why they do not owe others."""

from __future__ import annotations

from functools import cached_property

from agentgraph_compiler.analysis.edges import failing_state, ways_of
from agentgraph_compiler.analysis.excuses import (
    AFTER_BUDGET,
    FAULT,
    NEVER_AGAIN,
    NEVER_WAITS,
    NO_FAULT_OWED,
    SESSION,
    SINGLE,
    SPENT_BUDGET,
    UNREACHED,
)
from agentgraph_compiler.analysis.flow import Flow, reached_from
from agentgraph_compiler.analysis.waits import may_wait
from agentgraph_compiler.ir.chart import (
    Agent,
    Chart,
    Enabled,
)
from agentgraph_compiler.ir.steps import StepKind
from agentgraph_compiler.machine import (
    Event,
    GuardKind,
    State,
    StateKind,
    Transition,
)
from agentgraph_compiler.types import TEXT


class OwedTable:
    """What tests owe of the table of one chart.

    Args:
        chart: The chart.
        flow: Where its runs can go; `None` if no run enters it.
        waiting: The names of the charts whose runs can wait for a decision.
    """

    def __init__(self, chart: Chart, flow: Flow | None, waiting: frozenset[str]) -> None:
        self._chart, self._flow, self._waiting = chart, flow, waiting

    @cached_property
    def _rows(self) -> dict[str, list[Transition]]:
        """The transitions that tests owe, by the state that they leave, before it is known which
        of the states a run can reach by them."""
        rows: dict[str, list[Transition]] = {}
        if self._flow is not None:
            for number in sorted(self._flow.reached):
                state = self._flow.places[number].state
                owed = rows.setdefault(state.id, [])
                for row, _ in self._flow.rows[number]:
                    if row.target and row not in owed and not self._refinement(state, row):
                        owed.append(row)
        return rows

    @cached_property
    def _dead(self) -> dict[Transition, str]:
        """The cases that no value takes, and why."""
        ways = (way for way in ways_of(self._chart) if way.never and not way.is_last)
        return {way.row: way.never for way in ways}

    @cached_property
    def _states(self) -> frozenset[str]:
        """The states that tests owe."""
        if self._flow is None:
            return frozenset()
        roots = [self._chart.initial]
        return frozenset(reached_from(roots, lambda id: [row.target for row in self._rows[id]]))

    @cached_property
    def _lanes(self) -> frozenset[tuple[str, str]]:
        """The lanes that work in a run, as agents with symbols."""
        if self._flow is None:
            return frozenset()
        return frozenset(
            (place.state.agent, lane.symbol)
            for place in (self._flow.places[number] for number in self._flow.reached)
            if place.state.id in self._states
            for lane in self._flow.lanes_of(place)
        )

    @cached_property
    def _caught(self) -> frozenset[str]:
        """The states in which steps choose an edge after an exception, one for each step."""
        states = (failing_state(self._chart, step) for step in self._chart.steps)
        return frozenset(state.id for state in states if state is not None)

    def _is_failing(self, id: str) -> bool:
        state = self._chart.state.get(id)
        return state is not None and state.kind is StateKind.FAILING

    def _unreached(self, agent: str = "", state: str = "") -> str:
        """Why no test owes the states of an agent, or a state."""
        if self._flow is not None and any(
            step.kind is StepKind.BUDGET for step in self._chart.steps
        ):
            for place in (self._flow.places[number].state for number in self._flow.reached):
                if place.id == state or (agent and place.agent == agent):
                    return AFTER_BUDGET
        return UNREACHED

    def _refinement(self, state: State, row: Transition) -> str:
        """Why a transition that the flow has is not owed; empty if it is."""
        if row.guard.kind is GuardKind.SESSION or state.kind is StateKind.LOADING:
            return SESSION
        if row in self._dead:
            return self._dead[row]
        if row.event is Event.EXPIRED:
            return SPENT_BUDGET
        if state.kind is StateKind.FAILING and row.event is Event.DECLINED:
            return NO_FAULT_OWED
        if self._is_failing(row.target) and row.target not in self._caught:
            return FAULT
        if row.event is Event.AWAITING and not may_wait(state, self._waiting):
            return NEVER_WAITS
        agent = self._chart.agent.get(state.agent)
        if agent is None:
            return ""
        if agent.single_call and state.offers and row.guard.kind is GuardKind.REQUESTS:
            return SINGLE
        again = row.event is Event.REPLIED and row.guard.kind is GuardKind.OTHERWISE
        if again and not _may_repeat(agent):
            return NEVER_AGAIN
        return ""


def _may_repeat(agent: Agent) -> bool:
    """Whether a reply without calls can be no answer: hosted activity alone, or no text where a
    structured output is asked for."""
    hosted = any(tool.hosted and tool.enabled is not Enabled.NEVER for tool in agent.tools)
    return hosted or agent.choice.hosted or agent.output != TEXT
