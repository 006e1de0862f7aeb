"""The phases of a call of a function tool: screening it, making it, judging its result, and calling
the hooks (docs/design/behaviour.md, sections 5, 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from agentgraph.drivers.work.call import LocalCall, call_at_hand, local_call
from agentgraph.drivers.work.interrupted import begin_effect
from agentgraph.drivers.work.missing import missing
from agentgraph.drivers.workbench import Workbench
from agentgraph.exceptions import (
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
)
from agentgraph.items import ToolCallOutputItem
from agentgraph.items.item_helpers import ItemHelpers
from agentgraph.logger import log_tool_action_error, logger
from agentgraph.record.payloads import Screened, ToolReturn, ToolVerdict, Waiting
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome
from agentgraph.runtime.state import new
from agentgraph.tool_context import ToolContext
from agentgraph.tool_guardrails import (
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailData,
    ToolOutputGuardrailData,
)
from agentgraph.tools.custom_data import custom_data_of
from agentgraph.tools.errors import answer_to_failure, failures_named
from agentgraph.tools.function import FunctionToolCustomDataContext
from agentgraph.tools.invocation import invoke_function_tool
from agentgraph.usage.run_usage import RunUsage
from agentgraph_compiler.machine import Event, WorkKind

if TYPE_CHECKING:
    from agentgraph.items import TResponseInputItem


class ScreeningFailed(Exception):
    """A guardrail of a tool ended the run; carries the verdicts so far. Its cause is the fault."""

    def __init__(self, screened: Screened) -> None:
        super().__init__()
        self.screened = screened


async def act(bench: Workbench, command: Perform) -> Outcome:
    """Make a call of a function tool or of an agent used as a tool."""
    call = call_at_hand(bench, command)
    if call.tool is None:
        call = await local_call(bench, command)
    tool = call.tool
    if tool is None:
        return await missing(bench, command)
    if bench.caches.stand_in is not None and command.phase.kind is not _AGENT:
        answered = await call.stood_in()
        if answered is not None:
            return answered
    if bench.caches.journal.is_durable and command.phase.kind is not _AGENT:
        answered = await begin_effect(call)
        if answered is not None:
            return answered
    context = call.context()
    try:
        if call.hooked and getattr(tool, "handoff", None) is None:
            await call.tell("on_tool_start", context=context)
        if command.phase.kind is _AGENT:
            output = await bench.caches.inner.call_agent(bench, command, tool, context)
        else:
            output = await invoke_function_tool(
                function_tool=tool, context=context, arguments=call.raw.arguments
            )
    except BaseException:
        call.count_usage(context)
        raise
    if isinstance(output, Waiting):
        call.count_usage(context)
        return call.outcome(Event.AWAITING, output)
    # From here on the tool has done its work: a failure now becomes its output.
    raw: object
    try:
        raw = ItemHelpers.tool_call_output_item(call.raw, output)
    except Exception as error:  # noqa: BLE001 - the text form of a result is user code
        output = await _unsendable(call, context, error)
        raw = ItemHelpers.tool_call_output_item(call.raw, output)
    data = context._custom_data
    if tool.custom_data_extractor is not None and not tool.tool_output_guardrails:
        data = await _extract(call, context, output, raw)
    usage = context.usage
    own = usage.take_own() if isinstance(usage, RunUsage) and usage.own is not None else None
    payload = new(ToolReturn, (output, raw, _ITEM, data, own, context._failed))
    return new(Outcome, (command.id, _RETURNED, payload, None))


async def _extract(
    call: LocalCall, context: ToolContext[Any], output: object, raw: TResponseInputItem
) -> dict[str, Any] | None:
    """The custom data for an output; ``None`` if the extractor fails."""
    # A copy, so that an extractor cannot change the output that is sent.
    extractor_context = FunctionToolCustomDataContext(context, call.tool, output, deepcopy(raw))
    try:
        return await custom_data_of(call.tool.custom_data_extractor, extractor_context, call.owner)
    except Exception as error:  # noqa: BLE001 - the extractor is user code
        message = f"custom_data_extractor of {call.owner} failed; the output has no custom data"
        log_tool_action_error(logger, message, error)
        return None


async def _unsendable(call: LocalCall, context: ToolContext[Any], error: Exception) -> str:
    """The text that the model gets if a result cannot be sent."""
    tool = call.tool
    what = f"The result of {call.owner} cannot be sent to the model"
    try:
        return await answer_to_failure(
            tool._failure_error_function, context, error, tool.name, what
        )
    except Exception as failure:  # noqa: BLE001 - the handler is user code, and may be missing
        log_tool_action_error(logger, what, failure)
        return f"{what}."


async def screen(bench: Workbench, command: Perform) -> Outcome:
    """Run the input guardrails of a tool on a call, in order, up to the first rejection."""
    call = await local_call(bench, command)
    if call.tool is None:
        return call.outcome(Event.PASSED, Screened(command.invoke.symbol, ()))
    context = call.context()
    data = ToolInputGuardrailData(context=context, agent=call.agent)
    with call.counting(context):
        return await _run_guardrails(call, call.tool.tool_input_guardrails or (), data)


async def judge(bench: Workbench, command: Perform) -> Outcome:
    """Run the output guardrails of a tool on the result of a call, in order, up to the first
    rejection."""
    call = await local_call(bench, command)
    result: ToolReturn = bench.view.payload(command.source)
    if call.tool is None:
        return call.outcome(Event.PASSED, Screened(command.invoke.symbol, (), about_output=True))
    context = call.context()
    data = ToolOutputGuardrailData(context=context, agent=call.agent, output=result.output)
    with call.counting(context):
        outcome = await _run_guardrails(call, call.tool.tool_output_guardrails or (), data)
        if call.tool.custom_data_extractor is None:
            return outcome
        judged: Any = outcome.payload
        rejected = judged.raw is not None
        output, raw = (judged.output, judged.raw) if rejected else (result.output, result.raw)
        attached = await _extract(call, context, output, raw)
    return call.outcome(
        outcome.event,
        Screened(
            tool=judged.tool,
            verdicts=judged.verdicts,
            output=judged.output,
            raw=judged.raw,
            about_output=True,
            custom_data=attached,
        ),
    )


_Data = TypeVar("_Data")
_Data_contra = TypeVar("_Data_contra", contravariant=True)


class _Guardrail(Protocol[_Data_contra]):
    """A guardrail on the arguments or on the output of a tool."""

    def get_name(self) -> str: ...

    async def run(self, data: _Data_contra, /) -> ToolGuardrailFunctionOutput: ...


async def _run_guardrails(
    call: LocalCall, guardrails: Iterable[_Guardrail[_Data]], data: _Data
) -> Outcome:
    about_output = isinstance(data, ToolOutputGuardrailData)
    symbol, verdicts = call.command.invoke.symbol, list[ToolVerdict]()
    for place, guardrail in enumerate(guardrails):
        try:
            verdict = await _verdict(call, guardrail, data)
            behavior = verdict.behavior
            verdicts.append(ToolVerdict(place, guardrail.get_name(), behavior, verdict.output_info))
            if behavior["type"] == "raise_exception":
                raise (_OUTPUT_TRIPPED if about_output else _INPUT_TRIPPED)(guardrail, verdict)
        except Exception as error:
            screened = Screened(symbol, tuple(verdicts), about_output=about_output)
            raise ScreeningFailed(screened) from error
        if behavior["type"] == "reject_content":
            message = behavior["message"]
            raw = ItemHelpers.tool_call_output_item(call.raw, message)
            payload = Screened(
                tool=symbol,
                verdicts=tuple(verdicts),
                output=message,
                raw=raw,
                about_output=about_output,
            )
            return call.outcome(Event.REJECTED, payload)
    payload = Screened(symbol, tuple(verdicts), about_output=about_output)
    return call.outcome(Event.PASSED, payload)


_AGENT, _RETURNED = WorkKind.AGENT, Event.RETURNED
_ITEM = ToolCallOutputItem.type
_WITH_CONTEXT = frozenset({"function_call", "custom_tool_call"})
_INPUT_TRIPPED = ToolInputGuardrailTripwireTriggered
_OUTPUT_TRIPPED = ToolOutputGuardrailTripwireTriggered


async def _verdict(
    call: LocalCall, guardrail: _Guardrail[_Data], data: _Data
) -> ToolGuardrailFunctionOutput:
    """Run one guardrail. A guardrail that fails ends the run, whatever the settings of the tool."""
    owner = f"guardrail '{guardrail.get_name()}' of {call.owner}"
    with failures_named(f"Error running {owner}", typed=True):
        verdict = await guardrail.run(data)
    if not isinstance(verdict, ToolGuardrailFunctionOutput):
        raise UserError(
            f"The {owner} must return ToolGuardrailFunctionOutput, not {type(verdict).__name__}."
        )
    return verdict


async def tell(bench: Workbench, command: Perform) -> Outcome:
    """Call the hooks with the judged output of a call."""
    call = await local_call(bench, command)
    if call.tool is not None and call.raw.type != "mcp_approval_request":
        result: Any = bench.view.payload(command.source)
        # Hooks of other actions get the context of the run, as in the SDK.
        context = call.context() if call.raw.type in _WITH_CONTEXT else None
        output = result.output
        if call.raw.type == "computer_call":  # the hooks get the bare image
            output = output.rpartition(",")[2]
        with call.counting(context):
            await call.tell("on_tool_end", output, context=context)
    return call.outcome(Event.DONE)
