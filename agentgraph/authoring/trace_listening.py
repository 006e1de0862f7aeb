"""Whether anything receives traces: what a run asks once, before it begins.

The provider of traces is named here when the program first uses tracing. A run without one loads
no module of `agentgraph.tracing`.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["TraceSource", "announce", "is_listened_to"]


class TraceSource(Protocol):
    """The part of a provider of traces that a run asks before it begins."""

    @property
    def listened_to(self) -> bool:
        """Whether traces that begin now reach a processor."""
        ...


_source: TraceSource | None = None


def announce(source: TraceSource) -> None:
    """Name the provider of the process."""
    global _source
    _source = source


def is_listened_to() -> bool:
    """Whether traces that begin now reach a processor."""
    return _source is not None and _source.listened_to
