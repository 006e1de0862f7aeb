"""Planting a mutant in the agents of a process, wherever they come from."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from os.path import realpath
from types import FunctionType, ModuleType
from typing import Any

import agentgraph
from agentgraph.cli.capture.kinds import as_source, members_of, sources_in
from agentgraph.cli.faults import CommandFault
from agentgraph.cli.mutation.orders import Order
from agentgraph.frontend.origins import origin_of
from agentgraph.frontend.stand_ins import original_of
from agentgraph.testing.mutation.changes import Operator, Parts
from agentgraph.testing.mutation.mutants import MutantName, changes_named, plant
from agentgraph.testing.mutation.operators import operator_named
from agentgraph.workflow import Source

__all__ = ["Planter"]


class Planter:
    """Plants one mutant, once in each object. It is a recorder too, so it sees each run begin.

    Args:
        order: The mutant, and where to note that it is planted.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._changed: dict[int, object] = {}

    def in_module(self, module: ModuleType) -> None:
        """Plant the mutant in the agents of a module, and in those that its factories make."""
        self._order.note_executed()
        namespace = vars(module)
        self._in([source for _, source in sources_in(namespace)])
        for name, value in [*namespace.items()]:
            if isinstance(value, agentgraph.Program) and not value.current:
                namespace[name] = agentgraph.compile(value.source)
            elif name in self._order.factories and isinstance(value, FunctionType):
                namespace[name] = self._planting(value)

    def made(self, authored: object, /) -> None:
        """Take note of an agent: it is not complete yet."""

    def mistaken(self, error: Exception, authored: object = None, /) -> None:
        """Raise the error, as without a recorder."""
        raise error

    def started(self, source: object, options: Mapping[str, Any], /) -> None:
        """Plant the mutant in the agents of a run before it begins."""
        workflow = as_source(source)
        if workflow is not None:
            self._in([workflow])

    def _planting(self, function: Callable[..., object]) -> Callable[..., object]:
        """A function that plants the mutant in the agents that another function returns."""

        def planted(result: object) -> object:
            members = (as_source(one) for _, one in members_of(result, ""))
            self._in([source for source in members if source is not None])
            return result

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_later(*arguments: object, **keywords: object) -> object:
                return planted(await function(*arguments, **keywords))

            return call_later

        @functools.wraps(function)
        def call(*arguments: object, **keywords: object) -> object:
            return planted(function(*arguments, **keywords))

        return call

    def _in(self, sources: Iterable[Source]) -> None:
        parts, mutant = Parts(sources), self._order.mutant
        if mutant is None:
            if any(realpath(origin_of(agent).file) == self._order.file for agent in parts.agents):
                self._order.note_executed()
            return
        for change in changes_named(parts, _operator(mutant), mutant):
            # The copies of a simulation are made of objects that have the fault already.
            original = original_of(change.owner)
            if id(change.owner) not in self._changed and id(original) not in self._changed:
                plant(change)
                # The object is kept, so that no other one gets its id.
                self._changed[id(change.owner)] = change.owner
                self._order.note_planted()


def _operator(mutant: MutantName) -> Operator:
    operator = operator_named(mutant.operator)
    if operator is None:
        raise CommandFault(f"there is no operator {mutant.operator!r}")
    return operator
