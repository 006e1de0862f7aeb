"""Running commands as a model asks, through the executor of the user's: single commands
(``local_shell_call``) and several with limits (``shell_call``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.tool_payload import sendable, text_of
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.hosted import LocalShellCommandRequest
from agentgraph.tools.shell import (
    ShellActionRequest,
    ShellCallData,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellCommandRequest,
    ShellResult,
)
from agentgraph.user_code.callbacks import resolve


async def run_local_shell(call: LocalCall) -> Outcome:
    """Carry out a ``local_shell_call``.

    Raises:
        UserError: The executor raised; this tool has no other way of saying so.
    """
    raw = call.raw
    await call.tell("on_tool_start")
    request = LocalShellCommandRequest(ctx_wrapper=call.bench.context, data=raw)
    output = await call.unhandled(call.tool.executor, request)
    payload = {
        "type": "local_shell_call_output",
        # The client's types know the call's id as `id`; the API's guide shows `call_id`.
        "id": raw.call_id,
        "call_id": raw.call_id,
        "output": sendable(output if isinstance(output, str) else text_of(output)),
    }
    return call.answered(payload, output)


def asked(call: LocalCall) -> ShellActionRequest:
    """The commands that a rule of approval is asked about."""
    action = call.raw.action
    return ShellActionRequest(
        commands=list(action.commands),
        timeout_ms=action.timeout_ms,
        max_output_length=action.max_output_length,
    )


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal as the provider is sent it, and as the caller sees it."""
    refused = ShellCommandOutput(stderr=message, outcome=ShellCallOutcome("exit", 1))
    return _payload(call.raw, ShellResult([refused]), None), message


async def run_shell(call: LocalCall) -> Outcome:
    """Carry out a ``shell_call``; of an executor that raises the model is told."""
    raw, tool, wanted = call.raw, call.tool, asked(call)
    status = None if raw.status == "incomplete" else raw.status
    commands = ShellCallData(call_id=raw.call_id, action=wanted, status=status, raw=raw)
    await call.tell("on_tool_start")
    try:
        request = ShellCommandRequest(ctx_wrapper=call.bench.context, data=commands)
        result = _as_result(await resolve(tool.executor(request)))
    except Exception as error:  # noqa: BLE001 - an executor may raise anything
        log_tool_action_error(logger, f"The executor of tool {tool.name} failed", error)
        failed = ShellCommandOutput(stdout=call.failure(error), outcome=ShellCallOutcome("exit", 1))
        result = ShellResult([failed])
    limit = result.max_output_length
    if limit is None:
        limit = wanted.max_output_length
    cut = ShellResult(_within(limit, result.output), limit, result.provider_data)
    return call.answered(_payload(raw, cut, limit), _text(cut.output))


def _as_result(given: Any) -> ShellResult:
    """What an executor gave; a text stands for what one successful command wrote."""
    if isinstance(given, ShellResult):
        return given
    written = given if isinstance(given, str) else text_of(given)
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
