"""What the branches of a step give, and their lowering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import or_
from typing import Any

from agentgraph.agent_output import AgentOutputSchema, AgentOutputSchemaBase
from agentgraph.frontend.lower_types import nominal
from agentgraph.frontend.step_reading import BranchReading, StepReading
from agentgraph.workflow.branches import Branches
from agentgraph_compiler.ir import steps as ir
from agentgraph_compiler.ir.steps import JoinKind
from agentgraph_compiler.types import ANY, TEXT, Type

__all__ = ["lower_branches", "type_of_branches"]


def lower_branches(
    read: StepReading, subcharts: Mapping[int, str], *, bare: bool
) -> ir.Branches | None:
    """Lower the branches of a step; ``None`` if it has none.

    Args:
        read: The step.
        subcharts: The names of the charts that branches run, by number.
        bare: Whether to leave out types.
    """
    if not read.branches:
        return None
    branches = tuple(
        ir.Branch(
            one.name,
            machine="" if one.inner < 0 else subcharts[one.inner],
            output=ANY if bare else _term(_given_by(one)),
            takes=() if bare else tuple(_takes(one)),
        )
        for one in read.branches
    )
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
    )


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
    agent = hasattr(branch.part, "handoffs") and not branch.part.handoffs
    if isinstance(declared, AgentOutputSchemaBase) or not agent:
        return None  # an agent that it hands over to may give another one
    return str if declared is None else declared


def _takes(branch: BranchReading) -> Iterator[Type]:
    if branch.function is not None:
        yield from map(_term, branch.function.takes)


def _term(declared: object) -> Type:
    return TEXT if declared is str else nominal(declared)
