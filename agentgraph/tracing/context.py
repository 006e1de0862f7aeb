"""A trace around a run, unless there is one already."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from agentgraph.tracing.config import TracingConfig
from agentgraph.tracing.setup import get_trace_provider
from agentgraph.tracing.span_data import CustomSpanData
from agentgraph.tracing.traces import Trace

__all__ = ["TraceCtxManager"]


class TraceCtxManager:
    """Makes a trace for a `with` block. If one is current, its spans go into that one.

    Args:
        workflow_name: The name of the workflow.
        trace_id: The id of the trace; a new one when left out.
        group_id: An id that the traces of one conversation share.
        metadata: Further facts.
        tracing: How the trace is exported.
        disabled: Whether nothing in the block is recorded, also not for a trace around it.

    Attributes:
        trace: The trace that the block made.
    """

    def __init__(
        self,
        workflow_name: str,
        trace_id: str | None,
        group_id: str | None,
        metadata: dict[str, Any] | None,
        tracing: TracingConfig | None,
        disabled: bool,
    ) -> None:
        self.trace: Trace | None = None
        self._arguments = (workflow_name, trace_id, group_id, metadata, disabled, tracing)
        self._disabled = disabled
        self._open = ExitStack()

    def __enter__(self) -> Self:
        provider = get_trace_provider()
        if self._disabled or provider.get_current_trace() is None:
            self.trace = self._open.enter_context(provider.create_trace(*self._arguments))
        if self._disabled:
            # Hide the span around the block too.
            span = provider.create_span(CustomSpanData("Agent run", {}), disabled=True)
            self._open.enter_context(span)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self._open.close()
