"""Reading the steps of a workflow with edges: which agents work in each, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from agentgraph.exceptions import AgentDefinitionError
from agentgraph.frontend.discover import is_workflow
from agentgraph.frontend.scope import plain
from agentgraph.workflow.branches import Branches
from agentgraph.workflow.budgets import Budget
from agentgraph.workflow.declared import Case, Edges, ErrorEdge
from agentgraph.workflow.outputs import name_of_step, path_of, step_behind
from agentgraph.workflow.questions import QuestionStep
from agentgraph.workflow.steps import End, FunctionStep

if TYPE_CHECKING:
    from agentgraph.workflow import Workflow

Outline = tuple[object, ...]


class BranchReading(NamedTuple):
    """A branch of a step.

    Args:
        name: Its name.
        part: The agent, function or workflow.
        inner: The number of the chart that it runs; -1 for a function.
        function: What is known of a function.
    """

    name: str
    part: object
    inner: int
    function: FunctionStep | None


class StepReading(NamedTuple):
    """A step.

    Args:
        part: The agent, the function, the question, the branches, the workflow or the end.
        name: Its name.
        numbers: The numbers in the chart of the agents that can work in it, its own first.
        edges: The ways out; ``None`` if the workflow ends with it.
        function: What is known of a function.
        branches: What works in its branches; a workflow is the only branch of its step.
        errors: The ways out after exceptions.
    """

    part: object
    name: str
    numbers: tuple[int, ...]
    edges: Edges | None
    function: FunctionStep | None
    branches: tuple[BranchReading, ...] = ()
    errors: tuple[ErrorEdge, ...] = ()

    @property
    def is_labelled(self) -> bool:
        """Whether each branch has a name of its own, as the outputs of `parallel` have."""
        return isinstance(self.part, Branches) and not self.part.each

    @property
    def declared(self) -> object:
        """The type of the output of a function or a question; ``None`` if it declares none."""
        if isinstance(self.part, QuestionStep):
            return self.part.answer
        return None if self.function is None else self.function.returns


def parts_of_steps(workflow: Workflow) -> list[object]:
    """The steps of a workflow in the order in which it names them, its start first; none if it has
    no edges."""
    edges: list[Edges] = getattr(workflow, "_edges", [])  # not in a workflow of another class
    errors: list[ErrorEdge] = getattr(workflow, "_errors", [])
    budget: Budget | None = getattr(workflow, "_budget", None)
    if not edges and not errors and budget is None:
        return []
    ways = [_parts(one.step, one.cases) for one in edges]
    ways += [_parts(one.step, (one.case,)) for one in errors]
    if budget is not None:
        ways.append(_parts(budget, [one.case for one in budget.edges]))
    parts = (workflow.start, *chain(*ways), *workflow._questions)
    return list({id(one): one for one in parts}.values())


def _parts(step: object, cases: Iterable[Case]) -> Iterator[object]:
    yield step
    for case in cases:
        yield case.target
        if case.exhausted is not None:
            yield case.exhausted


def steps_of_workflows(workflows: Iterable[Workflow]) -> list[object]:
    """The steps of the workflows of one chart, the first one's first.

    Raises:
        AgentDefinitionError: One object is a step of two of them, each with its own edges, or two
            of them have a budget.
    """
    owner: dict[int, Workflow] = {}
    parts: list[object] = []
    for workflow in workflows:
        for part in parts_of_steps(workflow) or [workflow.start]:
            other = owner.setdefault(id(part), workflow)
            if other is not workflow:
                raise AgentDefinitionError(
                    f"'{name_of_step(part)}' is a step of workflow '{other.name}' and of workflow"
                    f" '{workflow.name}', and a handoff leads from one to the other. Make a second"
                    " agent or function, so that each has edges of its own."
                )
            parts.append(part)
    limited = [one for one in workflows if getattr(one, "_budget", None) is not None]
    if len(limited) > 1:
        raise AgentDefinitionError(
            f"Workflow '{limited[0].name}' and workflow '{limited[1].name}' have a budget each, and"
            " a handoff leads from one to the other. A run has one budget: remove one of them."
        )
    return parts


def read_steps(
    workflows: Sequence[Workflow],
    parts: list[object],
    numbers: dict[int, tuple[int, ...]],
    inner: Callable[[object], int],
) -> tuple[StepReading, ...]:
    """The steps of the workflows of a chart.

    Args:
        workflows: The workflows.
        parts: Their steps.
        numbers: The numbers of the agents of each step, by ``id`` of the step.
        inner: The number of the chart of an agent or workflow that runs in a branch.
    """
    edges = {id(one.step): one for workflow in workflows for one in workflow._edges}
    functions = {key: one for workflow in workflows for key, one in workflow._functions.items()}
    failures = [one for workflow in workflows for one in workflow._errors]
    return tuple(
        StepReading(
            part=part,
            name="end" if isinstance(part, End) else plain(name_of_step(part)),
            numbers=numbers.get(id(part), ()),
            edges=edges.get(id(part)),
            function=functions.get(id(part)),
            branches=tuple(_branches(part, inner)),
            errors=part.edges
            if isinstance(part, Budget)
            else tuple(one for one in failures if one.step is part),
        )
        for part in parts
    )


def end_beside_agents(steps: tuple[StepReading, ...]) -> bool:
    """Whether a workflow can end with a function or an end."""
    return any(
        not step.numbers and step.edges is None and not isinstance(step.part, Budget)
        for step in steps
    )


def check_is_finite(workflow: Workflow) -> None:
    """Refuse a workflow that is a step of itself, also by way of others.

    Raises:
        AgentDefinitionError: It is.
    """
    seen, waiting = set[int](), [workflow]
    while waiting:
        steps = parts_of_steps(waiting.pop())
        branches = [one.part for part in steps if isinstance(part, Branches) for one in part.parts]
        for part in (*steps, *branches):
            if part is workflow:
                raise AgentDefinitionError(
                    f"Workflow '{workflow.name}' is a step of itself, so each run of it would begin"
                    " another one. Lead back to its first step with an edge that has a limit"
                    " (at_most=...)."
                )
            if is_workflow(part) and id(part) not in seen:
                seen.add(id(part))
                waiting.append(part)


def _branches(part: object, inner: Callable[[object], int]) -> Iterator[BranchReading]:
    if isinstance(part, Branches):
        for one in part.parts:
            number = -1 if one.function is not None else inner(one.part)
            yield BranchReading(plain(one.name), one.part, number, one.function)
    elif is_workflow(part):
        yield BranchReading(plain(part.name), part, inner(part), None)


def step_outline(read: StepReading, places: dict[int, int]) -> Outline:
    """What a machine depends on of a step, as plain data.

    Args:
        read: The step.
        places: The place of each step, by ``id``.
    """
    kind: object = isinstance(read.part, End) and read.part.passes_on
    if isinstance(read.part, QuestionStep):
        kind = "asks"
    if isinstance(read.part, Budget):
        kind = read.part.words
    branches: Outline = tuple((one.name, one.inner) for one in read.branches)
    if isinstance(read.part, Branches):
        branches += (read.part.join.needs, read.part.at_most, read.part.concurrency)
    errors = tuple((*_outline(one.case, places), one.paths) for one in read.errors)
    if read.edges is None:
        return read.name, read.numbers, kind, branches, (), errors
    on = read.edges.on
    cases = tuple(_outline(case, places) for case in read.edges.cases)
    decides = on and (on.path, -1 if on.step is None else places.get(id(on.step), -1))
    return read.name, read.numbers, kind, branches, (decides, *cases), errors


def _outline(case: Case, places: dict[int, int]) -> Outline:
    return (
        plain(case.label),
        places[id(case.target)],
        bool(case.keys),
        case.at_most,
        -1 if case.exhausted is None else places[id(case.exhausted)],
        tuple((places.get(id(step_behind(one)), -1), path_of(one)) for one in case.gives),
        case.carries,
    )
