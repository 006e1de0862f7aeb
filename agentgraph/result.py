"""The SDK's names for the results of runs; they live in `agentgraph.running`."""

from __future__ import annotations

from agentgraph.running.result import (
    RunResult,
    RunResultBase,
    RunResultStreaming,
    T,
    ToInputListMode,
)

__all__ = ["RunResult", "RunResultBase", "RunResultStreaming", "T", "ToInputListMode"]
