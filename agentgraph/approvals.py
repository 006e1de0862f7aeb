"""The decisions of a person about tool calls that wait for approval.

A decision belongs to a tool and a call of it; a sticky one belongs to the tool alone and answers
for every later call. An exact decision always beats a sticky one, whichever came first.

Rule: a decision holds for the run that asked for it. A run inside an agent tool asks for itself:
what it calls may have the ids of other runs' calls, and what is approved of one agent is not
approved of another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from agentgraph.exceptions import UserError

__all__ = ["ApprovalLedger", "Decision", "PendingApproval", "tool_identity"]


class PendingApproval(Protocol):
    """A call that waits for a decision, as far as the decision needs to know it."""

    @property
    def name(self) -> str | None: ...

    @property
    def call_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about a call.

    Attributes:
        approved: Whether the call may be made.
        message: What the model is told instead of a result when it may not; `None` leaves the words
            to the run's configuration.
    """

    approved: bool
    message: str | None = None


@dataclass(slots=True)
class _ToolDecisions:
    sticky: Decision | None = None
    by_call: dict[str, Decision] = field(default_factory=dict)


def tool_identity(name: str, namespace: str | None = None) -> str:
    """Name a tool so that tools of the same name in different namespaces stay apart.

    Args:
        name: The tool as the model calls it.
        namespace: The group or server that the tool belongs to, if any.

    Returns:
        The key under which decisions about the tool are kept.
    """
    return f"{namespace}.{name}" if namespace and namespace != name else name


@dataclass(slots=True)
class ApprovalLedger:
    """Every decision of one run, shared by the contexts that the run hands out.

    Attributes:
        scope: Which run inside it is about; empty for the outermost.
    """

    _tools: dict[str, _ToolDecisions] = field(default_factory=dict)
    scope: str = ""

    def within(self, call_id: str) -> ApprovalLedger:
        """The decisions of the run inside an agent tool, kept in the same place.

        Args:
            call_id: The call that started it.
        """
        return ApprovalLedger(self._tools, f"{self.scope}{call_id}\n")

    def decide(self, pending: PendingApproval, decision: Decision, *, sticky: bool) -> None:
        """Record a decision about a waiting call.

        Args:
            pending: The call.
            decision: What was decided.
            sticky: Whether it also answers for every later call of the tool.

        Raises:
            UserError: `pending` names no tool or no call, so it is no approval that a run asked
            for.
        """
        name, call_id = getattr(pending, "name", None), getattr(pending, "call_id", None)
        if not name or not call_id:
            raise UserError(
                f"Cannot decide on {type(pending).__name__!r}: it names no tool call. "
                "Pass an item of result.interruptions."
            )
        asked_in = getattr(pending, "_scope", None)
        identity = tool_identity(name, getattr(pending, "tool_namespace", None))
        tool = self._tools.setdefault(
            (self.scope if asked_in is None else asked_in) + identity, _ToolDecisions()
        )
        tool.by_call[call_id] = decision
        if sticky:
            tool.sticky = decision

    def find(self, identity: str, call_id: str) -> Decision | None:
        """Look up what was decided about a call.

        Args:
            identity: The tool, as `tool_identity` names it.
            call_id: The call.

        Returns:
            The exact decision, else the sticky one, else `None`.
        """
        tool = self._tools.get(self.scope + identity)
        if tool is None:
            return None
        return tool.by_call.get(call_id, tool.sticky)

    def copy(self) -> ApprovalLedger:
        """Copy the ledger, so that later decisions in either leave the other alone."""
        return ApprovalLedger(
            {key: _ToolDecisions(t.sticky, dict(t.by_call)) for key, t in self._tools.items()},
            self.scope,
        )

    def to_json_dict(self) -> dict[str, Any]:
        """Turn the ledger into plain JSON values that `from_json_dict` reads back."""
        return {
            key: {
                "sticky": _write(tool.sticky) if tool.sticky else None,
                "calls": {call_id: _write(d) for call_id, d in tool.by_call.items()},
            }
            for key, tool in self._tools.items()
        }

    @classmethod
    def from_json_dict(cls, stored: Mapping[str, Any]) -> ApprovalLedger:
        """Read back what `to_json_dict` wrote.

        Args:
            stored: Tool identities with their decisions.

        Returns:
            A new ledger.
        """
        return cls(
            {
                key: _ToolDecisions(
                    sticky=_read(tool["sticky"]) if tool.get("sticky") else None,
                    by_call={call_id: _read(d) for call_id, d in tool.get("calls", {}).items()},
                )
                for key, tool in stored.items()
            }
        )


def _write(decision: Decision) -> dict[str, Any]:
    return {"approved": decision.approved, "message": decision.message}


def _read(stored: Mapping[str, Any]) -> Decision:
    return Decision(approved=bool(stored["approved"]), message=stored.get("message"))
