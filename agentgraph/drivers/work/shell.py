"""Running a model's commands through the user's executor: single commands (``local_shell_call``),
and several with limits (``shell_call``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.tool_payload import sendable, text_of
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tools.errors import action_failure
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

if TYPE_CHECKING:
    from openai.types.responses import ResponseFunctionShellToolCall
    from openai.types.responses.response_output_item import LocalShellCall


async def run_local_shell(call: LocalCall) -> Outcome:
    """Carry out a ``local_shell_call``.

    Raises:
        UserError: The executor raised; this tool cannot report an error to the model.
    """
    raw = call.raw
    await call.tell("on_tool_start")
    request = LocalShellCommandRequest(ctx_wrapper=call.bench.context, data=raw)
    output = await call.unhandled(call.tool.executor, request)
    return call.answer(_local_payload(raw, output), output)


def local_refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal of a ``local_shell_call`` in the provider's form, and as the caller sees it."""
    return _local_payload(call.raw, message), message


def _local_payload(raw: LocalShellCall, output: object) -> dict[str, Any]:
    return {
        "type": "local_shell_call_output",
        # The client's types know the call's id as `id`; the API's guide shows `call_id`.
        "id": raw.call_id,
        "call_id": raw.call_id,
        "output": sendable(output if isinstance(output, str) else text_of(output)),
    }


def subject(call: LocalCall) -> ShellActionRequest:
    """The commands of the call, for the approval rule."""
    action = call.raw.action
    return ShellActionRequest(
        commands=list(action.commands),
        timeout_ms=action.timeout_ms,
        max_output_length=action.max_output_length,
    )


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, and as the caller sees it."""
    refused = ShellCommandOutput(stderr=message, outcome=ShellCallOutcome("exit", 1))
    return _payload(call.raw, ShellResult([refused]), None), message


async def run_shell(call: LocalCall) -> Outcome:
    """Carry out a ``shell_call``; if the executor raises, the model learns that it did."""
    raw, tool, action = call.raw, call.tool, subject(call)
    status = None if raw.status == "incomplete" else raw.status
    commands = ShellCallData(call_id=raw.call_id, action=action, status=status, raw=raw)
    await call.tell("on_tool_start")
    try:
        request = ShellCommandRequest(ctx_wrapper=call.bench.context, data=commands)
        result = _as_result(await resolve(tool.executor(request)))
    except Exception as error:  # noqa: BLE001 - an executor may raise anything
        text = action_failure(call.bench.context, error, call.name)
        failure = ShellCommandOutput(stdout=text, outcome=ShellCallOutcome("exit", 1))
        result = ShellResult([failure])
    limit = result.max_output_length
    if limit is None:
        limit = action.max_output_length
    cut = ShellResult(_within(limit, result.output), limit, result.provider_data)
    return call.answer(_payload(raw, cut, limit), _text(cut.output))


def _as_result(value: object) -> ShellResult:
    """The result of an executor; a text becomes the output of one successful command."""
    if isinstance(value, ShellResult):
        return value
    text = value if isinstance(value, str) else text_of(value)
    return ShellResult([ShellCommandOutput(stdout=text)])


def _within(limit: int | None, outputs: Sequence[ShellCommandOutput]) -> list[ShellCommandOutput]:
    """Cut the outputs to a total number of characters."""
    if limit is None:
        return list(outputs)
    cut = []
    rest = max(limit, 0)
    for output in outputs:
        stdout = output.stdout[:rest]
        rest -= len(stdout)
        stderr = output.stderr[:rest]
        rest -= len(stderr)
        cut.append(
            ShellCommandOutput(
                stdout=stdout,
                stderr=stderr,
                outcome=output.outcome,
                command=output.command,
                provider_data=output.provider_data,
            )
        )
    return cut


def _payload(
    raw: ResponseFunctionShellToolCall, result: ShellResult, limit: int | None
) -> dict[str, Any]:
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
    """The outputs of the commands, for people."""
    return "\n".join(text for output in outputs for text in (output.stdout, output.stderr) if text)
