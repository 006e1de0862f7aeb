"""Traces: all the work on one task, from its start to its end."""

from __future__ import annotations

import abc
from contextvars import ContextVar
from typing import Any, Final, Protocol

from agentgraph.tracing.scope import NO_ID, Entered, NotRecorded

__all__ = ["CURRENT_TRACE", "NoOpTrace", "Trace", "TraceImpl"]


class Trace(Entered):
    """All the work on one task; a `with` block starts and finishes it."""

    @abc.abstractmethod
    def start(self, mark_as_current: bool = False) -> None:
        """Start the trace.

        Args:
            mark_as_current: Whether spans that begin now belong to this trace.
        """

    @abc.abstractmethod
    def finish(self, reset_current: bool = False) -> None:
        """Finish the trace.

        Args:
            reset_current: Whether the trace around this one becomes the current one.
        """

    @property
    @abc.abstractmethod
    def trace_id(self) -> str:
        """The id of the trace."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The name of the workflow."""

    @abc.abstractmethod
    def export(self) -> dict[str, Any] | None:
        """Return the trace as plain values; `None` if it is not recorded."""

    @property
    @abc.abstractmethod
    def tracing_api_key(self) -> str | None:
        """The key with which an exporter sends the trace, if it has one of its own."""

    def to_json(self, *, include_tracing_api_key: bool = False) -> dict[str, Any] | None:
        """Return the trace as plain values, to be stored.

        Args:
            include_tracing_api_key: Whether the trace's own key, a secret, is among them.
        """
        exported = self.export()
        if exported is not None and include_tracing_api_key and self.tracing_api_key:
            return {**exported, "tracing_api_key": self.tracing_api_key}
        return exported


CURRENT_TRACE: Final[ContextVar[Trace | None]] = ContextVar("current_trace", default=None)
Trace._variable = CURRENT_TRACE


class TraceListener(Protocol):
    """The part of a processor that a trace needs."""

    def on_trace_start(self, trace: Trace) -> None: ...
    def on_trace_end(self, trace: Trace) -> None: ...


class NoOpTrace(NotRecorded, Trace):
    """A trace that is not recorded, because tracing is disabled. Its spans are not recorded."""

    @property
    def name(self) -> str:
        return NO_ID


class TraceImpl(Trace):
    """A trace that processors are told of.

    Attributes:
        group_id: An id that the traces of one conversation share.
        metadata: Further facts.
    """

    def __init__(
        self,
        name: str,
        trace_id: str,
        group_id: str | None,
        metadata: dict[str, Any] | None,
        processor: TraceListener,
        tracing_api_key: str | None = None,
    ) -> None:
        self._name = name
        self._trace_id = trace_id
        self.group_id = group_id
        self.metadata = metadata
        self._processor = processor
        self._tracing_api_key = tracing_api_key
        self._started = self._finished = False

    @property
    def trace_id(self) -> str:
        return self._trace_id

    @property
    def name(self) -> str:
        return self._name

    @property
    def tracing_api_key(self) -> str | None:
        return self._tracing_api_key

    def start(self, mark_as_current: bool = False) -> None:
        if self._started:
            return
        self._started = True
        self._processor.on_trace_start(self)
        if mark_as_current:
            self._make_current()

    def finish(self, reset_current: bool = False) -> None:
        if not self._started or self._finished:
            return
        self._finished = True
        self._processor.on_trace_end(self)
        if reset_current:
            self._take_back()

    def export(self) -> dict[str, Any]:
        return {
            "object": "trace",
            "id": self.trace_id,
            "workflow_name": self.name,
            "group_id": self.group_id,
            "metadata": self.metadata,
        }
