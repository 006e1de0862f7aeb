"""Which guardrails cover the agents that a run reaches, and on which ways they run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph_compiler.analysis.analysis import Analysis
from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.ir.chart import Agent, Chart

ANSWERS = "when it gives the final output"
STARTS = "when a run starts with it"
GOES_ON = "when a chat goes on with it"
AS_TOOL = "when it runs as a tool"
ENTERED = "when an edge enters it"
LEAVES = "when its step is over"
LAST = "when an edge ends the run"
NEVER = "never"
_MOST_NAMES = 6
"""The most agents of a way that a row names."""


@dataclass(frozen=True, slots=True)
class Covering:
    """One guardrail of an agent, or the lack of one where an answer or an input passes.

    Args:
        agent: The agent's name; that of the workflow for what a function or an end gives.
        guardrail: The guardrail's name; empty where there is none.
        checks: ``input`` or ``output``.
        when: When it runs; where there is none, when something passes unchecked.
        way: The names of the agents on the shortest way there.
    """

    agent: str
    guardrail: str
    checks: str
    when: str
    way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """The guardrails of the agents that the runs of one workflow reach.

    Args:
        start: The name of the agent that its runs start with.
        rows: In document order: one for each guardrail, and one for each start and each exit
            without any.
    """

    start: str
    rows: tuple[Covering, ...]

    def __str__(self) -> str:
        cells = [
            (
                row.agent,
                row.checks,
                row.guardrail or "no guardrail",
                f"{row.when}: {' → '.join(row.way)}" if row.way else row.when,
            )
            for row in self.rows
        ]
        cells = [(f"runs from {self.start}", "checks", "guardrail", "runs"), *cells]
        widths = [max(len(row[column]) for row in cells) for column in range(3)]
        return "\n".join(
            f"{agent:{widths[0]}}  {checks:{widths[1]}}  {guardrail:{widths[2]}}  {when}"
            for agent, checks, guardrail, when in cells
        )


def coverage(analysis: Analysis) -> Coverage:
    """Which guardrails cover the agents of a workflow.

    Args:
        analysis: The workflow.
    """
    rows: list[Covering] = []
    for part in analysis.parts:
        flow = analysis.flow(part)
        ways = _ways(flow)
        for agent in part.agents:
            rows += _inputs(analysis, part, agent)
            rows += _outputs(analysis, flow, agent, ways.get(agent.id, ()))
        for guardrail in part.output_guardrails:
            rows.append(Covering(part.name, guardrail.name, "output", LAST))
    start = analysis.chart.agent[analysis.chart.start].name
    return Coverage(start, tuple(dict.fromkeys(rows)))


def _inputs(analysis: Analysis, part: Chart, agent: Agent) -> Iterator[Covering]:
    when = _entered(analysis, part, agent)
    for guardrail in agent.input_guardrails:
        runs = when if analysis.runs(agent, guardrail) and when else NEVER
        yield Covering(agent.name, guardrail.name, "input", runs)
    if when and not agent.input_guardrails:
        yield Covering(agent.name, "", "input", when)


def _entered(analysis: Analysis, part: Chart, agent: Agent) -> str:
    """When a run begins with the agent; empty if none does."""
    if part is not analysis.chart:
        return AS_TOOL if agent.id == part.start else ""
    if agent.id in (part.start, *part.starts):
        return STARTS
    if any(agent.id in case.targets for step in part.steps for case in step.ways):
        return ENTERED
    goes_on = part.multi_turn and agent.id in analysis.flow(part).last_agents
    return GOES_ON if goes_on else ""


def _outputs(
    analysis: Analysis, flow: Flow, agent: Agent, way: tuple[str, ...]
) -> Iterator[Covering]:
    answers = agent.id in flow.last_agents
    leaves = any(agent.id in step.agents and step.cases for step in flow.chart.steps)
    for guardrail in agent.output_guardrails:
        when = LEAVES if leaves else ANSWERS
        runs = when if (answers or leaves) and analysis.runs(agent, guardrail) else NEVER
        names = () if runs == NEVER else way
        yield Covering(
            agent=agent.name, guardrail=guardrail.name, checks="output", when=runs, way=names
        )
    if answers and not flow.chart.judges(agent):
        yield Covering(agent=agent.name, guardrail="", checks="output", when=ANSWERS, way=way)


def _ways(flow: Flow) -> dict[str, tuple[str, ...]]:
    """The names of the agents on the shortest way from a start to each agent, long ones in
    short."""
    chart = flow.chart
    starts = [id for id in (chart.start, *chart.starts) if id in flow.agents]
    ways: dict[str, tuple[str, ...]] = {id: (chart.agent[id].name,) for id in starts}
    waiting = deque(starts)
    while waiting:
        source = waiting.popleft()
        for target in flow.onward[source]:
            if target not in ways:
                ways[target] = _extended(ways[source], chart.agent[target].name)
                waiting.append(target)
    return ways


def _extended(way: tuple[str, ...], name: str) -> tuple[str, ...]:
    if len(way) < _MOST_NAMES:
        return (*way, name)
    return (way[0], "…", *way[3:], name)
