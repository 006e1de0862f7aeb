"""The provider makes traces and spans and tells the processors of them."""

from __future__ import annotations

import abc
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from agentgraph.logger import log_model_and_tool_action_error, logger
from agentgraph.tracing.config import TracingConfig
from agentgraph.tracing.processor_interface import TracingProcessor
from agentgraph.tracing.scope import NO_ID
from agentgraph.tracing.spans import CURRENT_SPAN, NoOpSpan, Span, SpanImpl, TSpanData, now
from agentgraph.tracing.traces import CURRENT_TRACE, NoOpTrace, Trace, TraceImpl

__all__ = ["DefaultTraceProvider", "SynchronousMultiTracingProcessor", "TraceProvider"]


class SynchronousMultiTracingProcessor(TracingProcessor):
    """Tells several processors, in the order in which they were added."""

    def __init__(self) -> None:
        # Replaced as a whole, so that another thread never sees it half changed.
        self._processors: tuple[TracingProcessor, ...] = ()

    @property
    def has_processors(self) -> bool:
        """Whether there is a processor to tell."""
        return bool(self._processors)

    def add_tracing_processor(self, tracing_processor: TracingProcessor) -> None:
        """Add a processor."""
        self._processors = (*self._processors, tracing_processor)

    def set_processors(self, processors: list[TracingProcessor]) -> None:
        """Replace all processors."""
        self._processors = tuple(processors)

    def on_trace_start(self, trace: Trace) -> None:
        self._tell("on_trace_start", lambda processor: processor.on_trace_start(trace))

    def on_trace_end(self, trace: Trace) -> None:
        self._tell("on_trace_end", lambda processor: processor.on_trace_end(trace))

    def on_span_start(self, span: Span[Any]) -> None:
        self._tell("on_span_start", lambda processor: processor.on_span_start(span))

    def on_span_end(self, span: Span[Any]) -> None:
        self._tell("on_span_end", lambda processor: processor.on_span_end(span))

    @contextmanager
    def inside(self, span: Span[Any]) -> Iterator[None]:
        with ExitStack() as stack:
            # A processor that is written for the SDK's interface alone has no such method.
            self._tell(
                "inside",
                lambda processor: stack.enter_context(
                    processor.inside(span) if hasattr(processor, "inside") else nullcontext()
                ),
            )
            yield

    def shutdown(self) -> None:
        self._tell("shutdown", lambda processor: processor.shutdown())

    def force_flush(self) -> None:
        self._tell("force_flush", lambda processor: processor.force_flush())

    def _tell(self, what: str, call: Callable[[TracingProcessor], object]) -> None:
        for processor in self._processors:
            try:
                call(processor)
            except Exception as error:  # noqa: BLE001 - tracing never breaks the program
                name = type(processor).__name__
                message = f"{what} of the trace processor {name} failed"
                log_model_and_tool_action_error(logger, message, error)


class TraceProvider(abc.ABC):
    """Makes traces and spans. A program may set its own (`set_trace_provider`)."""

    @abc.abstractmethod
    def register_processor(self, processor: TracingProcessor) -> None:
        """Add a processor."""

    @abc.abstractmethod
    def set_processors(self, processors: list[TracingProcessor]) -> None:
        """Replace all processors."""

    @abc.abstractmethod
    def get_current_trace(self) -> Trace | None:
        """Return the current trace."""

    @abc.abstractmethod
    def get_current_span(self) -> Span[Any] | None:
        """Return the current span."""

    @abc.abstractmethod
    def set_disabled(self, disabled: bool) -> None:
        """Turn tracing off or on."""

    @abc.abstractmethod
    def time_iso(self) -> str:
        """Return the current time: ISO 8601, UTC."""

    @abc.abstractmethod
    def gen_trace_id(self) -> str:
        """Make an id for a trace."""

    @abc.abstractmethod
    def gen_span_id(self) -> str:
        """Make an id for a span."""

    @abc.abstractmethod
    def gen_group_id(self) -> str:
        """Make an id for the traces of one conversation."""

    @abc.abstractmethod
    def create_trace(
        self,
        name: str,
        trace_id: str | None = None,
        group_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        disabled: bool = False,
        tracing: TracingConfig | None = None,
    ) -> Trace:
        """Make a trace; it does not start."""

    @abc.abstractmethod
    def create_span(
        self,
        span_data: TSpanData,
        span_id: str | None = None,
        parent: Trace | Span[Any] | None = None,
        disabled: bool = False,
    ) -> Span[TSpanData]:
        """Make a span; it does not start."""

    def inside(self, span: Span[Any]) -> AbstractContextManager[object]:
        """Return what surrounds the work of a run inside a span."""
        return nullcontext()

    @property
    def listened_to(self) -> bool:
        """Whether traces that begin now reach a processor; if not, a run makes none."""
        return True

    def force_flush(self) -> None:  # noqa: B027 - a provider without a queue has nothing to do
        """Make the processors hand on at once what waits."""

    def shutdown(self) -> None:  # noqa: B027 - as above
        """The program ends."""


class DefaultTraceProvider(TraceProvider):
    """The provider of a program that sets none. Without processors it sends nothing anywhere.

    The SDK's variable `OPENAI_AGENTS_DISABLE_TRACING` turns it off; `set_disabled` overrides it.
    """

    def __init__(self) -> None:
        self._processor = SynchronousMultiTracingProcessor()
        self._disabled: bool | None = None

    def register_processor(self, processor: TracingProcessor) -> None:
        self._processor.add_tracing_processor(processor)

    def set_processors(self, processors: list[TracingProcessor]) -> None:
        self._processor.set_processors(processors)

    def get_current_trace(self) -> Trace | None:
        return CURRENT_TRACE.get()

    def get_current_span(self) -> Span[Any] | None:
        return CURRENT_SPAN.get()

    def set_disabled(self, disabled: bool) -> None:
        self._disabled = disabled

    def time_iso(self) -> str:
        return now()

    def gen_trace_id(self) -> str:
        return f"trace_{uuid.uuid4().hex}"

    def gen_span_id(self) -> str:
        return f"span_{uuid.uuid4().hex[:24]}"

    def gen_group_id(self) -> str:
        return f"group_{uuid.uuid4().hex[:24]}"

    def create_trace(
        self,
        name: str,
        trace_id: str | None = None,
        group_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        disabled: bool = False,
        tracing: TracingConfig | None = None,
    ) -> Trace:
        if disabled or self._is_off():
            return NoOpTrace()
        return TraceImpl(
            name=name,
            trace_id=trace_id or self.gen_trace_id(),
            group_id=group_id,
            metadata=metadata,
            processor=self._processor,
            tracing_api_key=None if tracing is None else tracing.get("api_key"),
        )

    def create_span(
        self,
        span_data: TSpanData,
        span_id: str | None = None,
        parent: Trace | Span[Any] | None = None,
        disabled: bool = False,
    ) -> Span[TSpanData]:
        trace, around = CURRENT_TRACE.get(), CURRENT_SPAN.get()
        if parent is not None:
            trace, around = (parent, None) if isinstance(parent, Trace) else (None, parent)
        owner = around if trace is None else trace
        if (
            owner is None
            or NO_ID in (owner.trace_id, span_id, around and around.span_id)
            or disabled
            or self._is_off()
        ):
            return NoOpSpan(span_data)
        metadata = "metadata" if isinstance(owner, Trace) else "trace_metadata"
        return SpanImpl(
            trace_id=owner.trace_id,
            span_id=span_id or self.gen_span_id(),
            parent_id=None if around is None else around.span_id,
            processor=self._processor,
            span_data=span_data,
            tracing_api_key=owner.tracing_api_key,
            trace_metadata=getattr(owner, metadata, None),
        )

    def inside(self, span: Span[Any]) -> AbstractContextManager[object]:
        return self._processor.inside(span)

    @property
    def listened_to(self) -> bool:
        return self._processor.has_processors and not self._is_off()

    def force_flush(self) -> None:
        self._processor.force_flush()

    def shutdown(self) -> None:
        self._processor.shutdown()

    def _is_off(self) -> bool:
        if self._disabled is None:
            value = os.environ.get("OPENAI_AGENTS_DISABLE_TRACING", "")
            self._disabled = value.strip().lower() in {"1", "true"}
        return self._disabled
