"""The workflows inside a workflow: as tools, as targets of handoffs, as steps and in branches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.lower_tools import source_behind
from agentgraph.frontend.step_reading import parts_of_steps
from agentgraph.frontend.targets import source_of_handoff
from agentgraph.workflow.branches import Branches

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source, Workflow

__all__ = ["workflows_in"]


def workflows_in(source: Source) -> list[Workflow]:
    """The workflows that a run of an agent or a workflow may enter, its own first."""
    workflows: list[Workflow] = []
    seen: set[int] = set()
    waiting: list[object] = [source]
    for part in waiting:  # the list grows on the way
        if id(part) in seen:
            continue
        seen.add(id(part))
        if is_workflow(part):
            workflows.append(part)
            waiting += (*part.agents, *parts_of_steps(part))
        elif is_agent(part):
            waiting += _inside(part)
        elif isinstance(part, Branches):
            waiting += [one.part for one in part.parts]
    return workflows


def _inside(agent: Agent[Any]) -> Iterator[object]:
    yield from map(source_of_handoff, agent.handoffs)
    yield from map(source_behind, agent.tools)
