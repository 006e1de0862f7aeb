"""The SDK's name for a run at rest; it lives in `agentgraph.running`."""

from __future__ import annotations

from agentgraph.running.state import RunState

__all__ = ["RunState"]
