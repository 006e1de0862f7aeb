"""What the branches of a step give, and their lowering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.frontend.branch_effects import effects_of
from agentgraph.frontend.domains import no_list
from agentgraph.frontend.lower_types import nominal
from agentgraph.frontend.readings import ChartReading
from agentgraph.frontend.step_reading import BranchReading, StepReading
from agentgraph.workflow.branches import Branches
from agentgraph_compiler.ir import steps as ir
from agentgraph_compiler.ir.steps import JoinKind
from agentgraph_compiler.types import ANY, TEXT, Type

__all__ = ["lower_branches", "type_of_branches"]


def lower_branches(
    read: StepReading,
    subcharts: Mapping[int, str],
    charts: Sequence[ChartReading],
    before: Sequence[object],
    *,
    bare: bool,
) -> ir.Branches | None:
    """Lower the branches of a step; ``None`` if it has none.

    Args:
        read: The step.
        subcharts: The names of the charts that branches run, by number.
        charts: The charts of the workflow, by number.
        before: The types of the outputs that lead to the step.
        bare: Whether to leave out types.
    """
    if not read.branches:
        return None
    numbers: dict[int, str] = {}
    branches = tuple(_branch(one, subcharts, charts, numbers, bare=bare) for one in read.branches)
    part = read.part
    if not isinstance(part, Branches):
        return ir.Branches(branches)
    return ir.Branches(
        branches,
        join=JoinKind(part.join.kind),
        needs=part.join.needs,
        of=ANY if bare or part.join.type is None else _term(part.join.type),
        most=part.at_most,
        places=part.concurrency,
        fault="" if bare or not part.each else _list_fault(part.path, before),
    )


def _branch(
    one: BranchReading,
    subcharts: Mapping[int, str],
    charts: Sequence[ChartReading],
    numbers: dict[int, str],
    *,
    bare: bool,
) -> ir.Branch:
    machine = "" if one.inner < 0 else subcharts[one.inner]
    if bare:
        return ir.Branch(one.name, machine)
    acts, writes, sessions = effects_of(one, charts)
    return ir.Branch(
        one.name,
        machine,
        output=_term(_given_by(one)),
        takes=tuple(_takes(one)),
        acts=acts,
        writes=writes,
        sessions=tuple(numbers.setdefault(id, str(len(numbers) + 1)) for id in sessions),
    )


def _list_fault(path: tuple[str, ...], before: Sequence[object]) -> str:
    """Why there is no list where `each` reads one; empty if there may be."""
    for declared in before:
        fault = no_list(declared, path)
        if fault:
            return fault
    return ""


def type_of_branches(read: StepReading) -> Any:
    """The type of the output of a step with branches; ``None`` if it is not known."""
    types = [_given_by(one) for one in read.branches]
    if any(one is None for one in types):
        return None
    try:
        together = reduce(or_, dict.fromkeys(types))
    except TypeError:
        return None  # what a user declares need not be a type
    part = read.part
    if not isinstance(part, Branches) or part.join.kind == "first_of":
        return together
    return list[together]  # type: ignore[valid-type]


def _given_by(branch: BranchReading) -> Any:
    """The type of the output of a branch; ``None`` if it is not declared."""
    if branch.function is not None:
        return branch.function.returns
    declared = getattr(branch.part, "output_type", None)
    if isinstance(declared, AgentOutputSchema):
        declared = declared.output_type
    agent = not getattr(branch.part, "handoffs", True)
    if isinstance(declared, AgentOutputSchemaBase) or not agent:
        return None  # an agent that it hands over to may give another one
    return str if declared is None else declared


def _takes(branch: BranchReading) -> Iterator[Type]:
    if branch.function is not None:
        yield from map(_term, branch.function.takes)


def _term(declared: object) -> Type:
    return TEXT if declared is str else nominal(declared)
