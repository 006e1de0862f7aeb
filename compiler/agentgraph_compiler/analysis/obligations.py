"""What tests of a workflow have to show: each thing that a run can do, named once.

An obligation is about an agent, a handoff, a tool, a guardrail, an edge, a function, a question, a
limit, a state or a transition of the table, with the outcome that a run must have there. What no
run can do, and what only a fault of the world can bring about, is named too, with the reason why no
test owes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.edges import ways_of
from agentgraph_compiler.analysis.excuses import (
    AFTER_BUDGET,
    CUT_SHORT,
    DISABLED,
    ENOUGH,
    FAULT,
    HOSTED,
    NEVER_TRIPS,
    NEVER_WAITS,
    NO_FAULT_OWED,
    OUTSIDE,
    OWED_AS_EDGE,
    PREMISES,
    RESUMED,
    SESSION,
    UNREACHED,
)
from agentgraph_compiler.analysis.flow import Flow
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
from agentgraph_compiler.analysis.owed_table import OwedTable
from agentgraph_compiler.analysis.turns import may_spend, turns_of_tools
from agentgraph_compiler.analysis.waits import waiting_charts
from agentgraph_compiler.diagnostics import UNKNOWN, Origin
from agentgraph_compiler.ir.branches import branch_symbol
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
from agentgraph_compiler.ir.steps import Step, StepKind
from agentgraph_compiler.machine import (
    BACK,
    INTERRUPTING,
    RESERVED,
    GuardKind,
    Premise,
    Rest,
    State,
    StateKind,
    Transition,
)

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


class _Part(OwedTable):
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
        super().__init__(chart, flow, waiting)
        self._name, self._turns = name, turns

    def all(self) -> Iterator[Obligation]:
        """The obligations, by subject."""
        for agent in self._chart.agents:
            reached = any(self._chart.state[id].agent == agent.id for id in self._states)
            excuse = "" if reached else self._unreached(agent.id)
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
            yield self._row(Subject.TRANSITION, words, TAKEN, None, words, excuse=CUT_SHORT)

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

    def _state(self, state: State) -> Obligation:
        agent = self._chart.agent.get(state.agent)
        excuse = ""
        if state.id not in self._states:
            fault = not state.agent or state.kind in (StateKind.RECOVERING, StateKind.FAILING)
            shared = state.rest is not Rest.NO or state.kind is StateKind.SAVING
            excuse = UNREACHED if shared else self._unreached(state=state.id)
            if fault and excuse == UNREACHED and self._flow is not None:
                excuse = FAULT
            if state.kind is StateKind.LOADING:
                excuse = SESSION
            elif state.id in _WAITING_STATES:
                excuse = NEVER_WAITS
        return self._row(Subject.STATE, state.id, VISITED, agent, state.id, excuse=excuse)

    def _transition(self, state: State, row: Transition) -> Obligation:
        agent, words = self._chart.agent.get(state.agent), words_of(state.id, row)
        owed = state.id in self._states and row in self._rows[state.id]
        excuse = "" if owed else self._excuse(state, row)
        if self._is_failing(row.target):
            excuse = excuse or NO_FAULT_OWED
        elif state.kind is StateKind.FAILING:
            excuse = excuse or OWED_AS_EDGE
        return self._row(Subject.TRANSITION, words, TAKEN, agent, words, excuse=excuse)

    def _excuse(self, state: State, row: Transition) -> str:
        if row.target == BACK or state.rest is not Rest.NO:
            return RESUMED
        if row.event in _CUTS:
            return CUT_SHORT
        if row.against is not Premise.NONE:
            return PREMISES[row.against]
        if row.cause or row.guard.kind is GuardKind.SPENT:
            return FAULT
        if self._flow is None:
            return UNREACHED
        if state.kind is StateKind.FAILING:
            return self._refinement(state, row) or FAULT
        unreached = self._unreached(state=state.id)
        fault = not state.agent and unreached == UNREACHED
        return self._refinement(state, row) or (FAULT if fault else unreached)

    def _handoffs(self, agent: Agent) -> Iterator[Obligation]:
        returning = tuple(tool for tool in agent.tools if tool.handoff)
        rows: tuple[Handoff | Tool, ...] = (*agent.handoffs, *returning)
        for handoff in rows:
            target = f"{handoff.name} and back"
            if isinstance(handoff, Handoff):
                target = handoff.target_name
            excuse = ""
            if handoff.enabled is Enabled.NEVER:
                excuse = DISABLED
            elif isinstance(handoff, Handoff) and not handoff.target:
                excuse = OUTSIDE
            elif (agent.id, handoff.symbol) not in self._lanes:
                excuse = UNREACHED
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
            excuse = DISABLED
        elif (agent.id, tool.symbol) not in self._lanes:
            excuse = HOSTED if tool.hosted else UNREACHED
        outcomes = {CALLED: excuse}
        if tool.approval is not Approval.NEVER:
            outcomes |= {APPROVED: excuse, REJECTED: excuse}
        outcomes[FAILED] = excuse or NO_FAULT_OWED
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
                excuse="" if owed else way.never or self._unreached(state=way.state.id),
            )

    def _functions(self) -> Iterator[Obligation]:
        for step in self._chart.steps:
            asks = step.kind is StepKind.QUESTION
            if asks or step.kind is StepKind.FUNCTION:
                name = f"{step.id}/{'answer' if asks else 'step'}"
                excuse = self._unmade(name, step)
                failed = (FAILED, excuse or NO_FAULT_OWED)
                outcomes = [(ANSWERED, excuse)] if asks else [(CALLED, excuse), failed]
                subject = Subject.QUESTION if asks else Subject.FUNCTION
                for outcome, why in outcomes:
                    yield self._row(subject, name, outcome, None, step.name, step.origin, why)

            for branch in () if step.branches is None else step.branches.branches:
                if not branch.machine:
                    name = branch_symbol(step.id, branch.name)
                    excuse = self._unmade(name, step)
                    for outcome, why in ((CALLED, excuse), (FAILED, excuse or NO_FAULT_OWED)):
                        yield self._row(
                            subject=Subject.FUNCTION,
                            name=name,
                            outcome=outcome,
                            agent=None,
                            title=f"{step.name}: {branch.name}",
                            origin=step.origin,
                            excuse=why,
                        )

    def _unmade(self, lane: str, step: Step) -> str:
        """Why no test owes the work of a lane of a step; empty if one does."""
        if ("", lane) in self._lanes:
            return ""
        kinds = (StateKind.WORKING, StateKind.ASKING, StateKind.BRANCHING)
        excuses = {self._unreached(state=f"{step.id}.{kind}") for kind in kinds}
        return AFTER_BUDGET if AFTER_BUDGET in excuses else UNREACHED

    def _limit(self) -> Obligation:
        """The limit of turns; that of the workflow itself is set by each run."""
        flow, turns = self._flow, self._turns
        agent = self._chart.agent[self._chart.start]
        excuse = UNREACHED
        if flow is not None:
            excuse = "" if may_spend(flow, turns, self._refinement) else ENOUGH
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
        excuse = "" if (owner, guardrail.symbol) in self._lanes else UNREACHED
        never = NEVER_TRIPS if guardrail.passes else ""
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
