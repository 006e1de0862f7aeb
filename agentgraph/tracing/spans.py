"""Spans: one piece of work within a trace, with its times, its contents and its error."""

from __future__ import annotations

import abc
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, Generic, Protocol

from typing_extensions import TypedDict, TypeVar

from agentgraph.logger import logger
from agentgraph.tracing.scope import NO_ID, Entered, NotRecorded
from agentgraph.tracing.span_data import SpanData

__all__ = ["CURRENT_SPAN", "NoOpSpan", "Span", "SpanError", "SpanImpl", "TSpanData", "now"]

TSpanData = TypeVar("TSpanData", bound=SpanData, default=Any)


class SpanError(TypedDict):
    """What went wrong in a span.

    Attributes:
        message: A description.
        data: Further facts.
    """

    message: str
    data: dict[str, Any] | None


class Span(Entered, Generic[TSpanData]):
    """One piece of work within a trace; a `with` block starts and finishes it."""

    @property
    @abc.abstractmethod
    def trace_id(self) -> str:
        """The id of the trace."""

    @property
    @abc.abstractmethod
    def span_id(self) -> str:
        """The id of the span."""

    @property
    @abc.abstractmethod
    def parent_id(self) -> str | None:
        """The id of the span around this one, if there is one."""

    @property
    @abc.abstractmethod
    def span_data(self) -> TSpanData:
        """What the span is about."""

    @abc.abstractmethod
    def start(self, mark_as_current: bool = False) -> None:
        """Start the span.

        Args:
            mark_as_current: Whether spans that begin now are inside this one.
        """

    @abc.abstractmethod
    def finish(self, reset_current: bool = False) -> None:
        """Finish the span.

        Args:
            reset_current: Whether the span around this one becomes the current one.
        """

    @abc.abstractmethod
    def set_error(self, error: SpanError) -> None:
        """Note what went wrong."""

    @property
    @abc.abstractmethod
    def error(self) -> SpanError | None:
        """What went wrong."""

    @abc.abstractmethod
    def export(self) -> dict[str, Any] | None:
        """Return the span as plain values; `None` if it is not recorded."""

    @property
    @abc.abstractmethod
    def started_at(self) -> str | None:
        """When it started: ISO 8601, UTC."""

    @property
    @abc.abstractmethod
    def ended_at(self) -> str | None:
        """When it ended: ISO 8601, UTC."""

    @property
    @abc.abstractmethod
    def tracing_api_key(self) -> str | None:
        """The key with which an exporter sends the span, if the trace has one of its own."""

    @property
    def trace_metadata(self) -> dict[str, Any] | None:
        """The metadata of the trace."""
        return None


CURRENT_SPAN: Final[ContextVar[Span[Any] | None]] = ContextVar("current_span", default=None)
Span._variable = CURRENT_SPAN


class SpanListener(Protocol):
    """The part of a processor that a span needs."""

    def on_span_start(self, span: Span[Any]) -> None: ...
    def on_span_end(self, span: Span[Any]) -> None: ...


class NoOpSpan(NotRecorded, Span[TSpanData]):
    """A span that is not recorded: there is no trace, or tracing is disabled."""

    def __init__(self, span_data: TSpanData) -> None:
        self._span_data = span_data

    @property
    def span_id(self) -> str:
        return NO_ID

    @property
    def parent_id(self) -> None:
        return None

    @property
    def span_data(self) -> TSpanData:
        return self._span_data

    @property
    def error(self) -> None:
        return None

    @property
    def started_at(self) -> None:
        return None

    @property
    def ended_at(self) -> None:
        return None

    def set_error(self, error: SpanError) -> None:
        pass


class SpanImpl(Span[TSpanData]):
    """A span that processors are told of."""

    def __init__(
        self,
        trace_id: str,
        span_id: str,
        parent_id: str | None,
        processor: SpanListener,
        span_data: TSpanData,
        tracing_api_key: str | None,
        trace_metadata: dict[str, Any] | None = None,
    ) -> None:
        self._trace_id = trace_id
        self._span_id = span_id
        self._parent_id = parent_id
        self._processor = processor
        self._span_data = span_data
        self._tracing_api_key = tracing_api_key
        self._trace_metadata = trace_metadata
        self._started_at: str | None = None
        self._ended_at: str | None = None
        self._error: SpanError | None = None

    @property
    def trace_id(self) -> str:
        return self._trace_id

    @property
    def span_id(self) -> str:
        return self._span_id

    @property
    def parent_id(self) -> str | None:
        return self._parent_id

    @property
    def span_data(self) -> TSpanData:
        return self._span_data

    @property
    def tracing_api_key(self) -> str | None:
        return self._tracing_api_key

    @property
    def trace_metadata(self) -> dict[str, Any] | None:
        return self._trace_metadata

    def start(self, mark_as_current: bool = False) -> None:
        if self._started_at is not None:
            logger.warning("A span was started a second time; it keeps its first start")
            return
        self._started_at = now()
        self._processor.on_span_start(self)
        if mark_as_current:
            self._make_current()

    def finish(self, reset_current: bool = False) -> None:
        if self._ended_at is not None:
            logger.warning("A span was finished a second time; it keeps its first end")
            return
        self._ended_at = now()
        self._processor.on_span_end(self)
        if reset_current:
            self._take_back()

    def set_error(self, error: SpanError) -> None:
        self._error = error

    @property
    def error(self) -> SpanError | None:
        return self._error

    @property
    def started_at(self) -> str | None:
        return self._started_at

    @property
    def ended_at(self) -> str | None:
        return self._ended_at

    def export(self) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "object": "trace.span",
            "id": self.span_id,
            "trace_id": self.trace_id,
            "parent_id": self.parent_id,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "span_data": self.span_data.export(),
            "error": self.error,
        }
        metadata = getattr(self.span_data, "metadata", None)
        return {**payload, "metadata": dict(metadata)} if metadata else payload


def now() -> str:
    """The current time: ISO 8601, UTC."""
    return datetime.now(UTC).isoformat()
