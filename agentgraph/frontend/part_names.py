"""The names of the parts of a workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from agentgraph.agent import Agent
from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.handoffs import Handoff
from agentgraph.tools.function import FunctionTool

__all__ = ["NO_NAMES", "PartNames", "answer_schema", "names_of", "represented_tools"]


@dataclass(frozen=True, slots=True)
class PartNames:
    """The names of the parts of a workflow.

    Attributes:
        agents: The names of its agents, agents used as tools included.
        tools: The names of its tools.
        handoffs: The tool names of its handoffs.
        guardrails: The names of its guardrails.
        agent_tools: Those tools that are agents.
    """

    agents: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    handoffs: frozenset[str] = frozenset()
    guardrails: frozenset[str] = frozenset()
    agent_tools: frozenset[str] = frozenset()

    @property
    def every(self) -> frozenset[str]:
        """All of them."""
        return self.agents | self.tools | self.handoffs | self.guardrails


NO_NAMES: Final = PartNames()


def names_of(agents: Iterable[Agent[Any]]) -> PartNames:
    """The names of agents and of what they have."""
    agents = list(agents)
    tools = [tool for agent in agents for tool in agent.tools]
    return PartNames(
        agents=frozenset(agent.name for agent in agents),
        tools=frozenset(tool.name for tool in tools),
        handoffs=frozenset(_handoff_name(one) for agent in agents for one in agent.handoffs),
        guardrails=frozenset(one.get_name() for agent in agents for one in _guardrails(agent)),
        agent_tools=frozenset(tool.name for tool in tools if hasattr(tool, "agent")),
    )


def _handoff_name(entry: Agent[Any] | Handoff[Any, Any]) -> str:
    return entry.tool_name if isinstance(entry, Handoff) else Handoff.default_tool_name(entry)


def _guardrails(agent: Agent[Any]) -> Iterator[Any]:
    yield from agent.input_guardrails
    yield from agent.output_guardrails
    for tool in agent.tools:
        if isinstance(tool, FunctionTool):
            yield from tool.tool_input_guardrails or ()
            yield from tool.tool_output_guardrails or ()


def answer_schema(agent: Agent[Any]) -> dict[str, Any] | None:
    """The JSON schema of an agent's answers; None for text."""
    declared = agent.output_type
    if declared is None:
        return None
    schema = (
        declared if isinstance(declared, AgentOutputSchemaBase) else AgentOutputSchema(declared)
    )
    return None if schema.is_plain_text() else schema.json_schema()


def represented_tools(agent: Agent[Any]) -> Iterator[str]:
    """The function tools for which an earlier one of the agent can stand.

    The workflow treats the two alike: neither is named by a stop or by a tool choice, is an agent,
    has guardrails or needs an approval, and the same function decides whether they are on offer.
    """
    stops = agent.tool_use_behavior
    choice = agent.model_settings.tool_choice
    named = {choice} if isinstance(choice, str) else set[str]()
    if isinstance(stops, dict):
        named.update(stops.get("stop_at_tool_names", ()))
    first: set[object] = set()
    for tool in agent.tools:
        if (
            not isinstance(tool, FunctionTool)
            or hasattr(tool, "agent")
            or tool.name in named
            or tool.needs_approval is not False
            or tool.tool_input_guardrails
            or tool.tool_output_guardrails
        ):
            continue
        kind = (tool.is_enabled, tool.timeout_seconds)
        if kind in first:
            yield tool.name
        first.add(kind)
