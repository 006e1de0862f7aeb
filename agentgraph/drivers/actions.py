"""Calls that name no function: computer, shell and patch actions, and approvals of hosted MCP
tools."""

from __future__ import annotations

from agentgraph.drivers.run import Run
from agentgraph.runtime.commands import Perform
from agentgraph.runtime.outcomes import Outcome


async def perform_action(run: Run, command: Perform) -> Outcome:
    """Perform an action on this side."""
    raise NotImplementedError
