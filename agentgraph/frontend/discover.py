"""Discovery: which objects are agents or workflows, and their identities.

Identities come from names in the order in which ``reading`` meets the agents, so the same program
gives the same identities in every process; a number distinguishes agents that share a name. Two
objects are the same agent only if they are identical; equality does not matter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeIs

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Workflow

_NOT_IN_IDS = re.compile(r"\W+")


def is_agent(entry: object) -> TypeIs[Agent[Any]]:
    """Whether an object has the attributes of an agent."""
    return hasattr(entry, "handoffs") and hasattr(entry, "tools") and hasattr(entry, "name")


def is_workflow(source: object) -> TypeIs[Workflow]:
    """Whether an object has the attributes of a declared workflow."""
    return hasattr(source, "start") and hasattr(source, "agents") and hasattr(source, "name")


def stem(name: str) -> str:
    """A name in lower case and reduced to word characters; empty if it has none."""
    return _NOT_IN_IDS.sub("_", name.lower()).strip("_")


class Names:
    """Hands out identities: stems of names, numbered where they repeat."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """A new identity made from ``name``."""
        return self.claim(self.stem(name))

    @staticmethod
    def stem(name: str) -> str:
        """The identity to ask for, for something of that name."""
        return stem(name) or "agent"

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
