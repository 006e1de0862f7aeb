"""The run's context carries the user's object, one account of usage and one set of decisions."""

from __future__ import annotations

from typing import Any

import pytest

from agentgraph import AgentHookContext, RunContextWrapper, ToolApprovalItem, UserError
from agentgraph.approvals import ApprovalLedger, Decision


def pending(tool: str, call_id: str, namespace: str | None = None) -> ToolApprovalItem:
    raw = {"type": "function_call", "name": tool, "call_id": call_id, "arguments": "{}"}
    return ToolApprovalItem(agent=None, raw_item=raw, tool_namespace=namespace)


def context() -> RunContextWrapper[Any]:
    return RunContextWrapper(None)


def test_an_undecided_call_is_neither_approved_nor_rejected() -> None:
    assert context().is_tool_approved("f", "1") is None
    assert context().get_rejection_message("f", "1") is None


def test_a_decision_holds_for_its_call_only() -> None:
    run = context()
    run.approve_tool(pending("f", "1"))
    run.reject_tool(pending("f", "2"), rejection_message="too late")
    assert [run.is_tool_approved("f", call) for call in "123"] == [True, False, None]
    assert run.get_rejection_message("f", "2") == "too late"
    assert run.get_rejection_message("f", "1") is None


def test_a_decision_can_be_changed() -> None:
    run = context()
    run.reject_tool(pending("f", "1"), rejection_message="no")
    run.approve_tool(pending("f", "1"))
    assert run.is_tool_approved("f", "1") is True
    assert run.get_rejection_message("f", "1") is None


@pytest.mark.parametrize("sticky_first", [True, False])
def test_an_exact_decision_beats_a_sticky_one_in_either_order(sticky_first: bool) -> None:
    run = context()
    if not sticky_first:
        run.approve_tool(pending("f", "2"))
    run.reject_tool(pending("f", "1"), always_reject=True, rejection_message="never")
    if sticky_first:
        run.approve_tool(pending("f", "2"))
    assert [run.is_tool_approved("f", call) for call in "123"] == [False, True, False]
    assert run.get_rejection_message("f", "3") == "never"


def test_a_sticky_decision_is_about_one_tool() -> None:
    run = context()
    run.approve_tool(pending("f", "1"), always_approve=True)
    assert run.is_tool_approved("g", "1") is None


def test_tools_of_one_name_in_two_namespaces_are_decided_apart() -> None:
    run = context()
    item = pending("read", "1", namespace="files")
    run.approve_tool(item)
    assert run.is_tool_approved("files.read", "1") is True
    assert run.is_tool_approved("read", "1") is None
    assert run.get_approval_status("read", "1", tool_namespace="files") is True
    assert run.get_approval_status("read", "1", existing_pending=item) is True
    assert run.get_approval_status("read", "1", tool_namespace="web") is None


def test_what_names_no_call_cannot_be_decided() -> None:
    with pytest.raises(UserError, match=r"'str'.*result.interruptions"):
        context().approve_tool("f")  # type: ignore[arg-type]


def test_decisions_survive_being_stored() -> None:
    run = context()
    run.approve_tool(pending("f", "1"))
    run.reject_tool(pending("g", "1"), always_reject=True, rejection_message="no")
    stored = run._approvals.to_json_dict()
    read = ApprovalLedger.from_json_dict(stored)
    assert read.unrecorded() == run._approvals.unrecorded()
    for name, call_id in (("f", "1"), ("f", "2"), ("g", "1"), ("g", "2")):
        assert read.find(name, call_id) == run._approvals.find(name, call_id)
    assert read.find("g", "2") == Decision(False, "no")


def test_a_copied_ledger_does_not_follow_the_original() -> None:
    run = context()
    run.approve_tool(pending("f", "1"))
    before = run._approvals.copy()
    run.reject_tool(pending("f", "1"), always_reject=True)
    decision = before.find("f", "1")
    assert decision is not None
    assert decision.approved


def test_contexts_are_compared_by_identity_and_start_empty() -> None:
    first, second = RunContextWrapper("same"), RunContextWrapper("same")
    assert first != second
    assert (first.turn_input, first.tool_input, first.usage.requests) == ([], None, 0)
    assert first.turn_input is not second.turn_input


def test_a_hook_context_is_a_context_with_the_agents_input() -> None:
    hook: AgentHookContext[str] = AgentHookContext(
        context="ctx", turn_input=[{"role": "user", "content": "hi"}]
    )
    assert isinstance(hook, RunContextWrapper)
    assert hook.turn_input[0] == {"role": "user", "content": "hi"}
