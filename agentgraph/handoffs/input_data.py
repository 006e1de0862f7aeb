"""The input of the next agent at a handoff, and the callables that choose it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from agentgraph.authoring.pydantic_fields import names_types
from agentgraph.run_context import RunContextWrapper

if TYPE_CHECKING:
    from agentgraph.items.responses import TResponseInputItem
    from agentgraph.items.run_items import RunItem

__all__ = ["HandoffHistoryMapper", "HandoffInputData", "HandoffInputFilter"]


@names_types(
    RunItem="agentgraph.items.run_items:RunItem",
    TResponseInputItem="openai.types.responses:ResponseInputItemParam",
)
@dataclass(frozen=True)
class HandoffInputData:
    """The conversation at a handoff, divided into the parts that a filter can change.

    Attributes:
        input_history: The run's input, as text or as input items.
        pre_handoff_items: The run items of the earlier turns.
        new_items: The run items of this turn, the handoff's own output included.
        run_context: The run's context.
        input_items: The items that the next agent sees in place of `new_items`; the session and
            the results still receive `new_items`. `None` if the next agent sees `new_items`.
    """

    input_history: str | tuple[TResponseInputItem, ...]
    pre_handoff_items: tuple[RunItem, ...]
    new_items: tuple[RunItem, ...]
    run_context: RunContextWrapper[Any] | None = None
    input_items: tuple[RunItem, ...] | None = None

    def clone(self, **kwargs: Any) -> HandoffInputData:
        """Return a copy in which the named fields are replaced."""
        return replace(self, **kwargs)


HandoffInputFilter: TypeAlias = Callable[
    [HandoffInputData], HandoffInputData | Awaitable[HandoffInputData]
]
"""Chooses the input of the next agent."""

HandoffHistoryMapper: TypeAlias = "Callable[[list[TResponseInputItem]], list[TResponseInputItem]]"
"""Makes the items that replace the conversation so far."""
