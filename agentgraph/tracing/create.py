"""Making traces and spans.

Each `*_span` function makes a span of one kind. The span does not start: use it in a `with` block,
or call `start()` and `finish()`. All of them take these arguments:

- `span_id`: the id of the span; a new one when left out.
- `parent`: the trace or span around it; the current one when left out.
- `disabled`: whether the span is not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentgraph.logger import logger
from agentgraph.tracing.config import TracingConfig
from agentgraph.tracing.setup import get_trace_provider
from agentgraph.tracing.span_data import (
    AgentSpanData,
    CustomSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    MCPListToolsSpanData,
    ResponseSpanData,
    SpeechGroupSpanData,
    SpeechSpanData,
    TaskSpanData,
    TranscriptionSpanData,
    TurnSpanData,
)
from agentgraph.tracing.spans import Span, TSpanData
from agentgraph.tracing.traces import Trace

if TYPE_CHECKING:
    from openai.types.responses import Response

__all__ = [
    "agent_span",
    "custom_span",
    "function_span",
    "generation_span",
    "get_current_span",
    "get_current_trace",
    "guardrail_span",
    "handoff_span",
    "mcp_tools_span",
    "response_span",
    "speech_group_span",
    "speech_span",
    "task_span",
    "trace",
    "transcription_span",
    "turn_span",
]

Parent = Trace | Span[Any] | None


def trace(
    workflow_name: str,
    trace_id: str | None = None,
    group_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    tracing: TracingConfig | None = None,
    disabled: bool = False,
) -> Trace:
    """Make a trace. It does not start: use it in a `with` block, or call `start` and `finish`.

    Args:
        workflow_name: The name of the workflow.
        trace_id: The id of the trace (`gen_trace_id`); a new one when left out.
        group_id: An id that the traces of one conversation share.
        metadata: Further facts.
        tracing: How the trace is exported.
        disabled: Whether the trace and its spans are not recorded.
    """
    provider = get_trace_provider()
    if provider.get_current_trace() is not None:
        logger.warning("A trace begins inside another one; it is a trace of its own")
    return provider.create_trace(
        name=workflow_name,
        trace_id=trace_id,
        group_id=group_id,
        metadata=metadata,
        tracing=tracing,
        disabled=disabled,
    )


def get_current_trace() -> Trace | None:
    """Return the trace that spans of this context belong to."""
    return get_trace_provider().get_current_trace()


def get_current_span() -> Span[Any] | None:
    """Return the span that spans of this context are inside of."""
    return get_trace_provider().get_current_span()


def _span(data: TSpanData, span_id: str | None, parent: Parent, disabled: bool) -> Span[TSpanData]:
    return get_trace_provider().create_span(data, span_id, parent, disabled)


def agent_span(
    name: str,
    handoffs: list[str] | None = None,
    tools: list[str] | None = None,
    output_type: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[AgentSpanData]:
    """Make a span for the work of an agent.

    Args:
        name: The agent.
        handoffs: The names of the agents to which it may hand off.
        tools: The names of its tools.
        output_type: The name of its output type.
    """
    return _span(AgentSpanData(name, handoffs, tools, output_type), span_id, parent, disabled)


def task_span(
    name: str, span_id: str | None = None, parent: Parent = None, disabled: bool = False
) -> Span[TaskSpanData]:
    """Make a span for a whole run.

    Args:
        name: The name of the workflow.
    """
    return _span(TaskSpanData(name), span_id, parent, disabled)


def turn_span(
    turn: int,
    agent_name: str,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[TurnSpanData]:
    """Make a span for one turn of a run.

    Args:
        turn: The number of the turn, counted from 1.
        agent_name: The agent whose turn it is.
    """
    return _span(TurnSpanData(turn, agent_name), span_id, parent, disabled)


def function_span(
    name: str,
    input: str | None = None,
    output: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[FunctionSpanData]:
    """Make a span for the call of a tool.

    Args:
        name: The tool.
        input: The arguments.
        output: The output.
    """
    return _span(FunctionSpanData(name, input, output), span_id, parent, disabled)


def generation_span(
    input: Sequence[Mapping[str, Any]] | None = None,
    output: Sequence[Mapping[str, Any]] | None = None,
    model: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    usage: dict[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[GenerationSpanData]:
    """Make a span for a call of a model.

    Args:
        input: The messages to the model.
        output: The messages of the model.
        model: The name of the model.
        model_config: The settings of the call.
        usage: What the call used, in tokens.
    """
    data = GenerationSpanData(
        input=input, output=output, model=model, model_config=model_config, usage=usage
    )
    return _span(data, span_id, parent, disabled)


def response_span(
    response: Response | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[ResponseSpanData]:
    """Make a span for a call of the Responses API.

    Args:
        response: The response.
    """
    return _span(ResponseSpanData(response), span_id, parent, disabled)


def handoff_span(
    from_agent: str | None = None,
    to_agent: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[HandoffSpanData]:
    """Make a span for a handoff.

    Args:
        from_agent: The agent that hands over.
        to_agent: The agent that takes over.
    """
    return _span(HandoffSpanData(from_agent, to_agent), span_id, parent, disabled)


def custom_span(
    name: str,
    data: dict[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[CustomSpanData]:
    """Make a span for work of the program's own.

    Args:
        name: The name of the work.
        data: Facts about it; the program may add to them before the span ends.
    """
    return _span(CustomSpanData(name, {} if data is None else data), span_id, parent, disabled)


def guardrail_span(
    name: str,
    triggered: bool = False,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[GuardrailSpanData]:
    """Make a span for a guardrail.

    Args:
        name: The guardrail.
        triggered: Its verdict.
    """
    return _span(GuardrailSpanData(name, triggered), span_id, parent, disabled)


def transcription_span(
    model: str | None = None,
    input: str | None = None,
    input_format: str | None = "pcm",
    output: str | None = None,
    model_config: Mapping[str, Any] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[TranscriptionSpanData]:
    """Make a span for speech that becomes text.

    Args:
        model: The name of the model.
        input: The audio, encoded as text.
        input_format: The format of the audio.
        output: The text.
        model_config: The settings of the call.
    """
    data = TranscriptionSpanData(
        input=input,
        input_format=input_format,
        output=output,
        model=model,
        model_config=model_config,
    )
    return _span(data, span_id, parent, disabled)


def speech_span(
    model: str | None = None,
    input: str | None = None,
    output: str | None = None,
    output_format: str | None = "pcm",
    model_config: Mapping[str, Any] | None = None,
    first_content_at: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[SpeechSpanData]:
    """Make a span for text that becomes speech.

    Args:
        model: The name of the model.
        input: The text.
        output: The audio, encoded as text.
        output_format: The format of the audio.
        model_config: The settings of the call.
        first_content_at: When the first audio came: ISO 8601.
    """
    data = SpeechSpanData(
        input=input,
        output=output,
        output_format=output_format,
        model=model,
        model_config=model_config,
        first_content_at=first_content_at,
    )
    return _span(data, span_id, parent, disabled)


def speech_group_span(
    input: str | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[SpeechGroupSpanData]:
    """Make a span for several pieces of speech.

    Args:
        input: The text.
    """
    return _span(SpeechGroupSpanData(input), span_id, parent, disabled)


def mcp_tools_span(
    server: str | None = None,
    result: list[str] | None = None,
    span_id: str | None = None,
    parent: Parent = None,
    disabled: bool = False,
) -> Span[MCPListToolsSpanData]:
    """Make a span for a list of the tools of an MCP server.

    Args:
        server: The server.
        result: The names of the tools.
    """
    return _span(MCPListToolsSpanData(server, result), span_id, parent, disabled)
