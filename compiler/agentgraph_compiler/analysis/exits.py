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
    """Whether this agent can give a final output: a reply of its model or an output of a tool."""
    if agent.final:
        return True
    stop = agent.stop
    if stop.kind is StopKind.NEVER:
        return False
    # Only function tools count; agents used as tools and the tools of a server are among them.
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
        for place in neighbours.get(waiting.pop(), ()):
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return seen


def trapped(chart: Chart) -> set[str]:
    """Ids of the agents that a run can reach, but from which it cannot get to a final output."""
    forward = {agent.id: tuple(successors(agent)) for agent in chart.agents}
    backward: dict[str, list[str]] = {}
    for source, targets in forward.items():
        for target in targets:
            backward.setdefault(target, []).append(source)
    free = reached_from((agent.id for agent in chart.agents if can_end(agent)), backward)
    return reached_from((chart.start,), forward) - free
