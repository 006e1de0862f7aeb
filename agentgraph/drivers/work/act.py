"""Carrying out a call: approval, guardrails, hooks and the tool itself, in this order
(BEHAVIOUR.md, sections 5 to 8)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from agentgraph.custom_data import custom_data_of
from agentgraph.drivers.payloads import ModelReply, ToolReturn, Waiting
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.approval import decision_on, worded
from agentgraph.drivers.work.hooks import call_hooks
from agentgraph.exceptions import (
    AgentsException,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
)
from agentgraph.function_tools import (
    FunctionTool,
    FunctionToolCustomDataContext,
    FunctionToolResult,
)
from agentgraph.item_helpers import ItemHelpers
from agentgraph.items import ToolApprovalItem, ToolCallOutputItem
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.tool_context import ToolContext
from agentgraph.tool_errors import answer_to_failure, failures_named
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailData,
    ToolInputGuardrailResult,
    ToolOutputGuardrailData,
    ToolOutputGuardrailResult,
)
from agentgraph.tool_invocation import call_needs_approval, invoke_function_tool
from agentgraph_compiler.machine import Event, InvokeKind


async def act(run: Run, command: Perform) -> Outcome:
    """Perform a call of a function tool, of an agent used as a tool, or of a tool nobody has."""
    execution = run.config.tool_execution
    limit = None if execution is None else execution.max_function_tool_concurrency
    if limit is None:
        return await _act(run, command)
    async with run.gate(InvokeKind.FUNCTION, limit):
        return await _act(run, command)


async def _act(run: Run, command: Perform) -> Outcome:
    reply: ModelReply = run.payload(command.source)
    raw: Any = reply.response.output[command.position]
    agent = run.binding(command.agent).agent
    tool: FunctionTool | None = reply.tools.get(command.position)
    if tool is None:
        return await _missing(run, command, agent, raw)
    context = ToolContext.from_agent_context(
        run.context, raw.call_id, tool_call=raw, agent=agent, run_config=run.config
    )
    if tool.needs_approval is not False:
        decided = await _decided(run, command, tool, agent, raw, context)
        if decided is not None:
            return decided
    rejected = await _guard_input(run, tool, agent, context) if tool.tool_input_guardrails else None
    if rejected is not None:
        return _returned(command, tool, agent, raw, rejected)
    await _tell(run, agent, "on_tool_start", tool, context=context)
    if command.invoke.kind is InvokeKind.AGENT:
        output = await run.call_agent(run, command, tool, context)
        if isinstance(output, Waiting):
            return Outcome(command.id, Event.AWAITING, output)
    else:
        output = await invoke_function_tool(
            function_tool=tool, context=context, arguments=raw.arguments
        )
    if tool.tool_output_guardrails:
        output = await _guard_output(run, tool, agent, context, output)
    await _tell(run, agent, "on_tool_end", tool, output, context=context)
    try:
        outcome = _returned(command, tool, agent, raw, output)
    except Exception as error:  # noqa: BLE001 - the text form of a result is user code
        output = await _unsendable(tool, agent, context, error)
        outcome = _returned(command, tool, agent, raw, output)
    if tool.custom_data_extractor is not None or context._custom_data is not None:
        returned: Any = outcome.payload
        await _attach(returned.items[0], tool, agent, context)
    return outcome


async def _attach(
    item: ToolCallOutputItem, tool: FunctionTool, agent: Any, context: ToolContext[Any]
) -> None:
    """Attach to an output what the program wants to find there."""
    item.custom_data = context._custom_data
    extractor = tool.custom_data_extractor
    if extractor is None:
        return
    # A copy, so that an extractor cannot change what is sent.
    asked = FunctionToolCustomDataContext(context, tool, item.output, deepcopy(item.raw_item))
    owner = f"tool {tool.name} of agent {agent.name}"
    with failures_named(f"Error running {owner}"):
        item.custom_data = await custom_data_of(extractor, asked, owner)


async def _tell(
    run: Run, agent: Any, hook: str, tool: FunctionTool, *rest: Any, context: ToolContext[Any]
) -> None:
    """Call a hook on a tool; one that fails has failed the call, and no setting of the tool says
    what to make of that."""
    if run.hooked(agent):
        what = f"Error running hook {hook} on tool {tool.name} of agent {agent.name}"
        with failures_named(what, typed=True):
            await call_hooks(run, agent, hook, agent, tool, *rest, context=context)


async def _unsendable(
    tool: FunctionTool, agent: Any, context: ToolContext[Any], error: Exception
) -> str:
    """What the model is told where a result has no form in which it could be sent."""
    what = f"The result of tool {tool.name} of agent {agent.name} cannot be sent to the model"
    return await answer_to_failure(tool._failure_error_function, context, error, tool.name, what)


def _returned(command: Perform, tool: FunctionTool, agent: Any, raw: Any, output: Any) -> Outcome:
    item = ToolCallOutputItem(
        agent=agent, raw_item=ItemHelpers.tool_call_output_item(raw, output), output=output
    )
    result = FunctionToolResult(tool=tool, output=output, run_item=item)
    return Outcome(command.id, Event.RETURNED, ToolReturn((item,), output, result))


async def _missing(run: Run, command: Perform, agent: Any, raw: Any) -> Outcome:
    """Tell the model that it called a tool nobody has (``RunConfig.tool_not_found_behavior``)."""
    default = f"Tool '{raw.name}' not found in agent '{agent.name}'."
    text = await worded(run, "tool_not_found", "function", raw.name, raw.call_id, default)
    item = ToolCallOutputItem(
        agent=agent, raw_item=ItemHelpers.tool_call_output_item(raw, text), output=text
    )
    return Outcome(command.id, Event.RETURNED, ToolReturn((item,), text))


async def _decided(
    run: Run, command: Perform, tool: FunctionTool, agent: Any, raw: Any, context: ToolContext[Any]
) -> Outcome | None:
    """The outcome of a call that may not be made (yet); ``None`` if it may."""
    refused: str | None = None

    async def needed() -> bool:
        nonlocal refused
        if not await call_needs_approval(tool, context):
            return False
        execution = run.config.tool_execution
        if execution is not None and execution.pre_approval_tool_input_guardrails:
            refused = await _guard_input(run, tool, agent, context)
        return True

    pending = ToolApprovalItem(
        agent=agent, raw_item=raw, tool_name=tool.name, _scope=run.context._approvals.scope
    )
    decision = await decision_on(run, pending, "function", needed)
    if decision is None:
        if refused is not None:
            return _returned(command, tool, agent, raw, refused)
        return Outcome(command.id, Event.AWAITING, Waiting((pending,)))
    return None if decision.approved else _returned(command, tool, agent, raw, decision.message)


async def _guard_input(
    run: Run, tool: FunctionTool, agent: Any, context: ToolContext[Any]
) -> str | None:
    """The message that stands in for a result if an input guardrail rejects the call."""
    data = ToolInputGuardrailData(context=context, agent=agent)
    results = run.tool_input_guardrail_results
    for guardrail in tool.tool_input_guardrails or ():
        verdict = await _verdict(guardrail, data, tool)
        results.append(ToolInputGuardrailResult(guardrail, verdict))
        rejected = _rejection(verdict, ToolInputGuardrailTripwireTriggered(guardrail, verdict))
        if rejected is not None:
            return rejected
    return None


async def _guard_output(
    run: Run, tool: FunctionTool, agent: Any, context: ToolContext[Any], output: Any
) -> Any:
    """What the model is told after the output guardrails: the output, or a rejection in its
    place."""
    data = ToolOutputGuardrailData(context=context, agent=agent, output=output)
    results = run.tool_output_guardrail_results
    for guardrail in tool.tool_output_guardrails or ():
        verdict = await _verdict(guardrail, data, tool)
        results.append(ToolOutputGuardrailResult(guardrail, verdict))
        rejected = _rejection(verdict, ToolOutputGuardrailTripwireTriggered(guardrail, verdict))
        if rejected is not None:
            return rejected
    return output


def _rejection(verdict: ToolGuardrailFunctionOutput, tripped: AgentsException) -> str | None:
    """What the model is told in place of a result, if a verdict rejects it."""
    behavior = verdict.behavior
    if behavior["type"] == "raise_exception":
        raise tripped
    return behavior["message"] if behavior["type"] == "reject_content" else None


async def _verdict(
    guardrail: Any, data: ToolInputGuardrailData, tool: FunctionTool
) -> ToolGuardrailFunctionOutput:
    """What a guardrail says; one that breaks ends the run, and no setting of the tool says what to
    make of that."""
    owner = f"guardrail '{guardrail.get_name()}' of tool {tool.name} of agent {data.agent.name}"
    with failures_named(f"Error running {owner}", typed=True):
        verdict = await guardrail.run(data)
    if not isinstance(verdict, ToolGuardrailFunctionOutput):
        raise UserError(
            f"The {owner} must return ToolGuardrailFunctionOutput, not {type(verdict).__name__}."
        )
    return verdict
