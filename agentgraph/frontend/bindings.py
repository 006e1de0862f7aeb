"""Bindings: what the symbols of a machine stand for. The machine stays plain data; the callables
live here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class HandoffBinding:
    """A handoff that a run can take.

    Args:
        symbol: Its name in the machine.
        handoff: The handoff object that the model is shown.
        target: Id of the target agent.
    """

    symbol: str
    handoff: Any
    target: str


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
        shape: What the agent was made of when it was lowered; another shape now means compiling
            anew.
        held: The objects whose ids are in the shape, so that no other object can get one of these
            ids.
        memo: What a driver derives from this binding once, such as the tools on offer where they
            never change.
    """

    id: str
    agent: Any
    tools: tuple[ToolBinding, ...]
    handoffs: tuple[HandoffBinding, ...]
    servers: tuple[tuple[str, Any], ...]
    shape: tuple[object, ...]
    held: tuple[object, ...]
    memo: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def current(self) -> bool:
        """Whether the agent is still what was lowered."""
        return shape_of(self.agent) == self.shape


@dataclass(frozen=True)
class Bindings:
    """What the symbols of one machine stand for.

    Args:
        agents: The agents by id.
        symbols: Guardrails, deciding callables and agent tools by symbol.
        machines: The bindings of the sub-machines by name; shared by all of them.
    """

    agents: Mapping[str, AgentBinding]
    symbols: Mapping[str, Any]
    machines: dict[str, Bindings] = field(default_factory=dict)

    def id_of(self, agent: Any) -> str:
        """Identity of an agent of this machine.

        Raises:
            KeyError: The agent is not one of this machine.
        """
        for id, binding in self.agents.items():
            if binding.agent is agent:
                return id
        raise KeyError(f"agent '{agent.name}' is not part of this machine")

    @property
    def current(self) -> bool:
        """Whether every agent of this machine and its sub-machines is still what was lowered."""
        parts = (self, *self.machines.values())
        return all(binding.current for part in parts for binding in part.agents.values())


def shape_of(agent: Any) -> tuple[object, ...]:
    """What lowering reads of an agent, by identity; cheap enough to compare on every turn.

    Two shapes are equal exactly if the agent would be lowered to the same declarations.
    """
    tools, handoffs = agent.tools, agent.handoffs
    return (
        agent.name,
        list(map(id, tools)),
        list(map(id, handoffs)),
        [getattr(entry, "is_enabled", True) for entry in (*tools, *handoffs)],
        list(map(id, getattr(agent, "input_guardrails", ()))),
        list(map(id, getattr(agent, "output_guardrails", ()))),
        list(map(id, getattr(agent, "mcp_servers", ()))),
        id(agent.instructions),
        id(getattr(agent, "output_type", None)),
        id(agent.tool_use_behavior),
        agent.reset_tool_choice,
        getattr(agent.model_settings, "tool_choice", None),
    )


def held_by(agent: Any) -> tuple[object, ...]:
    """The objects whose ids are in the shape of an agent."""
    return (
        *agent.tools,
        *agent.handoffs,
        *getattr(agent, "input_guardrails", ()),
        *getattr(agent, "output_guardrails", ()),
        *getattr(agent, "mcp_servers", ()),
        agent.instructions,
        getattr(agent, "output_type", None),
        agent.tool_use_behavior,
    )
