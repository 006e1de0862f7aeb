"""Carrying out a model's changes of files through the user's editor."""

from __future__ import annotations

from typing import Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.tool_payload import sendable, text_of
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.errors import action_failure
from agentgraph.tools.patch_format import InvalidDiff
from agentgraph.tools.shell import ApplyPatchOperation, ApplyPatchResult
from agentgraph.user_code.callbacks import resolve


def subject(call: LocalCall) -> ApplyPatchOperation:
    """The operation of the call, for the approval rule."""
    operation = call.raw.operation
    return ApplyPatchOperation(
        type=operation.type,
        path=operation.path,
        diff=getattr(operation, "diff", None),
        ctx_wrapper=call.bench.context,
    )


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, and as the caller sees it."""
    return _payload(call, ApplyPatchResult("failed", message))


async def apply_patch(call: LocalCall) -> Outcome:
    """Carry out an ``apply_patch_call``; if the editor raises, the model learns that it did."""
    tool, operation = call.tool, subject(call)
    await call.tell("on_tool_start")
    try:
        # The methods of an editor have the names of the operations.
        edit = getattr(tool.editor, operation.type)
        result = _as_result(await resolve(edit(operation)))
    except Exception as error:  # noqa: BLE001 - an editor may raise anything
        of_the_model = isinstance(error, InvalidDiff)
        text = action_failure(call.bench.context, error, call.name, of_the_model=of_the_model)
        result = ApplyPatchResult("failed", text)
    return call.answer(*_payload(call, result))


def _as_result(edited: object) -> ApplyPatchResult:
    if isinstance(edited, ApplyPatchResult):
        return edited
    return ApplyPatchResult(output=None if edited is None else text_of(edited))


def _payload(call: LocalCall, result: ApplyPatchResult) -> tuple[dict[str, Any], str]:
    payload = {
        "type": "apply_patch_call_output",
        "call_id": call.raw.call_id,
        "status": result.status or "completed",
    }
    if result.output:
        payload["output"] = sendable(result.output)
    return payload, result.output or ""
