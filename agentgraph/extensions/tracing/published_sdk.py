"""Spans of runs leave through the trace provider of the published Agents SDK.

Vendors hook into that provider, so their instrumentation works unchanged. The package must be
installed beside this one; nothing of it is needed otherwise.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import fields, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Final, Protocol

from agentgraph.tracing import span_data
from agentgraph.tracing.processor_interface import TracingProcessor
from agentgraph.tracing.span_data import GenerationSpanData, SpanData
from agentgraph.tracing.spans import Span
from agentgraph.tracing.traces import Trace

__all__ = ["sdk_bridge"]

_PACKAGE: Final = "agents.tracing"


def sdk_bridge() -> TracingProcessor:
    """Make a processor that hands traces and spans to the published Agents SDK.

    Add it with `add_trace_processor`. All processors of that package receive them, its exporter to
    OpenAI too; `agents.set_trace_processors` says which there are.

    Returns:
        The processor.

    Raises:
        ImportError: The published package is not installed.
    """
    try:
        package = import_module(_PACKAGE)
    except ImportError as error:
        message = "sdk_bridge needs the published Agents SDK; run: pip install openai-agents"
        raise ImportError(message) from error
    return _Bridge(package)


class _Started(Protocol):
    """A trace or span of the published package."""

    def start(self) -> None: ...


class _Bridge(TracingProcessor):
    """Makes a trace or span of the published package for each one of ours, with the same id."""

    def __init__(self, package: ModuleType) -> None:
        self._package = package
        # By id. What a processor there makes current at the start is taken back at the end, which
        # must happen in the same context.
        self._open: dict[str, tuple[Any, Context]] = {}
        self._lock = threading.Lock()

    def on_trace_start(self, trace: Trace) -> None:
        theirs = self._trace(
            trace,
            name=trace.name,
            group_id=getattr(trace, "group_id", None),
            metadata=getattr(trace, "metadata", None),
        )
        self._start(trace.trace_id, theirs)

    def on_trace_end(self, trace: Trace) -> None:
        entry = self._drop(trace.trace_id)
        if entry is not None:
            entry[1].run(entry[0].finish)

    def on_span_start(self, span: Span[Any]) -> None:
        with self._lock:
            entry = self._open.get(span.parent_id or "") or self._open.get(span.trace_id)
        around = self._trace_again(span) if entry is None else entry[0]
        provider, data = self._package.get_trace_provider(), self._data(span.span_data)
        self._start(span.span_id, provider.create_span(data, span_id=span.span_id, parent=around))

    def on_span_end(self, span: Span[Any]) -> None:
        entry = self._drop(span.span_id)
        if entry is None:
            return
        theirs, context = entry
        for name, value in _values(span.span_data).items():
            if hasattr(theirs.span_data, name):
                setattr(theirs.span_data, name, value)
        if span.error is not None:
            theirs.set_error(dict(span.error))
        context.run(theirs.finish)
        trace = self._drop(f"{span.span_id} around")
        if trace is not None:
            trace[1].run(trace[0].finish)

    def force_flush(self) -> None:
        self._package.flush_traces()

    def shutdown(self) -> None:
        self.force_flush()

    def _trace(self, ours: Trace | Span[Any], **options: object) -> Any:
        """A trace of the published package, with the id and the key of one of ours."""
        key = ours.tracing_api_key
        tracing = None if key is None else {"api_key": key}
        provider = self._package.get_trace_provider()
        return provider.create_trace(trace_id=ours.trace_id, tracing=tracing, **options)

    def _trace_again(self, span: Span[Any]) -> Any:
        """Start a trace for a run that goes on in the same process; it ends with the span.

        Such a run does not announce its trace again, but instrumentation drops spans without one.
        """
        name = getattr(span.span_data, "name", span.span_data.type)
        trace = self._trace(span, name=name, metadata=span.trace_metadata)
        self._start(f"{span.span_id} around", trace)
        return trace

    def _start(self, id: str, theirs: _Started) -> None:
        context = copy_context()
        with self._lock:
            self._open[id] = theirs, context
        context.run(theirs.start)

    def _drop(self, id: str) -> tuple[Any, Context] | None:
        with self._lock:
            return self._open.pop(id, None)

    def _data(self, data: SpanData) -> Any:
        """The contents in the published package's class of the same name."""
        for kind in type(data).__mro__:
            theirs = getattr(self._package, kind.__name__, None)
            if theirs is not None and kind.__module__ == span_data.__name__:
                values, names = _values(data), _field_names(kind)
                return theirs(**{name: values[name] for name in names})
        return self._package.CustomSpanData(name=data.type, data=data.export())


def _field_names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


def _values(data: SpanData) -> dict[str, Any]:
    values = {name: getattr(data, name) for name in _field_names(type(data))}
    if isinstance(data, GenerationSpanData):
        for name in ("input", "output"):
            items = values[name]
            values[name] = None if items is None else _chat(items)
    return values


def _chat(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Items of the Responses API as chat messages, which such spans of the SDK hold."""
    messages: list[dict[str, Any]] = []
    for item in items:
        kind = item.get("type") or "message"
        if kind == "message":
            messages.append({"role": item.get("role", "user"), "content": _text(item)})
        elif kind == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            call = {"id": item.get("call_id"), "type": "function", "function": function}
            if messages and messages[-1].get("tool_calls"):  # calls of one reply
                messages[-1]["tool_calls"].append(call)
            else:
                messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        elif kind.endswith("_output"):
            output = item.get("output")
            text = output if isinstance(output, str) else json.dumps(output, default=str)
            messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": text})
        else:
            text = json.dumps(item, default=str)
            messages.append({"role": "assistant", "content": text})
    return messages


def _text(item: Mapping[str, Any]) -> str:
    content = item.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in content)
