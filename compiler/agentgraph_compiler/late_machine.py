"""A machine with the table of an outline, whose types and digests are computed on first use.

A run needs the states alone; workflows of one outline share them. What only ``check``, ``compile``
and a drawing need is computed when it is asked for (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from agentgraph_compiler.emit import emit
from agentgraph_compiler.ir.chart import Chart
from agentgraph_compiler.machine import AgentEntry, Machine, State

__all__ = ["LateMachine", "late"]


class LateMachine(Machine):
    """A machine that is computed on first use, except for its table.

    Attributes:
        lower: Lowers the whole workflow as it was when the machine was made.
        outer: The machine that this is a sub-machine of; ``None`` for that of the workflow.
    """

    lower: Callable[[], Chart]
    outer: LateMachine | None

    @cached_property
    def chart(self) -> Chart:
        """The IR of the whole workflow."""
        return self.lower()

    @cached_property
    def whole(self) -> Machine:
        """This machine with types and digests, as plain data."""
        if self.outer is not None:
            return self.outer.whole.submachine[self.name]
        return emit(self.chart)

    @property
    def agents(self) -> tuple[AgentEntry, ...]:
        return self.whole.agents

    @property
    def states(self) -> tuple[State, ...]:
        return self.whole.states

    @cached_property
    def fingerprint(self) -> str:
        return self.whole.fingerprint

    def to_json(self, *, indent: int | None = None) -> str:
        return self.whole.to_json(indent=indent)

    def __eq__(self, other: object) -> bool:
        return self.whole == (other.whole if isinstance(other, LateMachine) else other)

    def __hash__(self) -> int:
        return hash(self.whole)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return self.whole.__reduce__()


def late(
    table: Machine, lower: Callable[[], Chart], outer: LateMachine | None = None
) -> LateMachine:
    """A machine with the table of another one.

    Args:
        table: The states and rows.
        lower: Lowers the whole workflow, when the rest is asked for.
        outer: The machine that it is a sub-machine of.
    """
    made = object.__new__(LateMachine)
    attributes = made.__dict__
    attributes.update(
        name=table.name,
        initial=table.initial,
        rows=table.rows,
        machines=(),
        submachine={},
        state=table.state,
        by_event=table.by_event,
        lower=lower,
        outer=outer,
    )
    if table.machines:
        parts = tuple(late(part, lower, made) for part in table.machines)
        attributes.update(machines=parts, submachine={part.name: part for part in parts})
    return made
