"""The names of the parts of a workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentgraph.agent import Agent
from agentgraph.agent_output import AgentOutputSchemaBase, output_schema_of
from agentgraph.frontend.nested import workflows_in
from agentgraph.handoffs import Handoff, HandoffTarget
from agentgraph.tools.function import FunctionTool
from agentgraph.workflow import Workflow
from agentgraph.workflow.outputs import name_of_step

if TYPE_CHECKING:
    from agentgraph.workflow import Source

__all__ = [
    "NO_NAMES",
    "PartNames",
    "answer_schema",
    "answer_type",
    "function_tools",
    "guardrails_of",
    "names_of",
    "represented_tools",
]


@dataclass(frozen=True, slots=True)
class PartNames:
    """The names of the parts of a workflow.

    Attributes:
        agents: The names of its agents, agents used as tools included.
        tools: The names of its tools.
        handoffs: The tool names of its handoffs.
        guardrails: The names of its guardrails.
        agent_tools: Those tools that are agents.
        functions: The names of the functions of its edges: steps, and those that routes decide
            with.
        questions: The names of its questions to a person.
    """

    agents: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()
    handoffs: frozenset[str] = frozenset()
    guardrails: frozenset[str] = frozenset()
    agent_tools: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    questions: frozenset[str] = frozenset()

    @property
    def every(self) -> frozenset[str]:
        """All of them."""
        return self.agents | self.tools | self.handoffs | self.guardrails | self.functions


NO_NAMES: Final = PartNames()


def names_of(agents: Iterable[Agent[Any]], source: Source | None = None) -> PartNames:
    """The names of agents and of what they have, and of the functions of a workflow's edges."""
    agents = list(agents)
    workflows = [] if source is None else workflows_in(source)
    tools = [tool for agent in agents for tool in agent.tools]
    return PartNames(
        agents=frozenset(agent.name for agent in agents),
        tools=frozenset(tool.name for tool in tools),
        handoffs=frozenset(_handoff_name(one) for agent in agents for one in agent.handoffs),
        guardrails=frozenset(one for agent in agents for one, _ in guardrails_of(agent)),
        agent_tools=frozenset(tool.name for tool in tools if hasattr(tool, "agent")),
        functions=frozenset(name for one in workflows for name in _functions_of(one)),
        questions=frozenset(one.name for workflow in workflows for one in workflow._questions),
    )


def _functions_of(workflow: Workflow) -> Iterator[str]:
    yield from (function.name for function in workflow._functions.values())
    for edges in workflow._edges:
        if edges.on is not None and edges.on.function is not None:
            yield name_of_step(edges.on.function)


def _handoff_name(entry: Handoff[Any, Any] | HandoffTarget) -> str:
    return entry.tool_name if isinstance(entry, Handoff) else Handoff.default_tool_name(entry)


def guardrails_of(agent: Agent[Any]) -> Iterator[tuple[str, bool]]:
    """The names of the guardrails of an agent, each with whether it is one of a tool."""
    yield from ((one.get_name(), False) for one in agent.input_guardrails)
    yield from ((one.get_name(), False) for one in agent.output_guardrails)
    for tool in function_tools([agent]):
        yield from ((one.get_name(), True) for one in tool.tool_input_guardrails or ())
        yield from ((one.get_name(), True) for one in tool.tool_output_guardrails or ())


def function_tools(agents: Iterable[Agent[Any]]) -> Iterator[FunctionTool]:
    """The function tools of agents; an agent used as a tool is one."""
    for agent in agents:
        yield from (tool for tool in agent.tools if isinstance(tool, FunctionTool))


def answer_type(agent: Agent[Any]) -> AgentOutputSchemaBase | None:
    """The schema of an agent's answers; None if nothing but text is asked for."""
    return output_schema_of(agent.output_type)


def answer_schema(agent: Agent[Any]) -> dict[str, Any] | None:
    """The JSON schema of an agent's answers; None for text."""
    schema = answer_type(agent)
    return None if schema is None or schema.is_plain_text() else schema.json_schema()


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
