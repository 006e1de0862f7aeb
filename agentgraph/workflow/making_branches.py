"""Making steps with branches from what `parallel` and `each` are called with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from agentgraph.authoring.origin import caller_origin
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.workflow.branches import ALL, Branches, BranchPart, Join
from agentgraph.workflow.making import count_fault
from agentgraph.workflow.outputs import name_of_step
from agentgraph.workflow.parts import runs_by_itself
from agentgraph.workflow.steps import function_step

__all__ = ["each_step", "parallel_step"]


def parallel_step(
    workflow: str, name: object, parts: Iterable[object], join: object, *, interleaved: bool
) -> Branches:
    """A step with a branch for each part; see `Workflow.parallel`."""
    if not isinstance(name, str) or not name:
        _refuse(workflow, f"parallel takes a name and a list of steps, not {name!r}.")
    if isinstance(parts, str) or not isinstance(parts, Iterable):
        _refuse(workflow, f"parallel '{name}' takes a list of steps, not {parts!r}.")
    branches = tuple(_part(workflow, part, "parallel") for part in parts)
    if not branches:
        _refuse(workflow, f"parallel '{name}' has no branches: name one step at least.")
    names = [part.name for part in branches]
    if repeated := {one for one in names if names.count(one) > 1}:
        _refuse(
            workflow,
            f"parallel '{name}' has two branches called {repeated.pop()!r}. Their names tell their"
            " outputs apart, so use agent.clone(name=...) or a function of another name.",
        )
    join = ALL if join is None else join
    if not isinstance(join, Join):
        _refuse(workflow, f"join is all_of(), first_of() or quorum(n), not {join!r}.")
    if join.needs > len(branches):
        _refuse(
            workflow,
            f"parallel '{name}' has {len(branches)} branches, and quorum({join.needs}) waits for"
            " more.",
        )
    return Branches(name, branches, join, caller_origin(), interleaved=interleaved)


def each_step(
    workflow: str,
    on: object,
    run: object,
    *,
    at_most: object,
    concurrency: object,
    name: object,
    interleaved: bool,
) -> Branches:
    """A step that works on each item of a list; see `Workflow.each`."""
    if on is not None and not isinstance(on, str):
        _refuse(workflow, f"each: on is the name of a field that is a list, not {on!r}.")
    path = () if on is None else tuple(on.split("."))
    if not all(part.isidentifier() for part in path):
        _refuse(workflow, f"each: on={on!r} is no name of a field.")
    part = _part(workflow, run, "each")
    if part.function is not None and (fault := count_fault(part.function, 1)):
        _refuse(workflow, f"each: function '{part.name}' {fault}: one item.")
    if type(at_most) is not int or at_most < 1:
        _refuse(workflow, f"each: at_most is a whole number from 1 on, not {at_most!r}.")
    if concurrency is not None and (type(concurrency) is not int or concurrency < 1):
        _refuse(workflow, f"each: concurrency is a whole number from 1 on, not {concurrency!r}.")
    if name is not None and (not isinstance(name, str) or not name):
        _refuse(workflow, f"each: name is a text, not {name!r}.")
    return Branches(
        name=f"each {part.name}" if name is None else name,
        parts=(part,),
        join=ALL,
        origin=caller_origin(),
        path=path,
        at_most=at_most,
        concurrency=0 if concurrency is None else concurrency,
        interleaved=interleaved,
    )


def _part(workflow: str, part: object, what: str) -> BranchPart:
    """What works in a branch."""
    if runs_by_itself(part):
        return BranchPart(name_of_step(part), part, None)
    if callable(part) and not isinstance(part, type):
        function = function_step(part, workflow)
        return BranchPart(function.name, part, function)
    _refuse(
        workflow,
        f"{what}: a branch is an agent, a function or a workflow, not {part!r}"
        f" ({type(part).__name__}).",
    )


def _refuse(workflow: str, fault: str) -> NoReturn:
    raise AgentDefinitionError(f"Workflow '{workflow}': {fault}")
