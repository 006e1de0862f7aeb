"""Drawings of agents, workflows, programs and results in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import agentgraph
from agentgraph.exceptions import AgentsException
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.lower_workflow import lower
from agentgraph_compiler.render.notebook import bundle, svg
from agentgraph_compiler.render.picture import Picture
from agentgraph_compiler.render.view import View, picture_of

if TYPE_CHECKING:
    from agentgraph.running.result import RunResultBase

__all__ = ["bundle_of", "svg_of"]


def svg_of(value: object) -> str | None:
    """The drawing of an object as SVG.

    Args:
        value: An agent, a workflow, a program, or the result of a run.

    Returns:
        The SVG; ``None`` if this machine has no Graphviz or the object cannot be drawn.
    """
    picture = _picture(value)
    return None if picture is None else svg(picture)


def bundle_of(value: object) -> dict[str, str]:
    """The drawing of an object by MIME type; empty if it cannot be drawn."""
    picture = _picture(value)
    return {} if picture is None else bundle(picture)


def _picture(value: object) -> Picture | None:
    try:
        if isinstance(value, agentgraph.RunResult | agentgraph.RunResultStreaming):
            return _picture_of_run(value)
        if isinstance(value, agentgraph.Program):
            return picture_of(value.chart)
        if is_agent(value) or is_workflow(value):
            return picture_of(lower(value)[0])
    except AgentsException:
        pass  # an agent that is still being written, or was released; a notebook shows the text
    return None


def _picture_of_run(result: RunResultBase) -> Picture:
    """The workflow of the agent that acted first, with the agents that acted emphasised."""
    agents = [*(item.agent for item in result.new_items), result.last_agent]
    chart, _ = lower(agents[0])
    return picture_of(chart, View(visited={agent.name for agent in agents}))
