"""Traces as OpenTelemetry spans, named by the GenAI semantic conventions (extra `otel`).

A trace becomes a span `invoke_workflow`. Runs and turns have no operation of their own in the
conventions: what is inside them goes into the span around them.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from agentgraph.extensions.tracing.otel_attributes import (
    CONVENTIONS_VERSION,
    GUARDRAIL_RESULT,
    attributes,
    guardrail_result,
    span_name,
)
from agentgraph.memory.errors import MissingExtra
from agentgraph.tracing.processor_interface import TracingProcessor
from agentgraph.tracing.span_data import (
    GenerationSpanData,
    GuardrailSpanData,
    ResponseSpanData,
    TaskSpanData,
    TurnSpanData,
)
from agentgraph.tracing.spans import Span
from agentgraph.tracing.traces import Trace

try:
    from opentelemetry import context as otel_context
    from opentelemetry import trace as otel
    from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
except ImportError as error:
    raise MissingExtra("OpenTelemetryProcessor", "otel") from error

__all__ = ["OpenTelemetryProcessor", "RunIdGenerator"]

_ID: Final[ContextVar[tuple[str, str] | None]] = ContextVar("span_that_starts", default=None)
"""The ids of the trace and of the trace or span that starts now."""

_INVISIBLE: Final = (TaskSpanData, TurnSpanData)


class RunIdGenerator(IdGenerator):
    """Gives traces and spans of runs ids that follow from the run; all others get random ones.

    With it, a run that was suspended goes on in the same trace, also in another process:
    `TracerProvider(id_generator=RunIdGenerator())`.
    """

    def __init__(self) -> None:
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        """Return the id of the trace that starts."""
        ids = _ID.get()
        return self._random.generate_trace_id() if ids is None else _number(ids[0], 32)

    def generate_span_id(self) -> int:
        """Return the id of the span that starts."""
        ids = _ID.get()
        return self._random.generate_span_id() if ids is None else _number(ids[1], 16)


class OpenTelemetryProcessor(TracingProcessor):
    """Makes an OpenTelemetry span of each trace and span.

    Add it with `add_trace_processor`. A trace that starts while a span of OpenTelemetry is current,
    such as that of a web request, is inside that span.

    Args:
        tracer_provider: Makes the spans; the global one when left out.
        capture_content: Whether texts of the user, the model and the tools are attributes. A run
            with `trace_include_sensitive_data=False` has none in any case.
    """

    def __init__(
        self,
        tracer_provider: otel.TracerProvider | None = None,
        *,
        capture_content: bool = False,
    ) -> None:
        self._provider = tracer_provider
        self._content = capture_content
        self._tracer = otel.get_tracer(
            "agentgraph",
            tracer_provider=tracer_provider,
            schema_url=f"https://opentelemetry.io/schemas/{CONVENTIONS_VERSION}",
        )
        # By the id of the trace or span. A span that is not shown stands for the one around it.
        self._open: dict[str, tuple[otel.Span | None, otel_context.Context]] = {}
        self._lock = threading.Lock()

    def on_trace_start(self, trace: Trace) -> None:
        values = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": trace.name}
        group = getattr(trace, "group_id", None)
        if group:
            values["gen_ai.conversation.id"] = group
        with _ids(trace.trace_id, trace.trace_id):
            span = self._tracer.start_span(f"invoke_workflow {trace.name}", attributes=values)
        self._keep(trace.trace_id, span, otel_context.get_current())

    def on_trace_end(self, trace: Trace) -> None:
        span = self._drop(trace.trace_id)
        if span is not None:
            span.end()

    def on_span_start(self, span: Span[Any]) -> None:
        data = span.span_data
        with self._lock:
            entry = self._open.get(span.parent_id or "") or self._open.get(span.trace_id)
        # A run that goes on in the same process does not start its trace again.
        around = otel_context.get_current() if entry is None else entry[1]
        if isinstance(data, _INVISIBLE):
            self._keep(span.span_id, None, around)
            return
        name, operation = span_name(data)
        values = {} if operation is None else {"gen_ai.operation.name": operation}
        calls_a_model = isinstance(data, GenerationSpanData | ResponseSpanData)
        kind = otel.SpanKind.CLIENT if calls_a_model else otel.SpanKind.INTERNAL
        with _ids(span.trace_id, span.span_id):
            own = self._tracer.start_span(
                name, around, kind, values, start_time=_nanoseconds(span.started_at)
            )
        self._keep(span.span_id, own, around)

    def on_span_end(self, span: Span[Any]) -> None:
        own = self._drop(span.span_id)
        if own is None:
            return
        data = span.span_data
        own.update_name(span_name(data)[0])
        own.set_attributes(attributes(data, content=self._content))
        if isinstance(data, GuardrailSpanData):
            own.add_event(GUARDRAIL_RESULT, guardrail_result(data))
        if span.error is not None:
            self._fail(own, span.error["message"], span.error["data"] or {})
        own.end(_nanoseconds(span.ended_at))

    @contextmanager
    def inside(self, span: Span[Any]) -> Iterator[None]:
        with self._lock:
            entry = self._open.get(span.span_id)
        if entry is None:
            yield
            return
        own = otel.get_current_span(entry[1])
        with otel.use_span(own, record_exception=False, set_status_on_exception=False):
            yield

    def force_flush(self) -> None:
        flush = getattr(self._provider or otel.get_tracer_provider(), "force_flush", None)
        if flush is not None:
            flush()

    def shutdown(self) -> None:
        self.force_flush()

    def _fail(self, own: otel.Span, message: str, facts: dict[str, Any]) -> None:
        own.set_attribute("error.type", message)
        text = f"{message}: {facts['error']}" if self._content and "error" in facts else message
        own.set_status(otel.Status(otel.StatusCode.ERROR, text))

    def _keep(self, id: str, span: otel.Span | None, around: otel_context.Context) -> None:
        context = around if span is None else otel.set_span_in_context(span, around)
        with self._lock:
            self._open[id] = span, context

    def _drop(self, id: str) -> otel.Span | None:
        with self._lock:
            entry = self._open.pop(id, None)
        return None if entry is None else entry[0]


@contextmanager
def _ids(trace_id: str, span_id: str) -> Iterator[None]:
    """Name the trace and the span that start in a block."""
    token = _ID.set((trace_id, span_id))
    try:
        yield
    finally:
        _ID.reset(token)


def _number(id: str, digits: int) -> int:
    """The number in an id such as `span_` and hexadecimal digits; of another text, its digest."""
    text = id.rpartition("_")[2]
    if not re.fullmatch("[0-9a-f]{16,}", text):
        text = hashlib.sha256(id.encode()).hexdigest()
    return int(text[:digits], 16) or 1


def _nanoseconds(time: str | None) -> int | None:
    return None if time is None else int(datetime.fromisoformat(time).timestamp() * 1e9)
