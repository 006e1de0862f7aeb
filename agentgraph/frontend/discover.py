"""Discovery: which agents a workflow has, and a stable identity for each.

Identities come from names in discovery order, so the same program gives the same identities in
every process; agents that share a name are told apart by a number. Objects count by identity, never
by equality.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NOT_IN_IDS = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
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


def discover(start: Any, declared: Iterable[Any] | None = None) -> Discovered:
    """Find the agents of a workflow.

    Args:
        start: The agent a run starts with.
        declared: The closed set the user declared; ``None`` means whatever handoffs reach from
            ``start``.

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
    """Whether something has the shape of an agent."""
    return hasattr(entry, "handoffs") and hasattr(entry, "tools") and hasattr(entry, "name")


def target_of(entry: Any) -> Any | None:
    """The agent that an entry of ``handoffs`` leads to: the entry itself, or what a handoff object
    refers to."""
    if is_agent(entry):
        return entry
    reference = getattr(entry, "_agent_ref", None)
    return reference() if callable(reference) else None


class Names:
    """Hands out identities: lower-case names of word characters, numbered where they repeat."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """A new identity made from ``name``."""
        base = _NOT_IN_IDS.sub("_", name.lower()).strip("_") or "agent"
        candidate, number = base, 1
        while candidate in self._taken:
            number += 1
            candidate = f"{base}_{number}"
        self._taken.add(candidate)
        return candidate
