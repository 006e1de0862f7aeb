"""A declared workflow: a closed set of agents, and the agent that a run starts with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.authoring.notebook import ShownInNotebooks
from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.authoring.recording import current_recorder
from agentgraph.exceptions import AgentDefinitionError

if TYPE_CHECKING:
    from agentgraph.agent import Agent

__all__ = ["Source", "Workflow"]

Source: TypeAlias = "Agent[Any] | Workflow"
"""What can be compiled: an agent stands for the workflow of all agents that it can reach."""


@dataclass(eq=False)
class Workflow(ShownInNotebooks):
    """A closed set of agents: it declares every agent that a run may hand over to.

    An agent by itself stands for the workflow of all agents that it can reach. A declared set lets
    the compiler also report omissions: an agent that no handoff leads to, a handoff that leads
    outside the set.

    Args:
        name: The name of the workflow, for diagnostics and drawings.
        start: The agent that a run starts with.
        agents: Every agent of the workflow, in the order of listings and drawings. ``start`` may be
            left out and then comes first.

    Raises:
        AgentDefinitionError: A field has the wrong type; the message names it.
    """

    name: str
    start: Agent[Any]
    agents: Sequence[Agent[Any]] = ()
    _origin: SourceLine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise AgentDefinitionError(
                f"Workflow.name must be a non-empty string, not {type(name).__name__}."
            )
        self.agents = list(self.agents)
        for place, agent in (
            ("start", self.start),
            *((f"agents[{i}]", a) for i, a in enumerate(self.agents)),
        ):
            if not (hasattr(agent, "name") and hasattr(agent, "handoffs")):
                raise AgentDefinitionError(
                    f"Workflow '{self.name}': {place} must be an Agent, not {type(agent).__name__}."
                )
        if not any(agent is self.start for agent in self.agents):
            self.agents = [self.start, *self.agents]
        self._origin = caller_origin()
        recorder = current_recorder()
        if recorder is not None:
            recorder.made(self)
