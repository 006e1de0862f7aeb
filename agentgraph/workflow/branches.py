"""Steps whose branches work side by side: what `parallel` and `each` make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

from agentgraph.authoring.origin import SourceLine
from agentgraph.exceptions import AgentDefinitionError
from agentgraph.workflow.steps import FunctionStep

__all__ = ["Branches", "Join", "all_of", "first_of", "quorum"]

JoinKind: TypeAlias = Literal["all_of", "first_of", "quorum"]


@dataclass(frozen=True, slots=True)
class Join:
    """Which branches of a step its output waits for; see `all_of`, `first_of` and `quorum`.

    Attributes:
        kind: Which of the three.
        needs: How many branches it waits for; 0 for all of them.
        type: The type of the output of one branch; `None` leaves it open.
    """

    kind: JoinKind
    needs: int = 0
    type: object = None


ALL: Final = Join("all_of")


def all_of(type: object = None) -> Join:
    """Wait for all branches. The output of the step is a list of theirs, in their order.

    Args:
        type: The type of the output of one branch, which the compiler compares with what the
            branches give.
    """
    return Join("all_of", type=type)


def first_of(type: object = None) -> Join:
    """Wait for the first branch that is over; the others are cancelled. Its output is that of the
    step.

    Args:
        type: The type of the output of one branch.
    """
    return Join("first_of", 1, type)


def quorum(count: int, type: object = None) -> Join:
    """Wait until some branches are over; the others are cancelled. The output of the step is a list
    of their outputs, in the order of the branches.

    Args:
        count: How many.
        type: The type of the output of one branch.

    Raises:
        AgentDefinitionError: The count is no whole number from 1 on.
    """
    count_: object = count
    if not isinstance(count_, int) or isinstance(count_, bool) or count_ < 1:
        raise AgentDefinitionError(f"quorum takes a whole number from 1 on, not {count!r}.")
    return Join("quorum", count, type)


class BranchPart(NamedTuple):
    """What works in a branch.

    Args:
        name: The name of the branch: that of the agent, function or workflow.
        part: The agent, function or workflow.
        function: What is known of a function.
    """

    name: str
    part: object
    function: FunctionStep | None


@dataclass(eq=False, repr=False)
class Branches:
    """A step whose branches work side by side; `Workflow.parallel` and `Workflow.each` make it.

    Attributes:
        name: The name of the step.
        parts: What works in the branches.
        join: Which of them the step waits for.
        path: For `each`, the fields from the output before it to the list.
        at_most: For `each`, the most items of the list; 0 for `parallel`.
        concurrency: How many branches work at the same time; 0 for no limit.
        interleaved: Whether events of the branches come as they happen, not one branch at a time.
    """

    name: str
    parts: tuple[BranchPart, ...]
    join: Join
    origin: SourceLine
    path: tuple[str, ...] = ()
    at_most: int = 0
    concurrency: int = 0
    interleaved: bool = False

    @property
    def each(self) -> bool:
        """Whether it works on each item of a list."""
        return self.at_most > 0

    def __repr__(self) -> str:
        return f"<step {self.name!r}: {', '.join(part.name for part in self.parts)}>"
