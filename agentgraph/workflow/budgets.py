"""The budget of a workflow: what a run of it may spend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agentgraph.authoring.origin import SourceLine
from agentgraph.exceptions import BudgetExceeded
from agentgraph.workflow.declared import Case, ErrorEdge

__all__ = ["Budget"]


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """What a run may spend, nested runs included.

    Args:
        workflow: The name of the workflow.
        model_calls: The most model calls; `None` for no limit.
        tokens: The most tokens, those that are read and those that are written.
        seconds: The longest time at work.
        exhausted: The step that comes then; `None` to end the run.
        origin: Where the user declared it.
    """

    workflow: str
    model_calls: int | None
    tokens: int | None
    seconds: float | None
    exhausted: object
    origin: SourceLine
    name: str = "budget"

    @property
    def limits(self) -> tuple[tuple[str, float], ...]:
        """The limits by name."""
        return tuple(self._limits())

    def _limits(self) -> Iterator[tuple[str, float]]:
        for name in ("model_calls", "tokens", "seconds"):
            limit = getattr(self, name)
            if limit is not None:
                yield name, limit

    @property
    def words(self) -> str:
        """The limits in words."""
        return ", ".join(f"{name}={limit:g}" for name, limit in self.limits)

    @property
    def edges(self) -> tuple[ErrorEdge, ...]:
        """The way to the step that comes then."""
        if self.exhausted is None:
            return ()
        case = Case("budget", self.exhausted, keys=(BudgetExceeded,))
        return (ErrorEdge(self, case, self.origin),)

    def exceeded(self, limit: str) -> BudgetExceeded:
        """The exception of a run that has reached a limit."""
        file, line = self.origin
        return BudgetExceeded(self.workflow, limit, dict(self.limits)[limit], f"{file}:{line}")
