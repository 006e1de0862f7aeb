"""A declared workflow: a closed set of agents and the one a run starts with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agentgraph.authoring.origin import SourceLine, caller_origin
from agentgraph.exceptions import AgentDefinitionError

__all__ = ["Workflow"]


@dataclass(eq=False)
class Workflow:
    """A closed set of agents: whatever a run may hand off to is declared here.

    An agent given by itself is the workflow of what is reachable from it. Declaring the set instead
    lets the compiler find what was forgotten: an agent that nothing leads to, a handoff that leads
    outside.

    Args:
        name: Name of the workflow, shown in diagnostics and drawings.
        start: The agent a run starts with.
        agents: Every agent of the workflow, in the order in which they are listed and drawn;
            ``start`` may be left out and then comes first.

    Raises:
        AgentDefinitionError: A field has the wrong type; the message names it.
    """

    name: str
    start: Any
    agents: Sequence[Any] = ()
    _origin: SourceLine = field(init=False, repr=False)

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise AgentDefinitionError(
                f"Workflow.name must be a non-empty string, got {type(name).__name__}"
            )
        self.agents = list(self.agents)
        for place, agent in (
            ("start", self.start),
            *((f"agents[{i}]", a) for i, a in enumerate(self.agents)),
        ):
            if not (hasattr(agent, "name") and hasattr(agent, "handoffs")):
                raise AgentDefinitionError(
                    f"Workflow '{self.name}': {place} must be an Agent, got {type(agent).__name__}"
                )
        if not any(agent is self.start for agent in self.agents):
            self.agents = [self.start, *self.agents]
        self._origin = caller_origin()
