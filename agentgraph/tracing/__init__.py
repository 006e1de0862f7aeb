"""Tracing: traces and spans that a program makes, and the processors that receive them.

Nothing is sent anywhere by default: a program adds the processors that it wants.
"""

from __future__ import annotations

from agentgraph.tracing.config import TracingConfig
from agentgraph.tracing.context import TraceCtxManager
from agentgraph.tracing.create import (
    agent_span,
    custom_span,
    function_span,
    generation_span,
    get_current_span,
    get_current_trace,
    guardrail_span,
    handoff_span,
    mcp_tools_span,
    response_span,
    speech_group_span,
    speech_span,
    task_span,
    trace,
    transcription_span,
    turn_span,
)
from agentgraph.tracing.processor_interface import TracingProcessor
from agentgraph.tracing.processors import default_exporter
from agentgraph.tracing.provider import TraceProvider
from agentgraph.tracing.setup import get_trace_provider, set_trace_provider
from agentgraph.tracing.span_data import (
    AgentSpanData,
    CustomSpanData,
    FunctionSpanData,
    GenerationSpanData,
    GuardrailSpanData,
    HandoffSpanData,
    MCPListToolsSpanData,
    ResponseSpanData,
    SpanData,
    SpeechGroupSpanData,
    SpeechSpanData,
    TaskSpanData,
    TranscriptionSpanData,
    TurnSpanData,
)
from agentgraph.tracing.spans import Span, SpanError
from agentgraph.tracing.traces import Trace
from agentgraph.tracing.util import gen_span_id, gen_trace_id

__all__ = [
    "AgentSpanData",
    "CustomSpanData",
    "FunctionSpanData",
    "GenerationSpanData",
    "GuardrailSpanData",
    "HandoffSpanData",
    "MCPListToolsSpanData",
    "ResponseSpanData",
    "Span",
    "SpanData",
    "SpanError",
    "SpeechGroupSpanData",
    "SpeechSpanData",
    "TaskSpanData",
    "Trace",
    "TraceCtxManager",
    "TraceProvider",
    "TracingConfig",
    "TracingProcessor",
    "TranscriptionSpanData",
    "TurnSpanData",
    "add_trace_processor",
    "agent_span",
    "custom_span",
    "flush_traces",
    "function_span",
    "gen_span_id",
    "gen_trace_id",
    "generation_span",
    "get_current_span",
    "get_current_trace",
    "get_trace_provider",
    "guardrail_span",
    "handoff_span",
    "mcp_tools_span",
    "response_span",
    "set_trace_processors",
    "set_trace_provider",
    "set_tracing_disabled",
    "set_tracing_export_api_key",
    "speech_group_span",
    "speech_span",
    "task_span",
    "trace",
    "transcription_span",
    "turn_span",
]


def add_trace_processor(span_processor: TracingProcessor) -> None:
    """Add a processor, after those that are there.

    Args:
        span_processor: Is told of all traces and spans from now on.
    """
    get_trace_provider().register_processor(span_processor)


def set_trace_processors(processors: list[TracingProcessor]) -> None:
    """Replace all processors.

    Args:
        processors: Are told of all traces and spans from now on, in this order.
    """
    get_trace_provider().set_processors(processors)


def set_tracing_disabled(disabled: bool) -> None:
    """Turn tracing off or on, for traces and spans that are made from now on.

    Args:
        disabled: Whether it is off.
    """
    get_trace_provider().set_disabled(disabled)


def set_tracing_export_api_key(api_key: str) -> None:
    """Set the key of `default_exporter()`. It sends only if the program adds `default_processor()`.

    Args:
        api_key: The key.
    """
    default_exporter().set_api_key(api_key)


def flush_traces() -> None:
    """Make the processors hand on at once what waits, for instance at the end of a request."""
    get_trace_provider().force_flush()
