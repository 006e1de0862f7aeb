"""What a program implements to receive traces and spans, or to send them somewhere."""

from __future__ import annotations

import abc
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from agentgraph.tracing.spans import Span
from agentgraph.tracing.traces import Trace

__all__ = ["TracingExporter", "TracingProcessor"]


class TracingProcessor(abc.ABC):
    """Is told when traces and spans start and end.

    The program's work waits for these calls, and any thread may make them. An exception is logged
    and does not reach the program.
    """

    @abc.abstractmethod
    def on_trace_start(self, trace: Trace) -> None:
        """A trace starts."""

    @abc.abstractmethod
    def on_trace_end(self, trace: Trace) -> None:
        """A trace ends."""

    @abc.abstractmethod
    def on_span_start(self, span: Span[Any]) -> None:
        """A span starts."""

    @abc.abstractmethod
    def on_span_end(self, span: Span[Any]) -> None:
        """A span ends; its contents are complete."""

    def inside(self, span: Span[Any]) -> AbstractContextManager[object]:
        """Return what surrounds the work of a run inside a span, in the task that does the work.

        A processor may make a span of its own kind current there; by default nothing happens.
        """
        return nullcontext()

    @abc.abstractmethod
    def shutdown(self) -> None:
        """The program ends: finish what is under way."""

    @abc.abstractmethod
    def force_flush(self) -> None:
        """Hand on at once what waits."""


class TracingExporter(abc.ABC):
    """Sends traces and spans somewhere, in batches."""

    @abc.abstractmethod
    def export(self, items: list[Trace | Span[Any]]) -> None:
        """Send a batch.

        Args:
            items: Traces that started and spans that ended, in that order.
        """
