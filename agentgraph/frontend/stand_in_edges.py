"""Stand-ins for the edges of a workflow: the same steps and cases, and functions in whose place an
oracle decides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import update_wrapper
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Protocol

from agentgraph.frontend.discover import is_agent
from agentgraph.workflow import Workflow
from agentgraph.workflow.branches import Branches, BranchPart
from agentgraph.workflow.declared import Case, Edges, Selector
from agentgraph.workflow.outputs import OutputOf, name_of_step, path_of, step_behind

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow.steps import FunctionStep

__all__ = ["EdgeStandIns"]


class _Oracle(Protocol):
    def output(self, function: object, name: str, *, fails: bool) -> Any: ...

    def returned(self, name: str, value: object) -> None: ...


class EdgeStandIns:
    """The copies of the edges of one workflow.

    Args:
        oracle: Decides what the functions return, or hears of it.
        agent: The copy of an agent.
        workflow: The copy of a workflow that is a step or works in a branch.
        real: The names of the functions whose code runs.
    """

    def __init__(
        self,
        oracle: _Oracle,
        agent: Callable[[Agent[Any]], Agent[Any]],
        workflow: Callable[[Workflow], Workflow],
        real: Collection[str],
    ) -> None:
        self._oracle, self._agent, self._workflow, self._real = oracle, agent, workflow, real
        self._steps: dict[int, object] = {}

    def put(self, source: Workflow, workflow: Workflow) -> None:
        """Put the copies into the copy of a workflow."""
        for id_of, function in source._functions.items():
            stand_in = self._steps[id_of] = self._function(function)
            workflow._functions[id(stand_in)] = replace(function, function=stand_in)
        workflow._questions += source._questions  # a source of decisions answers them
        workflow._edges += [self._edges(edges) for edges in source._edges]
        if source._budget is not None:
            after = self._step(source._budget.exhausted)
            workflow._budget = replace(source._budget, exhausted=after)
        workflow._errors += [
            replace(one, step=self._step(one.step), case=self._case(one.case))
            for one in source._errors
        ]

    def _step(self, step: object) -> object:
        if is_agent(step):
            return self._agent(step)
        if id(step) not in self._steps:
            self._steps[id(step)] = self._copied(step)
        return self._steps[id(step)]

    def _copied(self, step: object) -> object:
        """The copy of a step with branches, or of a workflow; any other step stays."""
        if isinstance(step, Workflow):
            return self._workflow(step)
        if isinstance(step, Branches):
            return replace(step, parts=tuple(map(self._part, step.parts)))
        return step

    def _part(self, part: BranchPart) -> BranchPart:
        if part.function is None:
            return part._replace(part=self._step(part.part))
        stand_in = self._function(part.function)
        return part._replace(part=stand_in, function=replace(part.function, function=stand_in))

    def _edges(self, edges: Edges) -> Edges:
        return replace(
            edges,
            step=self._step(edges.step),
            cases=tuple(map(self._case, edges.cases)),
            on=None if edges.on is None else self._selector(edges.on),
        )

    def _case(self, case: Case) -> Case:
        return replace(
            case,
            target=self._step(case.target),
            exhausted=self._step(case.exhausted),
            gives=tuple(self._gives(case.gives)),
        )

    def _gives(self, outputs: Iterable[OutputOf]) -> Iterable[OutputOf]:
        return (OutputOf(self._step(step_behind(one)), path_of(one)) for one in outputs)

    def _selector(self, on: Selector) -> Selector:
        function, oracle = on.function, self._oracle
        if function is None:
            return replace(on, step=self._step(on.step))
        name = name_of_step(function)

        def simulated(output: object) -> object:
            return oracle.output(function, name, fails=False)

        def watched(output: object) -> object:
            value = function(output)
            oracle.returned(name, value)
            return value

        stand_in = watched if name in self._real else simulated
        return replace(on, function=update_wrapper(stand_in, function))

    def _function(self, step: FunctionStep) -> Callable[..., Any]:
        function, oracle = step.function, self._oracle

        async def simulated(*arguments: object) -> object:
            return oracle.output(function, step.name, fails=True)

        if step.name not in self._real:
            return update_wrapper(simulated, function)

        @contextmanager
        def heard() -> Iterator[list[object]]:
            returned: list[object] = []
            try:
                yield returned
            except Exception as error:
                oracle.returned(step.name, error)
                raise
            oracle.returned(step.name, *returned)

        async def awaited(*arguments: object) -> object:
            with heard() as returned:
                returned.append(await function(*arguments))
            return returned[0]

        def called(*arguments: object) -> object:
            with heard() as returned:
                returned.append(function(*arguments))
            return returned[0]

        return update_wrapper(awaited if iscoroutinefunction(function) else called, function)
