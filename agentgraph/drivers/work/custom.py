"""Calling a custom tool: the model's text goes in, the text form of what comes back goes out."""

from __future__ import annotations

from copy import deepcopy
from functools import partial

from agentgraph.callbacks import resolve
from agentgraph.custom_tools import CustomToolCustomDataContext
from agentgraph.drivers.work.action import Action
from agentgraph.drivers.work.approval import decision_on
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tool_context import ToolContext
from agentgraph.tool_payload import sendable


async def call_custom_tool(action: Action) -> Outcome:
    """Carry out a ``custom_tool_call``; of a function that raises the model is told."""
    raw, run, tool = action.raw, action.run, action.tool
    needed = partial(action.needs_approval, raw.input)
    pending = action.pending(tool.name)
    decision = await decision_on(run, pending, "custom", needed, tool.on_approval)
    if decision is None:
        return action.waits(pending)
    if not decision.approved:
        message = decision.message or ""
        return action.answered(_payload(action, message), message)
    context = ToolContext.from_agent_context(
        run.context,
        raw.call_id,
        agent=action.agent,
        tool_name=tool.name,
        tool_arguments=raw.input,
        tool_namespace=getattr(raw, "namespace", None),
        run_config=run.config,
    )
    await action.started(context)
    try:
        output = str(await resolve(tool.on_invoke_tool(context, raw.input)))
    except Exception as error:  # noqa: BLE001 - a function of the user's may raise anything
        log_tool_action_error(logger, f"The custom tool {tool.name} failed", error)
        output = action.failure(error)
    await action.ended(output, context)
    payload = _payload(action, output)
    attached = None
    if tool.custom_data_extractor is not None:
        asked = CustomToolCustomDataContext(context, tool, raw.input, output, deepcopy(payload))
        attached = await action.attached(tool.custom_data_extractor, asked)
    return action.answered(payload, output, attached)


def _payload(action: Action, output: str) -> dict[str, str]:
    return {
        "type": "custom_tool_call_output",
        "call_id": action.raw.call_id,
        "output": sendable(output),
    }
