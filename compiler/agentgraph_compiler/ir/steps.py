"""The steps of a workflow with edges, as declarations: what the checks of edges read.

The states say what can happen; a step says which values take which case, so that a check can tell
what no case takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agentgraph_compiler.diagnostics import UNKNOWN, Origin, Rule
from agentgraph_compiler.types import ANY, Type


class StepKind(StrEnum):
    """What works in a step: an agent and what it hands over to, a function, a person who answers a
    question, branches side by side (of one value, or one for each item of a list), another
    workflow, nothing (an end), or a budget that may end the work of any of them."""

    AGENT = "agent"
    FUNCTION = "function"
    QUESTION = "question"
    PARALLEL = "parallel"
    EACH = "each"
    WORKFLOW = "workflow"
    END = "end"
    BUDGET = "budget"


_CASE, _ERROR = "/case/", "/error/"


def case_of(symbol: str) -> str:
    """The label of the case with a name in the machine."""
    return symbol.partition(_CASE)[2] or symbol.partition(_ERROR)[2]


@dataclass(frozen=True, slots=True)
class Values:
    """A set of values: single ones, and an interval of whole numbers.

    Args:
        single: JSON texts of values, or names of classes.
        ranged: Whether it holds an interval.
        least: The smallest number of the interval; ``None`` if there is none.
        most: The largest; ``None`` if there is none.
        open: Whether it holds values beside these, which the compiler cannot list.
    """

    single: tuple[str, ...] = ()
    ranged: bool = False
    least: int | None = None
    most: int | None = None
    open: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A way out of a step.

    Args:
        label: Its name among the cases of the step.
        target: Id of the step that it leads to.
        takes: The values that take it; ``None`` if every other value does.
        at_most: How often a run takes it; 0 for no limit.
        exhausted: Id of the step that comes after that.
        gives: Ids of the steps whose outputs it hands over; none for that of the step before.
        carries: Whether the conversation goes on.
        unread: The fields, each after the id of its step, that the output of a step of ``gives``
            does not have.
        fields: Whether it gives fields of outputs rather than whole outputs.
        catches: The exceptions that take it, as paths of classes; none if values do.
    """

    label: str
    target: str
    takes: Values | None = None
    at_most: int = 0
    exhausted: str = ""
    gives: tuple[str, ...] = ()
    carries: bool = False
    unread: tuple[str, ...] = ()
    fields: bool = False
    catches: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The steps to which it leads."""
        return (self.target, self.exhausted) if self.exhausted else (self.target,)


class JoinKind(StrEnum):
    """Which branches a step waits for: all of them, the first one, or as many as it says."""

    ALL = "all_of"
    FIRST = "first_of"
    QUORUM = "quorum"


@dataclass(frozen=True, slots=True)
class Branch:
    """What works in one branch of a step.

    Args:
        name: The name of the agent, function or workflow.
        machine: Name of the sub-chart that it runs; empty for a function.
        output: The type of its output.
        takes: The types of the values that a function takes; none if they are not read.
        acts: The names of tools that it may call and that may change something.
        writes: The attributes of the context that it assigns, as far as its code shows.
        sessions: The numbers of the sessions that its tools write; one that several branches of a
            step write has the same number in each.
    """

    name: str
    machine: str = ""
    output: Type = ANY
    takes: tuple[Type, ...] = ()
    acts: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches of a step.

    Args:
        branches: One for each lane; a step that works on each item of a list has one.
        join: Which of them it waits for.
        needs: How many of them that is; 0 for all.
        of: The type of the output of a branch that the user names.
        most: The most items of the list; 0 without a list.
        places: How many branches work at the same time; 0 for no limit.
        fault: Why there is no list where the step reads one; empty if there may be one.
    """

    branches: tuple[Branch, ...]
    join: JoinKind = JoinKind.ALL
    needs: int = 0
    of: Type = ANY
    most: int = 0
    places: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step.

    Args:
        id: Unique among the steps; for an agent, its id in the chart.
        name: The name of the agent, function or question.
        kind: What works in it.
        agents: Ids of the agents that can be at work in it, its own first.
        output: The type of its output.
        on: What its route decides on, in words; empty if there is one way or none.
        reads: Id of the step whose output the route reads, if that is another one.
        domain: The values that the route may see; ``None`` if there is no route.
        fault: Why the route cannot decide on that value; empty if it can.
        cases: The ways out, in the user's order; none if the workflow ends with it.
        origin: Where the user declared the ways out, or else the step.
        ends: Whether the output of the step before it is the final output.
        digest: Digest of what else the user declared.
        takes: The types of the values that a function takes; none if they are not read.
        allowed: Rules that the user suppressed on the agent or function.
        branches: What works side by side; ``None`` if one agent or function does.
        asks: The text that a person reads; empty if the step asks none.
        errors: The ways out after an exception, in the user's order.
        limits: What a run may spend; empty if it is no budget.
    """

    id: str
    name: str
    kind: StepKind
    agents: tuple[str, ...] = ()
    output: Type = ANY
    on: str = ""
    reads: str = ""
    domain: Values | None = None
    fault: str = ""
    cases: tuple[Case, ...] = ()
    origin: Origin = UNKNOWN
    ends: bool = False
    digest: str = ""
    takes: tuple[Type, ...] = ()
    allowed: tuple[str, ...] = ()
    branches: Branches | None = None
    asks: str = ""
    errors: tuple[Case, ...] = ()
    limits: str = ""

    @property
    def ways(self) -> tuple[Case, ...]:
        """All ways out of it."""
        return (*self.cases, *self.errors) if self.errors else self.cases

    @property
    def spent(self) -> dict[str, float]:
        """The limits of a budget by name."""
        parts = (part.partition("=") for part in self.limits.split(", ") if part)
        return {name: float(limit) for name, _, limit in parts}

    def allows(self, rule: Rule) -> bool:
        """Whether the user suppressed a rule on it, by name or by code."""
        return rule.name in self.allowed or rule.code in self.allowed

    def case_symbol(self, case: Case) -> str:
        """The name of a case in the machine."""
        return f"{self.id}{_ERROR if case.catches else _CASE}{case.label}"
