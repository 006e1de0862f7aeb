"""Resolves the symbols in payloads to the objects of the current program.

A symbol that the program no longer has becomes a `Gone`, which has only a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentgraph.drivers.workbench import Caches
from agentgraph.frontend.bindings import Bindings


@dataclass(frozen=True, slots=True)
class Gone:
    """Takes the place of an agent or a guardrail that the program no longer has."""

    name: str

    def get_name(self) -> str:
        """The name."""
        return self.name


@dataclass(frozen=True, slots=True)
class BoundNames:
    """The bindings of a run, in the form that the fold needs.

    Args:
        caches: The caches with the bindings, which change when the program is compiled again.
    """

    caches: Caches

    def agent(self, id: str, machine: str = "") -> Any:
        """The agent with an id, in the machine at work or in a sub-machine of its tools."""
        bindings = self.caches.bindings
        if machine:
            bindings = bindings.machines.get(machine, bindings)
        try:
            return bindings.agents[id].agent
        except KeyError:
            return Gone(id)

    def guardrail(self, symbol: str) -> Any:
        """The guardrail of an agent or of the run."""
        guardrail = self.caches.bindings.symbols.get(symbol)
        return Gone(symbol.rpartition("/")[2]) if guardrail is None else guardrail

    def tool_guardrail(self, tool: str, place: int, name: str, *, output: bool) -> Any:
        """A guardrail of a tool, by its place among those of the tool."""
        bound = tool_of(self.caches, tool, "")
        guardrails = getattr(bound, f"tool_{'output' if output else 'input'}_guardrails", None)
        if guardrails and place < len(guardrails) and guardrails[place].get_name() == name:
            return guardrails[place]
        return Gone(name)


def tool_of(caches: Caches, symbol: str, name: str) -> Any | None:
    """The tool that a call asks for.

    Args:
        caches: The caches with the bindings and the tools of servers.
        symbol: The symbol of the tool, or of the server that listed it.
        name: The name that the model used.

    Returns:
        The tool; ``None`` if the program no longer has it.
    """
    binding = caches.bindings.agents.get(symbol.partition("/")[0])
    if binding is None:
        return None
    return binding.tool.get(symbol) or caches.listed.get((symbol, name))


def counterparts(before: Bindings, after: Bindings) -> dict[str, str]:
    """Match the agents of two machines: by object, else by a unique name.

    Args:
        before: The bindings of the old machine.
        after: The bindings of the new machine.

    Returns:
        The new id of each agent that has one, by its old id.
    """
    by_name: dict[str, list[str]] = {}
    for id, bound in after.agents.items():
        by_name.setdefault(bound.agent.name, []).append(id)
    ids = {}
    for id, bound in before.agents.items():
        try:
            ids[id] = after.id_of(bound.agent)
        except KeyError:
            namesakes = by_name.get(bound.agent.name, ())
            if len(namesakes) == 1:
                ids[id] = namesakes[0]
    return ids
