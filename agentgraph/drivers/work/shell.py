"""Running commands as a model asks, through the executor of the user's: single commands
(``local_shell_call``) and several with limits (``shell_call``)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from agentgraph.callbacks import resolve
from agentgraph.drivers.work.action import Action
from agentgraph.drivers.work.approval import decision_on
from agentgraph.hosted_tools import LocalShellCommandRequest
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.runtime.outcomes import Outcome
from agentgraph.shell_tools import (
    ShellActionRequest,
    ShellCallData,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellCommandRequest,
    ShellResult,
)
from agentgraph.tool_payload import sendable


async def run_local_shell(action: Action) -> Outcome:
    """Carry out a ``local_shell_call``.

    Raises:
        UserError: The executor raised; this tool has no other way of saying so.
    """
    raw, run = action.raw, action.run
    await action.started()
    request = LocalShellCommandRequest(ctx_wrapper=run.context, data=raw)
    output = await action.unhandled(action.tool.executor, request)
    await action.ended(output)
    payload = {
        "type": "local_shell_call_output",
        # The client's types know the call's id as `id`; the API's guide shows `call_id`.
        "id": raw.call_id,
        "call_id": raw.call_id,
        "output": sendable(output if isinstance(output, str) else str(output)),
    }
    return action.answered(payload, output)


async def run_shell(action: Action) -> Outcome:
    """Carry out a ``shell_call``; of an executor that raises the model is told."""
    raw, run, tool = action.raw, action.run, action.tool
    wanted = ShellActionRequest(
        commands=list(raw.action.commands),
        timeout_ms=raw.action.timeout_ms,
        max_output_length=raw.action.max_output_length,
    )
    needed = partial(action.needs_approval, wanted)
    pending = action.pending(tool.name)
    decision = await decision_on(run, pending, "shell", needed, tool.on_approval)
    if decision is None:
        return action.waits(pending)
    if not decision.approved:
        message = decision.message or ""
        refused = ShellCommandOutput(stderr=message, outcome=ShellCallOutcome("exit", 1))
        return action.answered(_payload(raw, ShellResult([refused]), None), message)
    status = None if raw.status == "incomplete" else raw.status
    data = ShellCallData(call_id=raw.call_id, action=wanted, status=status, raw=raw)
    await action.started()
    try:
        request = ShellCommandRequest(ctx_wrapper=run.context, data=data)
        result = _as_result(await resolve(tool.executor(request)))
    except Exception as error:  # noqa: BLE001 - an executor may raise anything
        log_tool_action_error(logger, f"The executor of tool {tool.name} failed", error)
        failed = ShellCommandOutput(
            stdout=action.failure(error), outcome=ShellCallOutcome("exit", 1)
        )
        result = ShellResult([failed])
    limit = result.max_output_length
    if limit is None:
        limit = wanted.max_output_length
    shown = ShellResult(_within(limit, result.output), limit, result.provider_data)
    text = _text(shown.output)
    await action.ended(text)
    return action.answered(_payload(raw, shown, limit), text)


def _as_result(given: Any) -> ShellResult:
    """What an executor gave; a text stands for what one successful command wrote."""
    if isinstance(given, ShellResult):
        return given
    written = given if isinstance(given, str) else str(given)
    return ShellResult([ShellCommandOutput(stdout=written)])


def _within(limit: int | None, outputs: Sequence[ShellCommandOutput]) -> list[ShellCommandOutput]:
    """The outputs cut to a number of characters that they share."""
    if limit is None:
        return list(outputs)
    cut = []
    left = max(limit, 0)
    for output in outputs:
        stdout = output.stdout[:left]
        left -= len(stdout)
        stderr = output.stderr[:left]
        left -= len(stderr)
        cut.append(
            ShellCommandOutput(stdout, stderr, output.outcome, output.command, output.provider_data)
        )
    return cut


def _payload(raw: Any, result: ShellResult, limit: int | None) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "type": "shell_call_output",
        "call_id": raw.call_id,
        "output": [_entry(output) for output in result.output],
    }
    if limit is not None:
        payload["max_output_length"] = limit
    return {**payload, **(result.provider_data or {})}


def _entry(output: ShellCommandOutput) -> dict[str, Any]:
    outcome: dict[str, Any] = {"type": output.outcome.type}
    if output.outcome.type == "exit":
        outcome["exit_code"] = output.exit_code or 0
    stdout, stderr = sendable(output.stdout), sendable(output.stderr)
    entry = {"stdout": stdout, "stderr": stderr, "outcome": outcome}
    return {**entry, **(output.provider_data or {})}


def _text(outputs: Sequence[ShellCommandOutput]) -> str:
    """What the commands wrote, for people."""
    return "\n".join(
        written for output in outputs for written in (output.stdout, output.stderr) if written
    )
