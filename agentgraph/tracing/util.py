"""Ids and times of the process's provider."""

from __future__ import annotations

from agentgraph.tracing.setup import get_trace_provider

__all__ = ["gen_group_id", "gen_span_id", "gen_trace_id", "time_iso"]


def time_iso() -> str:
    """Return the current time: ISO 8601, UTC."""
    return get_trace_provider().time_iso()


def gen_trace_id() -> str:
    """Make an id for a trace: `trace_` and 32 hexadecimal digits."""
    return get_trace_provider().gen_trace_id()


def gen_span_id() -> str:
    """Make an id for a span: `span_` and 24 hexadecimal digits."""
    return get_trace_provider().gen_span_id()


def gen_group_id() -> str:
    """Make an id for the traces of one conversation: `group_` and 24 hexadecimal digits."""
    return get_trace_provider().gen_group_id()
