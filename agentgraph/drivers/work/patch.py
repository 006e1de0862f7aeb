"""Changing files as a model asks, through the editor of the user's."""

from __future__ import annotations

from functools import partial
from typing import Any

from agentgraph.callbacks import resolve
from agentgraph.drivers.work.action import Action
from agentgraph.drivers.work.approval import decision_on
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.runtime.outcomes import Outcome
from agentgraph.shell_tools import ApplyPatchOperation, ApplyPatchResult
from agentgraph.tool_payload import sendable


async def apply_patch(action: Action) -> Outcome:
    """Carry out an ``apply_patch_call``; of an editor that raises the model is told."""
    raw, run, tool = action.raw, action.run, action.tool
    operation = ApplyPatchOperation(
        type=raw.operation.type,
        path=raw.operation.path,
        diff=getattr(raw.operation, "diff", None),
        ctx_wrapper=run.context,
    )
    needed = partial(action.needs_approval, operation)
    pending = action.pending(tool.name)
    decision = await decision_on(run, pending, "apply_patch", needed, tool.on_approval)
    if decision is None:
        return action.waits(pending)
    if not decision.approved:
        return _answered(action, ApplyPatchResult("failed", decision.message))
    await action.started()
    try:
        # The methods of an editor have the names of the operations.
        edit = getattr(tool.editor, operation.type)
        result = _as_result(await resolve(edit(operation)))
    except Exception as error:  # noqa: BLE001 - an editor may raise anything
        log_tool_action_error(logger, f"The editor of tool {tool.name} failed", error)
        result = ApplyPatchResult("failed", action.failure(error))
    await action.ended(result.output or "")
    return _answered(action, result)


def _as_result(given: Any) -> ApplyPatchResult:
    if isinstance(given, ApplyPatchResult):
        return given
    return ApplyPatchResult(output=None if given is None else str(given))


def _answered(action: Action, result: ApplyPatchResult) -> Outcome:
    payload = {
        "type": "apply_patch_call_output",
        "call_id": action.raw.call_id,
        "status": result.status or "completed",
    }
    if result.output:
        payload["output"] = sendable(result.output)
    return action.answered(payload, result.output or "")
