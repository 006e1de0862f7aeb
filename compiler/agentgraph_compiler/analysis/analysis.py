"""The analysis of a workflow: what the checks ask, computed once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.analysis.graph import circles_without_way_out
from agentgraph_compiler.analysis.step_graph import StepGraph
from agentgraph_compiler.diagnostics import Origin
from agentgraph_compiler.ir.chart import Agent, Chart, ChoiceKind, Guardrail, Tool
from agentgraph_compiler.machine import WorkKind
from agentgraph_compiler.options import OptionValues

_MAY_ANSWER = frozenset({ChoiceKind.FREE, ChoiceKind.NONE})
_GUARDRAILS = frozenset({WorkKind.INPUT_GUARDRAIL, WorkKind.OUTPUT_GUARDRAIL})
Identity: TypeAlias = int | tuple[str, Origin]


def identity(agent: Agent) -> Identity:
    """A key that is equal for the same agent in two charts; ids are unique only within a chart."""
    return agent.identity or (agent.name, agent.origin)


class Circle(NamedTuple):
    """Agents that hand off in a circle in which no run can end, and that no run can leave.

    Args:
        chart: The chart of the agents.
        agents: In the order of the handoffs.
        certain: Whether a run of the project that cannot avoid such a circle can reach this one.
    """

    chart: Chart
    agents: tuple[Agent, ...]
    certain: bool


@dataclass(frozen=True)
class Analysis:
    """What follows from a chart. Each part is computed when the first check asks for it.

    Args:
        chart: The root chart, which ``verify`` found well-formed.
        options: What the project sets about rules.
    """

    chart: Chart
    options: OptionValues = field(default_factory=dict)

    def flow(self, chart: Chart) -> Flow:
        """Where the runs of one chart can go."""
        flow = self._flows.get(chart.name)
        if flow is None or flow.chart is not chart:
            flow = self._flows[chart.name] = Flow(chart)
        return flow

    @cached_property
    def step_graph(self) -> StepGraph | None:
        """The steps of the workflow; ``None`` if it has no edges."""
        return StepGraph(self.chart, self.flow(self.chart)) if self.chart.steps else None

    def flow_to_handlers(self, chart: Chart) -> Flow:
        """The same, with the rows to handlers of faults where the runs of the chart have some."""
        if all(
            lane.kind is not WorkKind.RECOVER for state in chart.states for lane in state.invokes
        ):
            return self.flow(chart)
        flow = self._handled.get(chart.name)
        if flow is None:
            flow = self._handled[chart.name] = Flow(chart, handled=True)
        return flow

    @cached_property
    def parts(self) -> tuple[Chart, ...]:
        """The charts that a run can enter: the root, and those of agent tools that can be called
        and of branches."""
        entered, waiting = {self.chart.name: self.chart}, [self.chart]
        while waiting:
            for _, lane in self.flow(waiting.pop()).lanes:
                part = self.chart.subchart.get(lane.machine)
                if part is not None and part.name not in entered:
                    entered[part.name] = part
                    waiting.append(part)
        return tuple(part for part in self.chart.walk() if entered.get(part.name) is part)

    @cached_property
    def reached(self) -> frozenset[Identity]:
        """The agents that a run can reach, in any chart."""
        return frozenset(identity(agent) for _, agent in self.agents())

    def agents(self) -> Iterator[tuple[Chart, Agent]]:
        """The agents that a run can reach, each with the chart in which it reaches them."""
        for part in self.parts:
            reached = self.flow(part).agents
            yield from ((part, agent) for agent in part.agents if agent.id in reached)

    def agent_tools(self) -> Iterator[tuple[Chart, Agent, Tool]]:
        """The agents used as tools that a run can call, each with the chart and the agent that
        calls it."""
        for part in self.parts:
            called = {
                (state.agent, lane.symbol) for state, lane in self.flow(part).lanes if lane.machine
            }
            for agent in part.agents:
                for tool in agent.tools:
                    if (agent.id, tool.symbol) in called:
                        yield part, agent, tool

    @cached_property
    def last(self) -> frozenset[Identity]:
        """The agents that can give the final output of a run, or of an agent tool."""
        return frozenset(
            identity(part.agent[id]) for part in self.parts for id in self.flow(part).last_agents
        )

    @cached_property
    def guardrails(self) -> frozenset[tuple[Identity, str]]:
        """The guardrails that can run, each as its agent and its place there."""
        run: set[tuple[Identity, str]] = set()
        for part in self.parts:
            for state, lane in self.flow(part).lanes:
                if lane.kind in _GUARDRAILS and state.agent:  # the run has guardrails, too
                    run.add((identity(part.agent[state.agent]), _place(state.agent, lane.symbol)))
        return frozenset(run)

    def runs(self, agent: Agent, guardrail: Guardrail) -> bool:
        """Whether a guardrail of an agent can run."""
        return (identity(agent), _place(agent.id, guardrail.symbol)) in self.guardrails

    @cached_property
    def may_trap(self) -> bool:
        """Whether some agent has a tool choice that could keep it from ever answering."""
        choices = (agent.choice for part in self.chart.walk() for agent in part.agents)
        return not all(choice.kind in _MAY_ANSWER for choice in choices)

    @cached_property
    def circles(self) -> tuple[Circle, ...]:
        """The circles of handoffs without exit that a run can reach.

        Only a tool choice that binds on every turn keeps an agent from answering, so without one
        there are none.
        """
        if not self.may_trap:
            return ()
        circles: list[Circle] = []
        for part in self.parts:
            flow = self.flow(part)
            certain = self._certain(flow) if part is self.chart else frozenset()
            for ids in circles_without_way_out(flow):
                agents = tuple(part.agent[id] for id in ids)
                circles.append(Circle(part, agents, certain=not certain.isdisjoint(ids)))
        return tuple(circles)

    def _certain(self, flow: Flow) -> frozenset[str]:
        """The agents of runs that cannot get to a final output, not even by a handler of faults."""
        if flow.trapped.isdisjoint(flow.roots):
            return frozenset()
        handled = self.flow_to_handlers(flow.chart)
        reached = flow.reached_from(
            root
            for root, same in zip(flow.roots, handled.roots, strict=True)
            if same not in handled.ending
        )
        return frozenset(flow.places[number].state.agent for number in reached)

    @cached_property
    def _flows(self) -> dict[str, Flow]:
        return {}

    @cached_property
    def _handled(self) -> dict[str, Flow]:
        return {}


def _place(agent: str, symbol: str) -> str:
    """A symbol without the id of its agent, which differs from chart to chart."""
    return symbol.removeprefix(f"{agent}/")
