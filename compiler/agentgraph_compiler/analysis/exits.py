"""Where the agents of a chart can go next, and whether they can end a run.

The rules that gate every run stand on this module, so it needs no graph library, visits each agent
and each handoff once, and never recurses.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from agentgraph_compiler.ir.chart import FUNCTION_TOOLS, Agent, Chart, Enabled, StopKind

_Place = TypeVar("_Place", bound=Hashable)


def successors(agent: Agent) -> Iterator[str]:
    """Ids of the agents that a run can move to, one for each handoff that can be enabled."""
    for handoff in agent.handoffs:
        if handoff.target and handoff.enabled is not Enabled.NEVER:
            yield handoff.target


def can_end(agent: Agent) -> bool:
    """Whether a final output can come from this agent: its model's, or that of one of its tools."""
    if agent.final:
        return True
    stop = agent.stop
    if stop.kind is StopKind.NEVER:
        return False
    # Only function tools count, among them agents used as tools and whatever a server may list.
    tools = [
        tool
        for tool in agent.tools
        if tool.kind in FUNCTION_TOOLS and tool.enabled is not Enabled.NEVER
    ]
    return any(
        tool.server or stop.kind is not StopKind.NAMED or tool.name in stop.names for tool in tools
    )


def reached_from(
    start: Iterable[_Place], neighbours: Mapping[_Place, Iterable[_Place]]
) -> set[_Place]:
    """Everything that can be reached from ``start``, itself included."""
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for following in neighbours.get(waiting.pop(), ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return seen


def trapped(chart: Chart) -> set[str]:
    """Ids of the agents that a run can be in, but from which no way leads to a final output."""
    forward = {agent.id: tuple(successors(agent)) for agent in chart.agents}
    backward: dict[str, list[str]] = {}
    for source, targets in forward.items():
        for target in targets:
            backward.setdefault(target, []).append(source)
    free = reached_from((agent.id for agent in chart.agents if can_end(agent)), backward)
    return reached_from((chart.start,), forward) - free
