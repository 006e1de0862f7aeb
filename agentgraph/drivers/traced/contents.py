"""What the spans of a run hold: their contents, outputs and errors, from recorded outcomes.

Texts of the model, the user and the tools are left out where `sensitive` is false
(`RunConfig.trace_include_sensitive_data`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentgraph.agent_output import output_schema_of
from agentgraph.approvals import tool_identity
from agentgraph.drivers.names import tool_of
from agentgraph.drivers.run import Run
from agentgraph.drivers.work.think import PreparedCall
from agentgraph.drivers.workbench import Workbench
from agentgraph.models.gate.server import Server
from agentgraph.record.payloads import (
    FailedAttempt,
    Failure,
    GuardrailVerdict,
    ModelReply,
    Screened,
    ToolReturn,
    Transfer,
)
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome, Request
from agentgraph.tracing.span_data import (
    AgentSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    ResponseSpanData,
)
from agentgraph.tracing.spans import Span, SpanError
from agentgraph.usage import Usage, model_usage_to_span_usage, task_usage_to_span_data

REDACTED: Final = "Error details are redacted."
"""Takes the place of the text of an exception."""

_RESPONSE: Final = "response"


@dataclass(eq=False)
class ResponseCallSpanData(ResponseSpanData):
    """A call of the Responses API, with what a processor may want beside the response.

    Attributes:
        model: The name of the model.
        model_config: The settings of the call.
    """

    model: str = ""
    model_config: Mapping[str, Any] | None = None


def agent(bench: Workbench, agent_id: str) -> AgentSpanData:
    """The agent, with the tools and handoffs that it lists."""
    binding = bench.binding(agent_id)
    schema = output_schema_of(binding.agent.output_type)
    return AgentSpanData(
        name=binding.agent.name,
        handoffs=[row.handoff.agent_name for row in binding.handoffs],
        tools=[row.tool.name for row in binding.tools],
        output_type="str" if schema is None else schema.name(),
    )


def offered(data: AgentSpanData, prepared: PreparedCall) -> None:
    """Name the tools and handoffs that the model may use now."""
    data.handoffs = [handoff.agent_name for handoff in prepared.offer.handoffs]
    data.tools = [tool.name for tool in prepared.offer.tools]


def model_call(prepared: PreparedCall, *, sensitive: bool) -> GenerationSpanData | ResponseSpanData:
    """A call of a model, before it replies."""
    arguments = prepared.arguments
    items = arguments["input"] if sensitive else None
    server = Server.of(prepared.model)
    settings = arguments["model_settings"].to_traceable_dict()
    if not sensitive:
        settings.pop("metadata", None)
    if server.url is not None:
        settings["base_url"] = server.url
    if getattr(prepared.model, "span_type", None) == _RESPONSE:
        sent = None if items is None else list(items)
        return ResponseCallSpanData(input=sent, model=server.model, model_config=settings)
    data = GenerationSpanData(model=server.model, model_config=settings)
    if items is not None:
        instructions = arguments["system_instructions"]
        system = [{"role": "system", "content": instructions}] if instructions else []
        data.input = [*system, *items]
    return data


def call(bench: Workbench, command: Perform, *, sensitive: bool) -> FunctionSpanData:
    """A call of a tool, before it has an output."""
    raw, symbol = bench.call(command), command.invoke.symbol
    tool = tool_of(bench.caches, symbol, getattr(raw, "name", None) or "")
    name = getattr(tool, "trace_name", None) or getattr(raw, "name", None)
    if name is None:
        name = getattr(tool, "name", raw.type)
    server = dict(bench.binding(command.agent).servers).get(symbol)
    return FunctionSpanData(
        name=tool_identity(name, getattr(raw, "namespace", None)),
        input=_written(raw) if sensitive else None,
        output=None,
        mcp_data=None if server is None else {"server": server.name},
    )


def _written(raw: object) -> str:
    """What the model wrote for a call: its arguments, its input, or the action as JSON."""
    for name in ("arguments", "input"):
        text = getattr(raw, name, None)
        if isinstance(text, str):
            return text
    from pydantic_core import to_json

    names = ("action", "actions", "operation")
    action = next((one for one in (getattr(raw, name, None) for name in names) if one), None)
    return to_json(action, fallback=str).decode()


def guardrail(bench: Workbench, command: Perform) -> GuardrailSpanData:
    """A guardrail, before its verdict."""
    return GuardrailSpanData(bench.names.guardrail(command.invoke.symbol).get_name())


def handoff(bench: Workbench, command: Perform, requested: list[str]) -> HandoffSpanData:
    """A handoff, before it is taken."""
    binding = bench.binding(command.agent)
    return HandoffSpanData(binding.agent.name, requested[0] if requested else None)


def targets(bench: Workbench, agent_id: str, requests: Iterable[Request]) -> list[str]:
    """The names of the agents that a reply asks to hand off to."""
    handoffs = {row.symbol: row.target for row in bench.binding(agent_id).handoffs}
    ids = [handoffs[one.symbol] for one in requests if one.symbol in handoffs]
    return [bench.names.agent(id).name for id in ids]


def complete(
    span: Span[Any], bench: Workbench, outcome: Outcome, requested: list[str], *, sensitive: bool
) -> None:
    """Add what an outcome says to the span of its work.

    Args:
        span: The span.
        bench: The run.
        outcome: The outcome.
        requested: The agents that the last reply asks to hand off to.
        sensitive: Whether the span may hold texts.
    """
    data, payload = span.span_data, outcome.payload
    match payload:
        case ModelReply():
            _replied(data, payload, sensitive=sensitive)
        case ToolReturn() if sensitive:
            data.output = payload.output
        case Screened() if sensitive and payload.raw is not None:
            data.output = payload.output
        case GuardrailVerdict():
            data.triggered = payload.tripped
        case Transfer():
            data.to_agent = bench.names.agent(payload.target).name
            if payload.ignored:
                agents = {"requested_agents": requested}
                span.set_error(SpanError(message="Multiple handoffs requested", data=agents))
        case Failure() | FailedAttempt():
            error = bench.caches.errors.get(outcome.id)
            span.set_error(_failure(span, payload, error, sensitive=sensitive))
        case _:
            pass


def _replied(
    data: GenerationSpanData | ResponseCallSpanData, payload: ModelReply, *, sensitive: bool
) -> None:
    response = payload.response
    data.usage = model_usage_to_span_usage(response.usage)
    if not sensitive:
        return
    if isinstance(data, ResponseCallSpanData):
        data.response = _response(payload, data.model)
        return
    from pydantic_core import to_jsonable_python

    data.output = to_jsonable_python(response.output, fallback=str)


def _response(payload: ModelReply, model: str) -> Any:
    """The reply in the form of the Responses API, as exporters of vendors read it."""
    from openai.types.responses import Response, ResponseUsage

    response, usage = payload.response, payload.response.usage
    return Response.model_construct(
        id=response.response_id or "",
        object="response",
        created_at=0.0,
        model=model,
        output=list(response.output),
        instructions=payload.request.instructions,
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=ResponseUsage.model_construct(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            input_tokens_details=usage.input_tokens_details,
            output_tokens_details=usage.output_tokens_details,
        ),
    )


def _failure(
    span: Span[Any],
    payload: Failure | FailedAttempt,
    error: BaseException | None,
    *,
    sensitive: bool,
) -> SpanError:
    cause = error if error is None or error.__cause__ is None else error.__cause__
    text = payload.fault.message if cause is None else str(cause)
    match span.span_data:
        case FunctionSpanData():
            return tool_error(span, text, sensitive=sensitive, fatal=True)
        case GenerationSpanData() | ResponseSpanData():
            message = "Error getting response"
        case GuardrailSpanData():
            message = "Error running guardrail"
        case _:
            message = "Error in handoff"
    return SpanError(message=message, data={"error": text if sensitive else REDACTED})


def tool_error(span: Span[Any], text: str, *, sensitive: bool, fatal: bool) -> SpanError:
    """The error of a call of a tool.

    Args:
        span: The span of the call.
        text: What went wrong.
        sensitive: Whether the span may hold that text.
        fatal: Whether the failure ends the run; if not, the model reads about it.
    """
    return SpanError(
        message="Error running tool" if fatal else "Error running tool (non-fatal)",
        data={"tool_name": span.span_data.name, "error": text if sensitive else REDACTED},
    )


def tripped(bench: Workbench, payload: GuardrailVerdict) -> SpanError:
    """The error of a turn or an agent that a guardrail ended."""
    name = bench.names.guardrail(payload.symbol).get_name()
    return SpanError(message="Guardrail tripwire triggered", data={"guardrail": name})


def unusable(bench: Workbench, payload: ModelReply, *, sensitive: bool) -> SpanError | None:
    """The error of a turn whose reply cannot be used."""
    fault = payload.fault
    if fault is None:
        return None
    offered_names = payload.request.offered
    for item in payload.response.output:
        name = getattr(item, "name", None)
        if getattr(item, "type", None) == "function_call" and name not in offered_names:
            return tool_not_found(str(name))
    text = fault.message if sensitive else REDACTED
    structured = output_schema_of(bench.binding(payload.agent).agent.output_type) is not None
    message = "Invalid JSON provided" if structured else "Error in model reply"
    return SpanError(message=message, data={"error": text})


def tool_not_found(name: str) -> SpanError:
    """The error of a turn in which the model called a tool that the agent does not have."""
    return SpanError(message="Tool not found", data={"tool_name": name})


def spent(run: Run) -> dict[str, int]:
    """What a run and the runs inside it have used by now, as the spans of runs show it."""
    parts: tuple[Usage, Usage] = (run.record.usage, run.caches.journal.inside(run.facts.path))
    own, inside = map(task_usage_to_span_data, parts)
    return {name: count + inside[name] for name, count in own.items()}
