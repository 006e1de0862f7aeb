"""The failures that a simulation plants: exceptions that edges of the workflow catch.

A function, or the model of an agent, fails with an exception of a class that an edge names, once
for each edge of its step. What works in a branch, or in a workflow that is a step, fails for the
edges of the steps around it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from agentgraph.exceptions import (
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    OutputGuardrailTripwireTriggered,
)
from agentgraph.frontend.discover import is_agent, is_workflow
from agentgraph.frontend.nested import workflows_in
from agentgraph.frontend.output_readers import agents_at_work
from agentgraph.frontend.step_reading import parts_of_steps
from agentgraph.testing.simulated_model import SimulatedFault
from agentgraph.workflow.branches import Branches

if TYPE_CHECKING:
    from agentgraph.workflow import Source
    from agentgraph.workflow.declared import ErrorEdge

__all__ = ["PlantedFaults"]

_BROUGHT_ABOUT: Final = (
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
)
"""Exceptions that guardrails and the limit of turns raise, in simulated runs, too."""


class PlantedFaults:
    """The failures of the parts of one workflow, by the names of the classes of exceptions.

    `None` stands for an exception of which only the class `Exception` is known.

    Args:
        source: The workflow; an agent has no edges.
    """

    def __init__(self, source: Source) -> None:
        self._of_agents: dict[str, dict[str | None, None]] = {}
        self._of_functions: dict[int, dict[str | None, None]] = {}
        self._classes: dict[str, type[Exception]] = {}
        self._kept: list[object] = []  # their ids stay theirs
        for workflow in workflows_in(source):
            steps = {id(part): part for part in parts_of_steps(workflow) if is_agent(part)}
            for edge in workflow._errors:
                name = self._named(edge, workflow._errors)
                for part in _inside(edge.step):
                    self._add(part, name, steps)

    def of_agent(self, name: str) -> tuple[str | None, ...]:
        """The failures of an agent's model that an edge catches."""
        return tuple(self._of_agents.get(name, ()))

    def of_function(self, function: object) -> tuple[str | None, ...]:
        """The failures of a function that an edge catches."""
        return tuple(self._of_functions.get(id(function), ()))

    def fault(self, name: object, words: str) -> Exception:
        """An exception to raise.

        Args:
            name: The name of its class; another value stands for no special class.
            words: What fails.
        """
        cls = self._classes.get(name) if isinstance(name, str) else None
        if cls is None:
            return SimulatedFault(words)
        fault: Exception = cls.__new__(cls, words)
        return fault

    def _named(self, edge: ErrorEdge, edges: Iterable[ErrorEdge]) -> str | None:
        """The name of the class for an edge: one that no earlier edge of its step catches."""
        earlier: list[type[Exception]] = []
        for one in edges:
            if one is edge:
                break
            if one.step is edge.step:
                earlier += one.errors
        cls = next(one for one in edge.errors if not issubclass(one, tuple(earlier)))
        if cls is Exception:
            return None
        if cls.__name__ not in self._classes:
            self._classes[cls.__name__] = _simulated(cls)
        return cls.__name__

    def _add(self, part: object, name: str | None, steps: dict[int, Any]) -> None:
        self._kept.append(part)
        if not is_agent(part):
            self._of_functions.setdefault(id(part), {})[name] = None
        elif name is None or not issubclass(self._classes[name], _BROUGHT_ABOUT):
            for agent, step in agents_at_work({**steps, id(part): part}):
                if step == id(part):
                    self._of_agents.setdefault(agent.name, {})[name] = None


def _inside(step: object) -> Iterator[object]:
    """The agents and functions that work in a step."""
    seen: set[int] = set()
    waiting = [step]
    for part in waiting:  # the list grows on the way
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Branches):
            waiting += [one.part for one in part.parts]
        elif is_workflow(part):
            waiting += parts_of_steps(part) or [part.start]
        elif is_agent(part) or callable(part):
            yield part


def _simulated(cls: type[Exception]) -> type[Exception]:
    """A class of exceptions that edges take for another one; its instances need no arguments of
    their own."""

    def words_of(self: Exception) -> str:
        return str(self.args[0])

    members = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__init__": lambda *_: None,
        "__str__": words_of,
    }
    try:
        return type(cls.__name__, (SimulatedFault, cls), members)
    except TypeError:  # a class that allows no subclass
        return SimulatedFault
