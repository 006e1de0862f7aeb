"""What decides on the outputs of steps: the routes that read each, and the values at the borders
between their cases."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agentgraph.exceptions import UserError
from agentgraph.frontend.discover import is_agent
from agentgraph.frontend.domains import OPEN, domain_of
from agentgraph.frontend.nested import workflows_in
from agentgraph.frontend.step_reading import parts_of_steps
from agentgraph.frontend.targets import target_of
from agentgraph.schemas.type_hints import resolve_hints
from agentgraph.workflow.branches import Branches, BranchPart
from agentgraph.workflow.declared import Edges, Selector
from agentgraph.workflow.keys import Interval, json_text
from agentgraph.workflow.outputs import name_of_step
from agentgraph.workflow.questions import QuestionStep

if TYPE_CHECKING:
    from agentgraph.agent import Agent
    from agentgraph.workflow import Source
    from agentgraph.workflow.steps import FunctionStep

__all__ = ["FunctionOutput", "OutputReaders", "RouteOver", "agents_at_work"]


class RouteOver(NamedTuple):
    """A route that decides on the output of a step.

    Args:
        route: The route.
        on: What it decides on.
    """

    route: Edges
    on: Selector

    def way(self, output: object) -> str:
        """What the route does with an output: the case that it takes, or what goes wrong."""
        try:
            value = self.on(output)
        except (AttributeError, KeyError, TypeError):
            return "no such field"
        return next(
            (f"case {one.label}" for one in self.route.cases if one.takes(value)), "no case"
        )

    def candidates(self, declared: object) -> Iterator[object]:
        """JSON values on both sides of each border: those of the cases, and those of the type.

        Args:
            declared: The type of the output; `None` if it is not declared.
        """
        domain = OPEN if declared is None else domain_of((declared,), self.on)[0]
        for key in (key for case in self.route.cases for key in case.keys):
            if isinstance(key, Interval):
                yield from _around(key.least, key.most)
            elif not isinstance(key, type) and (text := json_text(key)) is not None:
                yield json.loads(text)
        if self.on.path or self.on.by_value:
            yield from _values(domain.single)
        if domain.ranged:
            yield from _around(domain.least, domain.most)
        if domain.open:
            yield "something else"


class FunctionOutput(NamedTuple):
    """What a function of the edges returns, or a person answers.

    Args:
        name: The name of the function or of the question.
        declared: The type that it declares; `None` if it declares none.
        routes: The routes over it.
    """

    name: str
    declared: object
    routes: Sequence[RouteOver]


class OutputReaders:
    """The routes of one workflow, by the step whose output they read.

    Args:
        source: The workflow; an agent has no steps.
        real: The names of functions whose own code runs: what they make of an output is not
            foreseen.
    """

    def __init__(self, source: Source, real: Collection[str]) -> None:
        workflows = workflows_in(source)
        edges = [one for workflow in workflows for one in workflow._edges]
        self._functions: dict[int, FunctionStep] = {}
        self._over: dict[int, list[RouteOver]] = {}
        self._deciding: dict[int, Edges] = {}
        for one in edges:
            if one.on is None:
                continue
            if one.on.function is None:
                step = one.step if one.on.step is None else one.on.step
                self._over.setdefault(id(step), []).append(RouteOver(one, one.on))
            elif name_of_step(one.on.function) not in real:
                self._deciding[id(one.on.function)] = one
        steps: list[object] = []
        for workflow in workflows:
            self._functions |= workflow._functions
            steps += parts_of_steps(workflow) or [workflow.start]
        for branch in _branches(steps):
            if branch.function is not None:
                self._functions[id(branch.part)] = branch.function
            else:
                steps.append(branch.part)
        self._agents = list(agents_at_work({id(step): step for step in steps if is_agent(step)}))

    def over_agent(self, name: str) -> tuple[Agent[object], list[RouteOver]] | None:
        """An agent, and the routes over the outputs of the steps in which it works; `None` if there
        are none."""
        named = [(agent, step) for agent, step in self._agents if agent.name == name]
        routes = [route for _, step in named for route in self._over.get(step, ())]
        return (named[0][0], routes) if routes else None

    def over_function(self, function: object) -> FunctionOutput:
        """A function that is a step, or one that a route decides with, and the routes over it."""
        name, step = name_of_step(function), self._functions.get(id(function))
        if step is not None:
            return FunctionOutput(name, step.returns, self._over.get(id(function), ()))
        route = self._deciding[id(function)]
        assert route.on is not None
        itself = replace(route.on, function=None)
        return FunctionOutput(name, _declared(route.on), [RouteOver(route, itself)])

    def over_question(self, step: QuestionStep) -> FunctionOutput:
        """A question, and the routes over its answer."""
        return FunctionOutput(step.name, step.answer, self._over.get(id(step), ()))


def _branches(steps: Iterable[object]) -> list[BranchPart]:
    """What works in the branches of some steps."""
    return [branch for step in steps if isinstance(step, Branches) for branch in step.parts]


def _declared(on: Selector) -> object:
    assert on.function is not None
    try:
        return resolve_hints(on.function).get("return")
    except UserError:
        return None


def agents_at_work(steps: dict[int, Agent[object]]) -> Iterator[tuple[Agent[object], int]]:
    """The agents that may give the output of a step, each with the `id` of the step."""
    for step in steps.values():
        agents = {id(step): step}
        waiting = [step]
        while waiting:
            agent = waiting.pop()
            yield agent, id(step)
            for target in map(target_of, agent.handoffs):
                if target is not None and id(target) not in steps and id(target) not in agents:
                    agents[id(target)] = target
                    waiting.append(target)


def _values(single: Iterable[str]) -> Iterator[object]:
    """The values among the members of a domain; the others are classes."""
    for text in single:
        with suppress(ValueError):
            yield json.loads(text)


def _around(*ends: int | None) -> Iterator[int]:
    numbers = {end + n for end in ends if end is not None for n in (-1, 0, 1)}
    yield from sorted(numbers or {0}, key=lambda one: (abs(one), one))
