"""What tests of a workflow have to show: each thing that a run can do, named once.

An obligation is about an agent, a handoff, a tool, a guardrail, an edge, a function, a question, a
limit, a state or a transition of the table, with the outcome that a run must have there. What no
run can do, and what only a fault of the world can bring about, is named too, with the reason why no
test owes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.edges import ways_of
from agentgraph_compiler.analysis.flow import Flow, reached_from
from agentgraph_compiler.analysis.moves import EVERY_STATE, words_of
from agentgraph_compiler.analysis.owed import (
    ANSWERED,
    APPROVED,
    CALLED,
    EXHAUSTED,
    FAILED,
    MAX_TURNS,
    PASSED,
    REACHED,
    REJECTED,
    TAKEN,
    TRIPPED,
    VISITED,
    Key,
    Obligation,
    Subject,
)
from agentgraph_compiler.analysis.turns import may_spend, turns_of_tools
from agentgraph_compiler.analysis.waits import may_wait, waiting_charts
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.chart import (
    USUAL_TURNS,
    Agent,
    Approval,
    Chart,
    Enabled,
    Guardrail,
    Handoff,
    Tool,
)
from agentgraph_compiler.ir.shared import saving
from agentgraph_compiler.ir.steps import StepKind
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    RESERVED,
    Event,
    GuardKind,
    Premise,
    Rest,
    State,
    StateKind,
    Transition,
)
from agentgraph_compiler.types import TEXT

_UNREACHED = "no run can get there"
_DISABLED = "it is disabled"
_HOSTED = "it runs at the model's side"
_OUTSIDE = "its target is outside this workflow"
_FAULT = "only a fault, a tripped guardrail or the turn limit leads there"
_CUT_SHORT = "it cuts a run short, wherever the run is"
_RESUMED = "it is the way back of a run that is resumed"
_SESSION = "only runs with a session get there"
_NO_FAULT_OWED = "a failure is noted, not owed"
_NEVER_TRIPS = "it never trips"
_NEVER_WAITS = "none of the tools waits for a decision"
_NEVER_AGAIN = "without a hosted tool or a structured output, each reply is a call or the answer"
_ENOUGH = "no run makes so many turns"
_SINGLE = "its replies have one call only"
_PREMISES = {
    Premise.CHOICE: "only a model that disregards its tool choice gets there",
    Premise.FIRST_CHOICE: "only a model that disregards its tool choice gets there",
    Premise.OFFER: "only a model that calls what is not on offer gets there",
    Premise.SCHEMA: "only a model that disregards its schema gets there",
}
_WAITING_STATES = frozenset({saving(StateKind.SUSPENDED), StateKind.SUSPENDED.value})
_CUTS = frozenset({*INTERRUPTING, *RESERVED})


def obligations(chart: Chart) -> tuple[Obligation, ...]:
    """The obligations of a workflow, in document order, those of agent tools last.

    Args:
        chart: A well-formed chart.
    """
    analysis = Analysis(chart)
    waiting = waiting_charts(analysis)
    entered = {part.name for part in analysis.parts if part is not chart}
    turns = turns_of_tools(chart)
    rows: list[Obligation] = []
    for part in chart.walk():
        name = "" if part is chart else part.name
        reached = part is chart or part.name in entered
        flow = analysis.flow(part) if reached else None
        rows += _Part(name, part, flow, waiting, turns.get(name, USUAL_TURNS)).all()
    return tuple(rows)


class _Part:
    """The obligations of one chart.

    Args:
        name: Its name in keys.
        chart: The chart.
        flow: Where its runs can go; `None` if no run enters it.
        waiting: The names of the charts whose runs can wait for a decision.
        turns: The fewest turns that a run of it may make.
    """

    def __init__(
        self, name: str, chart: Chart, flow: Flow | None, waiting: frozenset[str], turns: int
    ) -> None:
        self._name, self._chart, self._flow, self._waiting = name, chart, flow, waiting
        self._turns = turns

    def all(self) -> Iterator[Obligation]:
        """The obligations, by subject."""
        for agent in self._chart.agents:
            reached = any(self._chart.state[id].agent == agent.id for id in self._states)
            excuse = "" if reached else _UNREACHED
            yield self._row(
                Subject.AGENT, agent.id, VISITED, agent, agent.name, agent.origin, excuse
            )
        for agent in self._chart.agents:
            yield from self._handoffs(agent)
        for agent in self._chart.agents:
            for tool in agent.tools:
                yield from self._tool(agent, tool)
        for agent in self._chart.agents:
            for guardrail in (*agent.input_guardrails, *agent.output_guardrails):
                yield from self._guardrail(agent, guardrail)
        for guardrail in self._chart.output_guardrails:
            yield from self._guardrail(None, guardrail)
        yield from self._edges()
        yield from self._functions()
        yield self._limit()
        for state in self._chart.states:
            yield self._state(state)
        for state in self._chart.states:
            for row in state.transitions:
                yield self._transition(state, row)
        for row in self._chart.rows:
            words = words_of(EVERY_STATE, row)
            yield self._row(Subject.TRANSITION, words, TAKEN, None, words, excuse=_CUT_SHORT)

    def _row(
        self,
        subject: Subject,
        name: str,
        outcome: str,
        agent: Agent | None,
        title: str,
        origin: Origin = UNKNOWN,
        excuse: str = "",
    ) -> Obligation:
        return Obligation(
            key=Key(subject, self._name, name, outcome),
            agent="" if agent is None else agent.name,
            title=title,
            origin=origin,
            excuse=excuse,
        )

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

    def _refinement(self, state: State, row: Transition) -> str:
        """Why a transition that the flow has is not owed; empty if it is."""
        if row.guard.kind is GuardKind.SESSION or state.kind is StateKind.LOADING:
            return _SESSION
        if row in self._dead:
            return self._dead[row]
        if row.event is Event.AWAITING and not may_wait(state, self._waiting):
            return _NEVER_WAITS
        agent = self._chart.agent.get(state.agent)
        if agent is None:
            return ""
        if agent.single_call and state.offers and row.guard.kind is GuardKind.REQUESTS:
            return _SINGLE
        again = row.event is Event.REPLIED and row.guard.kind is GuardKind.OTHERWISE
        if again and not _may_repeat(agent):
            return _NEVER_AGAIN
        return ""

    def _state(self, state: State) -> Obligation:
        agent = self._chart.agent.get(state.agent)
        excuse = ""
        if state.id not in self._states:
            fault = not state.agent or state.kind is StateKind.RECOVERING
            excuse = _FAULT if fault and self._flow is not None else _UNREACHED
            if state.kind is StateKind.LOADING:
                excuse = _SESSION
            elif state.id in _WAITING_STATES:
                excuse = _NEVER_WAITS
        return self._row(Subject.STATE, state.id, VISITED, agent, state.id, excuse=excuse)

    def _transition(self, state: State, row: Transition) -> Obligation:
        agent, words = self._chart.agent.get(state.agent), words_of(state.id, row)
        owed = state.id in self._states and row in self._rows[state.id]
        excuse = "" if owed else self._excuse(state, row)
        return self._row(Subject.TRANSITION, words, TAKEN, agent, words, excuse=excuse)

    def _excuse(self, state: State, row: Transition) -> str:
        if row.target == BACK or state.rest is not Rest.NO:
            return _RESUMED
        if row.event in _CUTS:
            return _CUT_SHORT
        if row.against is not Premise.NONE:
            return _PREMISES[row.against]
        if row.cause or row.guard.kind is GuardKind.SPENT:
            return _FAULT
        if self._flow is None:
            return _UNREACHED
        return self._refinement(state, row) or (_UNREACHED if state.agent else _FAULT)

    def _handoffs(self, agent: Agent) -> Iterator[Obligation]:
        returning = tuple(tool for tool in agent.tools if tool.handoff)
        rows: tuple[Handoff | Tool, ...] = (*agent.handoffs, *returning)
        for handoff in rows:
            target = f"{handoff.name} and back"
            if isinstance(handoff, Handoff):
                target = handoff.target_name
            excuse = ""
            if handoff.enabled is Enabled.NEVER:
                excuse = _DISABLED
            elif isinstance(handoff, Handoff) and not handoff.target:
                excuse = _OUTSIDE
            elif (agent.id, handoff.symbol) not in self._lanes:
                excuse = _UNREACHED
            yield self._row(
                subject=Subject.HANDOFF,
                name=handoff.symbol,
                outcome=TAKEN,
                agent=agent,
                title=f"{agent.name} → {target}",
                origin=handoff.origin,
                excuse=excuse,
            )

    def _tool(self, agent: Agent, tool: Tool) -> Iterator[Obligation]:
        if tool.handoff:
            return
        excuse = ""
        if tool.enabled is Enabled.NEVER:
            excuse = _DISABLED
        elif (agent.id, tool.symbol) not in self._lanes:
            excuse = _HOSTED if tool.hosted else _UNREACHED
        outcomes = {CALLED: excuse}
        if tool.approval is not Approval.NEVER:
            outcomes |= {APPROVED: excuse, REJECTED: excuse}
        outcomes[FAILED] = excuse or _NO_FAULT_OWED
        for outcome, why in outcomes.items():
            name = tool.symbol or tool.name
            yield self._row(Subject.TOOL, name, outcome, agent, tool.name, tool.origin, why)

    def _edges(self) -> Iterator[Obligation]:
        for way in ways_of(self._chart):
            owed = way.state.id in self._states and way.row in self._rows[way.state.id]
            yield self._row(
                subject=Subject.EDGE,
                name=way.symbol,
                outcome=EXHAUSTED if way.is_last else TAKEN,
                agent=self._chart.agent.get(way.state.agent),
                title=way.title,
                origin=way.step.origin,
                excuse="" if owed else way.never or _UNREACHED,
            )

    def _functions(self) -> Iterator[Obligation]:
        for step in self._chart.steps:
            asks = step.kind is StepKind.QUESTION
            if asks or step.kind is StepKind.FUNCTION:
                name = f"{step.id}/{'answer' if asks else 'step'}"
                excuse = "" if ("", name) in self._lanes else _UNREACHED
                failed = (FAILED, excuse or _NO_FAULT_OWED)
                outcomes = [(ANSWERED, excuse)] if asks else [(CALLED, excuse), failed]
                subject = Subject.QUESTION if asks else Subject.FUNCTION
                for outcome, why in outcomes:
                    yield self._row(subject, name, outcome, None, step.name, step.origin, why)

    def _limit(self) -> Obligation:
        """The limit of turns; that of the workflow itself is set by each run."""
        flow, turns = self._flow, self._turns
        agent = self._chart.agent[self._chart.start]
        excuse = _UNREACHED
        if flow is not None:
            excuse = "" if may_spend(flow, turns, self._refinement) else _ENOUGH
        title = f"{MAX_TURNS}={turns}" if self._name else MAX_TURNS
        return self._row(
            subject=Subject.LIMIT,
            name=MAX_TURNS,
            outcome=REACHED,
            agent=agent,
            title=title,
            origin=agent.origin,
            excuse=excuse,
        )

    def _guardrail(self, agent: Agent | None, guardrail: Guardrail) -> Iterator[Obligation]:
        owner = "" if agent is None else agent.id
        excuse = "" if (owner, guardrail.symbol) in self._lanes else _UNREACHED
        never = _NEVER_TRIPS if guardrail.passes else ""
        for outcome, why in ((PASSED, excuse), (TRIPPED, excuse or never)):
            yield self._row(
                subject=Subject.GUARDRAIL,
                name=guardrail.symbol,
                outcome=outcome,
                agent=agent,
                title=guardrail.name,
                origin=guardrail.origin,
                excuse=why,
            )


def _may_repeat(agent: Agent) -> bool:
    """Whether a reply without calls can be no answer: hosted activity alone, or no text where a
    structured output is asked for."""
    hosted = any(tool.hosted and tool.enabled is not Enabled.NEVER for tool in agent.tools)
    return hosted or agent.choice.hosted or agent.output != TEXT
