"""Calling a custom tool with the model's text; its result is sent back as text."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from agentgraph.drivers.work.call import LocalCall
from agentgraph.items.tool_payload import sendable, text_of
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.record.payloads import ToolReturn
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tool_context import ToolContext
from agentgraph.tools.custom import CustomToolCustomDataContext
from agentgraph.tools.custom_data import custom_data_of
from agentgraph.tools.errors import action_failure
from agentgraph.usage.run_usage import RunUsage
from agentgraph.user_code.callbacks import resolve
from agentgraph_compiler.machine import Event


def subject(call: LocalCall) -> str:
    """The text of the call, for the approval rule."""
    text: str = call.raw.input
    return text


def refusal(call: LocalCall, message: str) -> tuple[Any, Any]:
    """A refusal in the provider's form, and as the caller sees it."""
    return _payload(call, message), message


async def call_custom_tool(call: LocalCall) -> Outcome:
    """Carry out a ``custom_tool_call``; if the function raises, the model learns that it did."""
    raw, tool = call.raw, call.tool
    context = call.context()
    try:
        await call.tell("on_tool_start", context=context)
        output = await _invoke(call, context)
    except BaseException:
        call.count_usage(context)
        raise
    payload = _payload(call, output)
    data = None
    if tool.custom_data_extractor is not None:
        data = await _extract(
            call,
            CustomToolCustomDataContext(
                tool_context=context,
                tool=tool,
                input=raw.input,
                output=output,
                raw_item=deepcopy(payload),
            ),
        )
    usage = context.usage
    own = usage.take_own() if isinstance(usage, RunUsage) else None
    returned = ToolReturn(output, payload, custom_data=data, usage=own, failed=context._failed)
    return call.outcome(Event.RETURNED, returned)


async def _invoke(call: LocalCall, context: ToolContext[Any]) -> str:
    try:
        return text_of(await resolve(call.tool.on_invoke_tool(context, call.raw.input)))
    except Exception as error:  # noqa: BLE001 - user code may raise anything
        return action_failure(context, error, call.tool.name)


async def _extract(call: LocalCall, context: CustomToolCustomDataContext) -> dict[str, Any] | None:
    try:
        return await custom_data_of(call.tool.custom_data_extractor, context, call.owner)
    except Exception as error:  # noqa: BLE001 - the extractor is user code
        message = f"custom_data_extractor of {call.owner} failed; the output has no custom data"
        log_tool_action_error(logger, message, error)
        return None


def _payload(call: LocalCall, output: str) -> dict[str, str]:
    return {
        "type": "custom_tool_call_output",
        "call_id": call.raw.call_id,
        "output": sendable(output),
    }
