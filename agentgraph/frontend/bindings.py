"""Bindings: what the symbols of a machine stand for. The machine stays plain data; the callables
live here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.shapes import Shape, unchanged
from agentgraph.handoffs import handoff


@dataclass(frozen=True)
class HandoffBinding:
    """A handoff that a run can take.

    Args:
        symbol: Its name in the machine.
        name: The tool name the model calls it by.
        listed: What the agent lists: a handoff, or an agent by itself.
        target: Id of the target agent.
    """

    symbol: str
    name: str
    listed: Any
    target: str

    @cached_property
    def handoff(self) -> Any:
        """The handoff object that the model is shown; for an agent listed by itself it is made
        when a run first gets there."""
        if is_agent(self.listed):
            return handoff(self.listed, tool_name_override=self.name)
        return self.listed


@dataclass(frozen=True, slots=True)
class ToolBinding:
    """A tool of an agent, under its symbol; ``symbol`` is empty for a tool that runs at the model's
    side."""

    symbol: str
    tool: Any


@dataclass(frozen=True, slots=True)
class AgentBinding:
    """An agent and what its symbols stand for.

    Args:
        id: Its identity in the machine.
        agent: The agent object.
        tools: In the user's order.
        handoffs: In the user's order; only those a run can take.
        servers: Symbol and MCP server, in the user's order.
        shapes: What it and everything it lists was when it was lowered; another shape now means
            compiling anew.
        memo: What a driver derives from this binding once, such as the tools on offer where they
            never change.
    """

    id: str
    agent: Any
    tools: tuple[ToolBinding, ...]
    handoffs: tuple[HandoffBinding, ...]
    servers: tuple[tuple[str, Any], ...]
    shapes: tuple[Shape, ...]
    memo: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def current(self) -> bool:
        """Whether the agent is still what was lowered."""
        return unchanged(self.shapes)


@dataclass(frozen=True)
class Bindings:
    """What the symbols of one machine stand for.

    Args:
        agents: The agents by id.
        symbols: Guardrails, deciding callables and agent tools by symbol.
        machines: The bindings of the sub-machines by name; shared by all of them.
        shapes: What everything in the machine and its sub-machines was, each object once; shared
            by all of them.
    """

    agents: Mapping[str, AgentBinding]
    symbols: Mapping[str, Any]
    machines: Mapping[str, Bindings] = field(default_factory=dict)
    shapes: Mapping[int, Shape] = field(default_factory=dict, repr=False)

    def id_of(self, agent: Any) -> str:
        """Identity of an agent of this machine.

        Raises:
            KeyError: The agent is not one of this machine.
        """
        known = self._ids.get(id(agent))
        if known is None:
            raise KeyError(f"agent '{agent.name}' is not part of this machine")
        return known

    @cached_property
    def _ids(self) -> dict[int, str]:
        return {id(binding.agent): binding.id for binding in self.agents.values()}

    @cached_property
    def hooked(self) -> bool:
        """Whether any agent of this machine has hooks."""
        agents = [binding.agent for binding in self.agents.values()]
        return any(getattr(agent, "hooks", None) is not None for agent in agents)

    @property
    def current(self) -> bool:
        """Whether everything in this machine and its sub-machines is still what was lowered."""
        return unchanged(self.shapes.values())
