"""The provider of the process. It is made at its first use and shut down when the program ends."""

from __future__ import annotations

import atexit
import threading
from typing import Final

from agentgraph.authoring.trace_listening import announce
from agentgraph.tracing.provider import DefaultTraceProvider, TraceProvider

__all__ = ["get_trace_provider", "set_trace_provider"]


class _Process:
    """The one provider of the process, shut down at the end of the program."""

    def __init__(self) -> None:
        self._provider: TraceProvider | None = None
        self._lock = threading.Lock()

    def get(self) -> TraceProvider:
        with self._lock:
            return self._provider or self._set(DefaultTraceProvider())

    def set(self, provider: TraceProvider) -> None:
        with self._lock:
            self._set(provider)

    def _set(self, provider: TraceProvider) -> TraceProvider:
        if self._provider is None:
            atexit.register(lambda: self.get().shutdown())
        self._provider = provider
        announce(provider)
        return provider


_PROCESS: Final = _Process()


def get_trace_provider() -> TraceProvider:
    """Return the provider of the process."""
    return _PROCESS.get()


def set_trace_provider(provider: TraceProvider) -> None:
    """Set the provider of the process.

    Args:
        provider: Makes all traces and spans from now on. It is shut down when the program ends.
    """
    _PROCESS.set(provider)
