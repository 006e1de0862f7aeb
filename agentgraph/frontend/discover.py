"""Discovery: which agents a workflow has, and a stable identity for each.

Identities come from names in discovery order, so the same program gives the same identities in
every process; a number distinguishes agents that share a name. Two objects are the same agent only
if they are identical; equality does not matter.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_NOT_IN_IDS = re.compile(r"\W+")


@dataclass(frozen=True)
class Discovered:
    """The agents of a workflow.

    Args:
        start: The agent a run starts with.
        agents: In document order.
        ids: Identity of each agent, by ``id`` of the object.
    """

    start: Any
    agents: tuple[Any, ...]
    ids: Mapping[int, str]

    @cached_property
    def only(self) -> Mapping[str, Any]:
        """The agents with a unique name, by name."""
        counts = Counter(agent.name for agent in self.agents)
        return {agent.name: agent for agent in self.agents if counts[agent.name] == 1}


def discover(start: Any, declared: Iterable[Any] | None = None) -> Discovered:
    """Find the agents of a workflow.

    Args:
        start: The agent a run starts with.
        declared: The closed set that the user declared; ``None`` means all agents that handoffs
            reach from ``start``.

    Returns:
        The agents with their identities.
    """
    if declared is None:
        agents = tuple(_reachable(start))
    else:
        agents = tuple({id(agent): agent for agent in declared}.values())
    names = Names()
    return Discovered(start, agents, {id(agent): names.take(agent.name) for agent in agents})


def _reachable(start: Any) -> Iterator[Any]:
    seen = {id(start)}
    queue = deque([start])
    while queue:
        agent = queue.popleft()
        yield agent
        for entry in agent.handoffs:
            target = target_of(entry)
            if target is not None and id(target) not in seen:
                seen.add(id(target))
                queue.append(target)


def is_agent(entry: object) -> bool:
    """Whether an object has the attributes of an agent."""
    return hasattr(entry, "handoffs") and hasattr(entry, "tools") and hasattr(entry, "name")


def target_of(entry: Any) -> Any | None:
    """The agent that an entry of ``handoffs`` leads to: the entry itself, or the target of a
    handoff object; ``None`` if it does not say."""
    if is_agent(entry):
        return entry
    reference = getattr(entry, "_agent_ref", None)
    return reference() if callable(reference) else None


def stem(name: str) -> str:
    """A name in lower case and reduced to word characters; empty if it has none."""
    return _NOT_IN_IDS.sub("_", name.lower()).strip("_")


class Names:
    """Hands out identities: stems of names, numbered where they repeat."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """A new identity made from ``name``."""
        return self.claim(stem(name) or "agent")

    def claim(self, identity: str) -> str:
        """A new identity: the one asked for, or else that with the lowest unused number."""
        number = self._numbers.get(identity)
        if number is None:
            self._numbers[identity] = 1
            return identity
        while (candidate := f"{identity}_{number + 1}") in self._numbers:
            number += 1
        self._numbers[identity] = number + 1
        self._numbers[candidate] = 1
        return candidate
