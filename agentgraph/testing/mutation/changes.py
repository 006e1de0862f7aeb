"""What an operator reads, and what it describes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import agentgraph
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.lower_tools import agent_of, name_of
from agentgraph.frontend.step_reading import parts_of_steps
from agentgraph.frontend.targets import target_of

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source

__all__ = ["Change", "Operator", "Parts", "label_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """One fault that an operator could plant. Nothing is changed yet.

    Attributes:
        owner: The object to change.
        values: The new values of its attributes.
        agent: The agent in whose runs the fault shows.
        part: The changed part: a tool, a handoff, a guardrail, an attribute.
        text: What is different then, in a sentence.
        moves: What happens at the agent in a run that notices the fault, in order.
        place: The object whose line in the program is about the fault.
    """

    owner: object
    values: Mapping[str, Any]
    agent: Agent[Any]
    part: str
    text: str
    moves: tuple[str, ...]
    place: object


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of fault.

    Attributes:
        name: Its name, in kebab case: what it does.
        summary: What it does, in words.
        changes: Lists the faults of this kind that a workflow could have.
    """

    name: str
    summary: str
    changes: Callable[[Parts], Iterator[Change]]


class Parts:
    """The agents that some sources consist of: theirs, and every agent that these lead to.

    Args:
        sources: Agents and workflows; runs start with the first ones that lead to the others.

    Attributes:
        agents: The agents, each once.
        workflows: The declared workflows among the sources.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._arrivals: dict[int, tuple[Any, str] | None] = {}
        agents: dict[int, Any] = {}
        roots = tuple(sources)
        self.workflows = tuple({id(one): one for one in roots if is_workflow(one)}.values())
        waiting: deque[tuple[Any, tuple[Any, str] | None]] = deque()
        for starts in (map(_start, roots), chain.from_iterable(map(_members, roots))):
            waiting.extend((start, None) for start in starts)
            while waiting:
                agent, arrival = waiting.popleft()
                if is_agent(agent) and id(agent) not in agents:
                    agents[id(agent)] = agent
                    self._arrivals[id(agent)] = arrival
                    waiting.extend((target, (agent, move)) for target, move in _leads(agent))
        self.agents: tuple[Agent[Any], ...] = tuple(agents.values())

    def way_to(self, agent: Agent[Any]) -> tuple[str, ...]:
        """The fewest moves that lead from one of the sources to an agent, in words.

        Args:
            agent: The agent.

        Returns:
            The moves; none if a run can start with the agent.
        """
        moves: list[str] = []
        arrival = self._arrivals.get(id(agent))
        while arrival is not None:
            before, move = arrival
            moves.append(move)
            arrival = self._arrivals.get(id(before))
        return tuple(reversed(moves))


def _start(source: Source) -> Any:
    return source.start if is_workflow(source) else source


def _members(source: Source) -> Iterable[Any]:
    return [*source.agents, *parts_of_steps(source)] if is_workflow(source) else ()


def _leads(agent: Agent[Any]) -> Iterator[tuple[Any, str]]:
    """The agents to which an agent leads, each with the move."""
    for entry in agent.handoffs:
        target = target_of(entry)
        if target is not None:
            yield target, f"'{agent.name}' hands over to '{target.name}'"
    for tool in agent.tools:
        inner = agent_of(tool)
        if inner is not None:
            yield inner, f"'{agent.name}' calls {label_of(tool)}, which runs '{inner.name}'"


def label_of(part: object) -> str:
    """The name of a tool, a server, a handoff, a guardrail, an agent, a workflow or a step, for
    people."""
    if isinstance(part, agentgraph.InputGuardrail | agentgraph.OutputGuardrail):
        return part.get_name()
    if isinstance(part, agentgraph.Handoff):
        return str(part.tool_name)
    if isinstance(part, agentgraph.End):
        return "end"
    if is_workflow(part):
        return str(part.name)
    if callable(part):
        return str(getattr(part, "__name__", type(part).__name__))
    return name_of(part)
