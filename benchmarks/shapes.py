"""Large workflows of several shapes, each by its number of agents."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agentgraph import Agent

__all__ = ["SHAPES_BY_NAME", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A family of workflows.

    Attributes:
        name: What it is called in tables.
        agents: Makes the agents; the first one is the start.
    """

    name: str
    agents: Callable[[int], list[Agent[Any]]]


def agent(number: int, **fields: Any) -> Agent[Any]:
    """Make one agent."""
    return Agent(
        name=f"Agent {number}",
        instructions=f"Answer questions of kind {number}.",
        handoff_description=f"Knows about questions of kind {number}.",
        **fields,
    )


def chain(size: int) -> list[Agent[Any]]:
    """Make agents of which each hands off to the next."""
    agents: list[Agent[Any]] = []
    for number in reversed(range(size)):
        agents.append(agent(number, handoffs=list(agents[-1:])))
    return agents[::-1]


def star(size: int) -> list[Agent[Any]]:
    """Make an agent that hands off to all others, each of which hands back."""
    agents = [agent(number) for number in range(size)]
    agents[0].handoffs.extend(agents[1:])
    for other in agents[1:]:
        other.handoffs.append(agents[0])
    return agents


def diamonds(size: int) -> list[Agent[Any]]:
    """Make rungs of two agents, each of which hands off to both of the next rung."""
    agents = [agent(number) for number in range(size)]
    for number, one in enumerate(agents):
        rung = (number + 1) // 2 + 1
        one.handoffs.extend(agents[2 * rung - 1 : 2 * rung + 1])
    return agents


def scattered(size: int) -> list[Agent[Any]]:
    """Make agents of which each hands off to three others: the next one, so that all can be
    reached, and two random ones."""
    dice = random.Random(size)
    agents = [agent(number) for number in range(size)]
    for number, one in enumerate(agents):
        targets: dict[int, None] = {(number + 1) % size: None}
        while len(targets) < min(3, size):
            targets[dice.randrange(size)] = None
        one.handoffs.extend(agents[target] for target in targets)
    return agents


def knot(size: int) -> list[Agent[Any]]:
    """Make a ring of agents, each of which also hands off to the one before it and to the first."""
    agents = [agent(number) for number in range(size)]
    for number, one in enumerate(agents):
        targets = {(number + 1) % size, (number - 1) % size, 0} - {number}
        one.handoffs.extend(agents[target] for target in sorted(targets))
    return agents


def nested(size: int) -> list[Agent[Any]]:
    """Make agents of which each has the next as its tool."""
    agents = [agent(number) for number in range(size)]
    for number, one in enumerate(agents[:-1]):
        inner = agents[number + 1]
        one.tools.append(inner.as_tool(f"ask_{number + 1}", f"Answers kind {number + 1}."))
    return agents


SHAPES_BY_NAME = {
    "chain": Shape("a chain", chain),
    "star": Shape("a star", star),
    "diamonds": Shape("a ladder of diamonds", diamonds),
    "random": Shape("a random graph, 3 handoffs each", scattered),
    "knot": Shape("one knot", knot),
    "nested": Shape("agents as tools, nested", nested),
}
