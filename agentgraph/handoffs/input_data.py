"""What the next agent is given when the conversation goes over to it."""

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
    """The conversation at the moment of a handoff, in the parts that a filter can change.

    Attributes:
        input_history: The run's input, as text or as input items.
        pre_handoff_items: The run items of the earlier turns.
        new_items: The run items of this turn, the handoff's own output included.
        run_context: The run's context.
        input_items: What the next agent sees in place of `new_items`, which then still go to the
            session and the results; `None` when the two are the same.
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
"""Decides what the next agent is given."""

HandoffHistoryMapper: TypeAlias = "Callable[[list[TResponseInputItem]], list[TResponseInputItem]]"
"""Decides what stands in place of the conversation so far."""
