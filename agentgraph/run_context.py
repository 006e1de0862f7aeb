"""What user code sees of the run that it takes part in.

A `RunContextWrapper` carries the object that the caller passed as `context`, which the model never
sees, and the usage so far. Contexts derived from another one share its usage and its approvals:
there is one account and one set of decisions a run.
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
        usage: What the run has spent so far. While a reply streams it lags behind by that reply.
        turn_input: The items that the agent at work was given, those of a session among them;
            nothing that the run has generated, unless a handoff filter made it input.
        tool_input: The validated arguments of the agent tool that this run is a call of, if any.
    """

    context: TContext
    usage: Usage = field(default_factory=Usage)
    turn_input: list[ResponseInputItemParam] = field(default_factory=list)
    _approvals: ApprovalLedger = field(default_factory=ApprovalLedger, repr=False)
    tool_input: Any | None = None

    def is_tool_approved(self, tool_name: str, call_id: str) -> bool | None:
        """Tell what was decided about a tool call.

        Args:
            tool_name: The tool, with its namespace and a dot in front if it has one.
            call_id: The call.

        Returns:
            Whether the call may be made, or `None` when nothing was decided.
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
        """Tell what was decided about a call of a tool that may have a namespace.

        Args:
            tool_name: The tool as the model calls it.
            call_id: The call.
            tool_namespace: The tool's namespace, if any.
            existing_pending: The item that asked for the decision; it settles the namespace when
                `tool_namespace` is not given.

        Returns:
            Whether the call may be made, or `None` when nothing was decided.
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
        """Tell what the model shall be told about a rejected call.

        Args:
            tool_name: The tool as the model calls it.
            call_id: The call.
            tool_namespace: The tool's namespace, if any.
            existing_pending: The item that asked for the decision; it settles the namespace when
                `tool_namespace` is not given.

        Returns:
            The message given with the rejection, or `None` when the call is not rejected or was
            rejected without one.
        """
        identity = _identity_of(tool_name, tool_namespace, existing_pending)
        decision = self._approvals.find(identity, call_id)
        return None if decision is None or decision.approved else decision.message

    def approve_tool(self, approval_item: PendingApproval, always_approve: bool = False) -> None:
        """Let a waiting call be made.

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
        """Keep a waiting call from being made.

        Args:
            approval_item: An item of `result.interruptions`.
            always_reject: Also reject every later call of the same tool in this run.
            rejection_message: What the model is told in place of a result; without it, the run's
                configuration decides.

        Raises:
            UserError: The item names no tool call.
        """
        decision = Decision(approved=False, message=rejection_message)
        self._approvals.decide(approval_item, decision, sticky=always_reject)

    def _for_another_run(self, own: RunContextWrapper[Any]) -> Self:
        """The context of a run that the caller passed this one to: of the same class and with the
        same context object.

        Args:
            own: Has the account, the decisions and the input of that run.
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
