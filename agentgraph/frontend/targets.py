"""Where an entry of ``handoffs`` leads.

An agent leads to itself, and a handoff of ``handoff()`` names its agent. A hand-made ``Handoff``
has only a function that returns the agent and the agent's name, so its code is searched for the
names of agents. Searching runs no code of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from agentgraph.agent import Agent
from agentgraph.agent_tool import ReturningHandoff, returning
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.inner_agents import names_in, opened

if TYPE_CHECKING:
    from agentgraph.handoffs import Handoff
    from agentgraph.workflow import Source

__all__ = ["returning_tool", "source_of_handoff", "target_of"]


def target_of(entry: object) -> Agent[Any] | None:
    """The agent that an entry of ``handoffs`` leads to, or with which the workflow begins that it
    leads to; ``None`` if it does not say.

    Args:
        entry: An agent, or a handoff. The function of a hand-made handoff says it if it names one
            agent with the name in ``agent_name``, or only one agent: itself, in a list, a
            dictionary or an attribute of its object, or through functions of its module.
    """
    source = source_of_handoff(entry)
    return source.start if is_workflow(source) else source


def source_of_handoff(entry: object) -> Source | None:
    """The agent or the workflow that an entry of ``handoffs`` leads to; ``None`` if it does not
    say."""
    if is_agent(entry) or is_workflow(entry):
        return entry
    reference: Callable[[], Source | None] | None = getattr(entry, "_agent_ref", None)
    if callable(reference):
        return reference()
    agents = {id(one): one for one in _agents_of(getattr(entry, "on_invoke_handoff", None))}
    name = getattr(entry, "agent_name", None)
    named = [one for one in agents.values() if one.name == name] or list(agents.values())
    return named[0] if len(named) == 1 else None


def returning_tool(agent: Agent[Any], handoff: Handoff[Any, Any]) -> ReturningHandoff:
    """The tool of a handoff that returns.

    Args:
        agent: The agent that lists it.
        handoff: The handoff.

    Raises:
        AgentDefinitionError: It does not say which agent it leads to.
    """
    target = source_of_handoff(handoff)
    if target is None:
        raise AgentDefinitionError(
            f"Agent {agent.name!r}: the handoff {handoff.tool_name!r} returns, but it does not say"
            " which agent it leads to. Make it with handoff(agent, returns=True)."
        )
    return returning(handoff, target)


def _agents_of(function: object) -> Iterator[Agent[Any]]:
    """The agents that a function names, directly or through functions of its module."""
    waiting, seen = [function], set[int]()
    while waiting:
        function = waiting.pop()
        if isinstance(function, partial):
            for value in (*function.args, *function.keywords.values()):
                yield from _agents_in(value)
            function = function.func
        if not isinstance(function, (FunctionType, MethodType)):
            function = getattr(function, "__call__", None)  # noqa: B004 - a bound method is needed
        if isinstance(function, MethodType):
            yield from _agents_in(list(getattr(function.__self__, "__dict__", {}).values()))
        plain, scope = opened(function)
        if plain is None or id(plain) in seen:
            continue
        seen.add(id(plain))
        for value in (*(plain.__defaults__ or ()), *(plain.__kwdefaults__ or {}).values()):
            yield from _agents_in(value)
        for name in names_in(plain.__code__):
            value = scope.get(name)
            yield from _agents_in(value)
            if isinstance(value, FunctionType) and value.__module__ == plain.__module__:
                waiting.append(value)


def _agents_in(value: object) -> Iterator[Agent[Any]]:
    match value:
        case Agent():
            yield value
        case dict():
            yield from (one for one in value.values() if isinstance(one, Agent))
        case list() | tuple():
            yield from (one for one in value if isinstance(one, Agent))
