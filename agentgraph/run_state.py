"""A suspended run: what was recorded of it, and the decisions it waits for.

Resuming is replaying. The recorded outcomes go through the machine again, nothing that has one is
performed twice, and the calls that waited are made or answered as was decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic

from agentgraph.drivers.payloads import Waiting
from agentgraph.drivers.run import Compiled
from agentgraph.items import ToolApprovalItem
from agentgraph.memory.session_log import Saved
from agentgraph.program import Program
from agentgraph.run_context import RunContextWrapper, TContext
from agentgraph.runtime.outcomes import Outcome

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem

__all__ = ["RunState"]


@dataclass(frozen=True)
class Recording:
    """What resuming a run needs besides decisions; never changed, so a state can be run more than
    once.

    Args:
        outcomes: Everything recorded, in order, the resumption included.
        switches: Where, by sequence, the run went on in a machine compiled anew.
        waiting: Runs of agent tools that wait, by call id.
        input: The caller's input.
        shown: What the model was shown first: session history and input.
        saved: What the session has of the run already.
        conversation: Ids of the conversation that the server keeps.
    """

    outcomes: tuple[Outcome, ...]
    switches: Mapping[int, Compiled]
    waiting: Mapping[str, Recording]
    input: str | list[TResponseInputItem]
    shown: Sequence[TResponseInputItem]
    saved: Saved
    conversation: tuple[str | None, str | None, bool]

    @cached_property
    def asked(self) -> frozenset[str | None]:
        """Ids of the run's own calls that a person was asked about."""
        found: set[str | None] = set()
        for outcome in self.outcomes:
            # Where a run inside waits, the items are calls of its own.
            if isinstance(outcome.payload, Waiting) and outcome.payload.inner is None:
                found.update(item.call_id for item in outcome.payload.items)
        return frozenset(found)


@dataclass
class RunState(Generic[TContext]):
    """A run that waits for decisions; ``Runner.run(agent, state)`` goes on with it.

    Attributes:
        context: The run's context, with the usage so far and the decisions.
        original_input: The caller's input.
        current_agent: The agent at work.
        max_turns: The most model calls; those made before count.
    """

    context: RunContextWrapper[TContext]
    original_input: str | list[TResponseInputItem]
    current_agent: Any
    max_turns: int | None
    program: Program = field(repr=False)
    recording: Recording = field(repr=False)
    _interruptions: list[ToolApprovalItem] = field(default_factory=list, repr=False)

    def get_interruptions(self) -> list[ToolApprovalItem]:
        """The calls that wait for a decision."""
        return list(self._interruptions)

    def approve(self, approval_item: ToolApprovalItem, always_approve: bool = False) -> None:
        """Let a waiting call be made.

        Args:
            approval_item: One of the interruptions.
            always_approve: Whether every later call of the same tool in this run may be made as
                well.
        """
        self.context.approve_tool(approval_item, always_approve=always_approve)

    def reject(
        self,
        approval_item: ToolApprovalItem,
        always_reject: bool = False,
        *,
        rejection_message: str | None = None,
    ) -> None:
        """Keep a waiting call from being made.

        Args:
            approval_item: One of the interruptions.
            always_reject: Whether every later call of the same tool in this run is rejected as
                well.
            rejection_message: What the model is told instead of a result.
        """
        self.context.reject_tool(
            approval_item, always_reject=always_reject, rejection_message=rejection_message
        )
