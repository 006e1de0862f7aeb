"""What one part of a workflow can decide: the model of an agent, a tool, a guardrail, a person."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentgraph.frontend.part_names import answer_type, function_tools, guardrails_of
from agentgraph.models.interface import ModelTracing
from agentgraph.models.model_call import ModelCall
from agentgraph.program import compile
from agentgraph.testing.deciding import RULINGS, kinds_of_guardrail, kinds_of_tool
from agentgraph.testing.offers import Menu, Offer
from agentgraph.testing.patterns import unknown_part
from agentgraph.testing.routes import Decision, Kind, plain_result

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.frontend.bindings import AgentBinding
    from agentgraph.testing.simulation import Simulation
    from agentgraph.tools.function import FunctionTool

__all__ = ["agent_named", "offer_to", "ruling_on", "tool_named", "tool_result", "verdict_of"]


def agent_named(simulation: Simulation, name: str) -> Agent[Any]:
    """The agent of a name.

    Raises:
        UserError: There is none.
    """
    named = [one for one in simulation.agents if one.name == name]
    if not named:
        raise unknown_part(name, "agent", simulation.names.agents)
    return named[0]


def tool_named(simulation: Simulation, name: str) -> FunctionTool:
    """The first function tool of a name; an agent used as a tool is one.

    Raises:
        UserError: There is none.
    """
    tools = {one.name: one for one in reversed([*function_tools(simulation.agents)])}
    if name not in tools:
        raise unknown_part(name, "function tool", frozenset(tools))
    return tools[name]


def offer_to(simulation: Simulation, agent: str) -> Offer:
    """What the model of an agent can do in some call of a run: all that the agent has and does not
    disable, and an answer. A tool choice counts only if later calls keep it.

    Raises:
        CompileError: The workflow has errors.
        UserError: There is no agent of that name.
    """
    agent_named(simulation, agent)
    bindings = compile(simulation.start).bindings
    charts = (bindings, *bindings.machines.values())
    bound = next(one for part in charts for one in part.agents.values() if one.agent.name == agent)
    call = _call_of(bound)
    return Offer(call, Menu(agent, call), number=1, is_reuse_possible=True)


def _call_of(bound: AgentBinding) -> ModelCall:
    agent = bound.agent
    settings = agent.model_settings
    if agent.reset_tool_choice:
        settings = replace(settings, tool_choice=None)
    return ModelCall(
        system_instructions=None,
        input=[],
        model_settings=settings,
        tools=[tool for _, tool in bound.tools if getattr(tool, "is_enabled", True) is not False],
        output_schema=answer_type(agent),
        handoffs=[row.handoff for row in bound.handoffs if row.handoff.is_enabled is not False],
        tracing=ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
        streamed=False,
    )


def tool_result(simulation: Simulation, name: str) -> tuple[Decision, tuple[Kind, ...]]:
    """The simplest thing that a function tool does, and the kinds of what it can do.

    Raises:
        UserError: There is no such tool, or an agent is behind it.
    """
    tool = tool_named(simulation, name)
    names = simulation.names
    if name in names.agent_tools:
        own = names.tools - names.agent_tools
        raise unknown_part(name, "function tool without an agent behind it", own)
    draft = Decision("tool", "return", name=name, value=plain_result(name))
    return draft, kinds_of_tool(tool)


def verdict_of(simulation: Simulation, name: str) -> tuple[Decision, tuple[Kind, ...]]:
    """The simplest verdict of a guardrail, and the kinds of its verdicts.

    Raises:
        UserError: There is no such guardrail.
    """
    of_tools = {
        one: is_of_tool for agent in simulation.agents for one, is_of_tool in guardrails_of(agent)
    }
    if name not in of_tools:
        raise unknown_part(name, "guardrail", frozenset(of_tools))
    kinds = kinds_of_guardrail(rejects=of_tools[name])
    return Decision("guardrail", "pass", name=name), kinds


def ruling_on(simulation: Simulation, name: str) -> tuple[Decision, tuple[Kind, ...]]:
    """The simplest ruling of a person on a call that waits, and the kinds of rulings.

    Raises:
        UserError: There is no tool of that name that needs an approval.
    """
    waiting = {
        one.name for one in function_tools(simulation.agents) if one.needs_approval is not False
    }
    if name not in waiting:
        raise unknown_part(name, "tool that needs an approval", frozenset(waiting))
    return Decision("person", "approve", name=name), RULINGS
