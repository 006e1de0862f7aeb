"""The types that the final output of a run can have."""

from __future__ import annotations

from collections.abc import Iterator

from agentgraph_compiler.analysis.flow import Flow
from agentgraph_compiler.ir.chart import Agent, StopKind
from agentgraph_compiler.ir.obedience import callable_tools
from agentgraph_compiler.machine import Source
from agentgraph_compiler.types import ANY, Type


def final_outputs(flow: Flow) -> tuple[Type, ...]:
    """The types of all final outputs of one chart, in document order.

    Returns:
        Each type once; ``ANY`` alone if a function decides or a tool declares no type.
    """
    endings = flow.endings
    agents = (agent for agent in flow.chart.agents if agent.id in endings)
    types = tuple(
        dict.fromkeys(
            type
            for agent in agents
            for source in sorted(endings[agent.id])
            for type in _outputs(agent, source)
        )
    )
    return (ANY,) if ANY in types else types


def _outputs(agent: Agent, source: Source) -> Iterator[Type]:
    if source is Source.REPLY:
        yield agent.output
    elif source is Source.STOPPING:
        named = agent.stop.kind is StopKind.NAMED
        for tool in callable_tools(agent):
            if not named or tool.server or tool.name in agent.stop.names:
                yield tool.returns
    else:
        yield ANY
