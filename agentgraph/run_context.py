"""The run's context, as user code receives it.

A `RunContextWrapper` carries the object that the caller passed as `context`, which the model never
sees, and the usage so far. A context that is derived from another one shares its usage and its
approvals: each run has one account and one set of decisions.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Self

from typing_extensions import TypeVar

from agentgraph.approvals import ApprovalLedger, Decision, PendingApproval, tool_identity
from agentgraph.usage import Usage

if TYPE_CHECKING:
    from openai.types.responses import ResponseInputItemParam
else:
    # pydantic reads the annotations of a context that is the field of a model.
    ResponseInputItemParam = Any

__all__ = ["AgentHookContext", "RunContextWrapper", "TContext"]

TContext = TypeVar("TContext", default=Any)
"""The type of the object that the caller passes as `context`."""


@dataclass(eq=False)
class RunContextWrapper(Generic[TContext]):
    """The run's context, as tools, guardrails, hooks and dynamic instructions receive it.

    Attributes:
        context: The object that the caller passed to the runner, or `None`.
        usage: The usage of the run so far; it includes a streamed reply only after the reply's end.
        turn_input: The input of the active agent, including the items of a session. It contains
            nothing that the run generated, unless a handoff filter made that part of the input.
        tool_input: If this run is a call of an agent tool, the validated arguments of the call.
    """

    context: TContext
    usage: Usage = field(default_factory=Usage)
    turn_input: list[ResponseInputItemParam] = field(default_factory=list)
    _approvals: ApprovalLedger = field(default_factory=ApprovalLedger, repr=False)
    tool_input: Any | None = None

    def is_tool_approved(self, tool_name: str, call_id: str) -> bool | None:
        """Return the decision about a tool call.

        Args:
            tool_name: The name of the tool; `namespace.name` if it has a namespace.
            call_id: The id of the call.

        Returns:
            Whether the call may be made, or `None` if there is no decision.
        """
        decision = self._approvals.find(tool_name, call_id)
        return None if decision is None else decision.approved

    def get_approval_status(
        self,
        tool_name: str,
        call_id: str,
        *,
        tool_namespace: str | None = None,
        existing_pending: PendingApproval | None = None,
    ) -> bool | None:
        """Return the decision about a call of a tool that may have a namespace.

        Args:
            tool_name: The tool as the model calls it.
            call_id: The id of the call.
            tool_namespace: The tool's namespace, if any.
            existing_pending: The item that requested the decision; its namespace applies if
                `tool_namespace` is left out.

        Returns:
            Whether the call may be made, or `None` if there is no decision.
        """
        return self.is_tool_approved(
            _identity_of(tool_name, tool_namespace, existing_pending), call_id
        )

    def get_rejection_message(
        self,
        tool_name: str,
        call_id: str,
        *,
        tool_namespace: str | None = None,
        existing_pending: PendingApproval | None = None,
    ) -> str | None:
        """Return the message of a rejection, which the model receives in place of a result.

        Args:
            tool_name: The tool as the model calls it.
            call_id: The id of the call.
            tool_namespace: The tool's namespace, if any.
            existing_pending: The item that requested the decision; its namespace applies if
                `tool_namespace` is left out.

        Returns:
            The message, or `None` if the call is not rejected or was rejected without a message.
        """
        identity = _identity_of(tool_name, tool_namespace, existing_pending)
        decision = self._approvals.find(identity, call_id)
        return None if decision is None or decision.approved else decision.message

    def approve_tool(self, approval_item: PendingApproval, always_approve: bool = False) -> None:
        """Approve a waiting call.

        Args:
            approval_item: An item of `result.interruptions`.
            always_approve: Also approve every later call of the same tool in this run.

        Raises:
            UserError: The item names no tool call.
        """
        self._approvals.decide(approval_item, Decision(approved=True), sticky=always_approve)

    def reject_tool(
        self,
        approval_item: PendingApproval,
        always_reject: bool = False,
        rejection_message: str | None = None,
    ) -> None:
        """Reject a waiting call.

        Args:
            approval_item: An item of `result.interruptions`.
            always_reject: Also reject every later call of the same tool in this run.
            rejection_message: The message that the model receives in place of a result; without
                it, the run's configuration decides.

        Raises:
            UserError: The item names no tool call.
        """
        decision = Decision(approved=False, message=rejection_message)
        self._approvals.decide(approval_item, decision, sticky=always_reject)

    def _for_another_run(self, own: RunContextWrapper[Any]) -> Self:
        """Make the context of a run to which the caller passed this context: of the same class and
        with the same context object.

        Args:
            own: A context with the account, the decisions and the input of that run.
        """
        other = copy(self)
        other.usage, other._approvals = own.usage, own._approvals
        other.turn_input = own.turn_input
        return other


@dataclass(eq=False)
class AgentHookContext(RunContextWrapper[TContext]):
    """The context that agent start and end hooks receive."""


def _identity_of(name: str, namespace: str | None, pending: PendingApproval | None) -> str:
    return tool_identity(name, namespace or getattr(pending, "tool_namespace", None))
